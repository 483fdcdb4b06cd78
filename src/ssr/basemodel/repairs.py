"""A repair in a drill: the change that undoes a mutation, and changes beside it that the tests refuse."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ssr.basemodel import actions, terminal
from ssr.basemodel.breaking import Change, broken_function, choose_mutation, to_repair
from ssr.basemodel.conversation import Conversation
from ssr.basemodel.looks import Line, Look
from ssr.basemodel.mistakes import early_end, times
from ssr.basemodel.symptoms import Symptom
from ssr.repository.mutations import Mutation
from ssr.repository.places import Function

TRIES = 3
"""Changes that the tests refuse in one drill, at most: with them a repair takes all ten turns."""
EARLY = 0.1
"""Share of the repairs with mistakes that are handed in too early, too."""
UNCHANGED = 0.15
"""Share of them in which the function is written again as it is, first."""


@dataclass(frozen=True)
class Repair:
    """A look at the function `name`, its lines as shown, the right one in place of one of them, and wrong ones."""

    path: str
    name: str
    look: Look
    lines: tuple[Line, ...]
    right: Line
    others: tuple[Line, ...]
    symptom: Symptom

    def turn(self, change: Line | None, before: Sequence[Line] = ()) -> tuple[str, str]:
        """The turn that writes the function again with a line changed, or none, and its answer after other changes."""
        written = [change if change and change.number == line.number else line for line in self.lines]
        differing = sorted([*before, change] if change else before)
        answer = "\n".join(f"+{line.text}" for line in differing) or "[exit code 1]"
        return actions.bash(actions.rewrite_command(self.path, [str(line) for line in written])), answer


def others_of(
    broken: str, function: Function, mutation: Mutation, lines: Sequence[Line], rng: random.Random
) -> Iterator[Line]:
    """Changes of the broken function's lines that are not its repair."""
    now = broken_function(broken, function, mutation)
    for _ in range(TRIES):
        other = choose_mutation(broken, now, rng, to_repair(rng))
        if other is None or not other.one_line or other.line == mutation.line:
            continue
        if Line(other.line, other.before) in lines:
            yield Line(other.line, other.after)


def try_others(conversation: Conversation, repair: Repair, rng: random.Random) -> None:
    """Changes that the tests refuse, which is how they are undone."""
    for other in repair.others[: rng.randint(1, TRIES)]:
        conversation.mistake(repair.turn(other))
        refused = rng.choice(("1 failed", f"1 failed, {rng.randint(1, 99)} passed", "1 error"))
        check(conversation, repair, terminal.tests(refused, rng))


def leave_unchanged(conversation: Conversation, repair: Repair, before: Sequence[Line], rng: random.Random) -> None:
    """Write the function again as it is, now and then, perhaps more than once."""
    if rng.random() < UNCHANGED:
        conversation.mistake(repair.turn(None, before), times(rng))


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
