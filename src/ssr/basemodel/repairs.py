"""A repair in a drill: the change that undoes a mutation, and changes beside it that the tests refuse."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from ssr.basemodel import actions, terminal
from ssr.basemodel.breaking import Change, broken_function, change_of, choose_mutation, to_repair
from ssr.basemodel.conversation import Conversation
from ssr.basemodel.looks import Look
from ssr.basemodel.mistakes import early_end, times
from ssr.basemodel.symptoms import Symptom
from ssr.repository.mutations import Mutation
from ssr.repository.places import Function

TRIES = 3
"""Changes that the tests refuse in one drill, at most: with them a repair takes all ten turns."""
EARLY = 0.1
"""Share of the repairs with mistakes that are handed in too early, too."""


@dataclass(frozen=True)
class Repair:
    """What undoes a mutation of the function `name`, looks until it is seen, and changes of it that mend nothing."""

    name: str
    change: Change
    others: tuple[Change, ...]
    looks: tuple[Look, ...]
    symptom: Symptom


def others_of(broken: str, function: Function, mutation: Mutation, rng: random.Random) -> Iterator[Change]:
    """Changes of the broken function that are not its repair."""
    now = broken_function(broken, function, mutation)
    for _ in range(TRIES):
        other = choose_mutation(broken, now, rng, to_repair(rng))
        if other is not None and other.line != mutation.line:
            change = change_of(broken, function.path, other.line, other.before, other.after)
            if change is not None:
                yield change


def try_others(conversation: Conversation, repair: Repair, rng: random.Random) -> None:
    """Changes that the tests refuse, which is how they are undone."""
    for other in repair.others[: rng.randint(1, TRIES)]:
        conversation.mistake(turn_of(other))
        refused = rng.choice(("1 failed", f"1 failed, {rng.randint(1, 99)} passed", "1 error"))
        check(conversation, repair, terminal.tests(refused, rng))


def end_early(conversation: Conversation, rng: random.Random, *, tested: bool) -> None:
    """Hand in too early, now and then, perhaps more than once."""
    if rng.random() < EARLY:
        *before, refused = early_end(tested)
        for made in before:
            conversation.mistake(made)
        conversation.mistake(refused, times(rng))


def check(conversation: Conversation, repair: Repair, printed: str) -> None:
    """Run the tests that mention the repaired function."""
    conversation.say(actions.bash(actions.check_command(repair.name)), printed)


def turn_of(change: Change) -> tuple[str, str]:
    """The turn that makes a change, and its answer."""
    return actions.edit(change.path, change.search, change.replace), f"Edited {change.path}, line {change.line}."
