"""Drills: conversations in the game's own form, rendered from source text without running anything.

A mutated function is shown as the tools would show it; the turn asked for undoes the mutation (solver) or makes it
(injector). They come without end, so that the model learns to read code instead of learning demonstrations by heart.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice, zip_longest

from ssr.agent.prompts import injector_messages, solver_messages, specification
from ssr.basemodel import actions, terminal
from ssr.basemodel.breaking import choose_mutation, edit_of, fitting, mutate, to_repair
from ssr.basemodel.corpus import Source, TestLine, last_name
from ssr.basemodel.issues import VALUES, WORDS, made_up_issue
from ssr.basemodel.renaming import identifiers_of, renamed
from ssr.config import AgentConfig, GameConfig
from ssr.contracts import Message, Strategy
from ssr.repository.places import Function

IDENTIFIERS = 30_000
"""Names that renamed functions draw from."""
INJECTIONS = 0.18
"""Share of the drills that are an injection in a repository; the others are a repair in a function from anywhere."""
RENAMED = 0.6
"""Share of the functions from anywhere that come under other names."""
TOLD_BY_A_TEST = 0.4
"""Share of the repairs of one function that are told by a weakening, as self-play's bugs are; the others, in words."""
FOLLOWING = 4
"""Functions from anywhere, of which those with the same indent follow one that is to be repaired."""
MOST_MUTATIONS = 3
"""Mutations in one short drill, at most."""


@dataclass
class Conversation:
    """Messages of one conversation: the first prompt, then turns and what was answered, in order."""

    prompt: list[Message]
    turns: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """One fewer than turns: the last turn is not answered."""

    def say(self, turn: str, answer: str | None = None) -> None:
        self.turns.append(turn)
        if answer is not None:
            self.answers.append(answer)


@dataclass(frozen=True)
class Repair:
    """One mutated place: the broken text, the command that shows it, what that prints, and the edit."""

    path: str
    line: int
    broken: str
    command: str
    shown: str
    change: tuple[str, str]


def _indent(function: Function) -> int:
    return len(function.source) - len(function.source.lstrip(" "))


def weakening(source: Source, line: TestLine) -> str:
    """The reversed diff that takes the `return` before one assertion away, as `git diff -U1` prints it."""
    lines = source.files[line.path].split("\n")
    assertion, before = lines[line.line - 1], lines[line.line - 2]
    indent = assertion[: len(assertion) - len(assertion.lstrip())]
    index = f"{terminal.hash_of(before) % 16**7:07x}..{terminal.hash_of(assertion) % 16**7:07x}"
    return "\n".join(
        [
            f"diff --git a/{line.path} b/{line.path}", f"index {index} 100644",
            f"--- a/{line.path}", f"+++ b/{line.path}",
            f"@@ -{line.line - 1},3 +{line.line - 1},2 @@ def {line.test}():",
            f" {before}", f"-{indent}return", f" {assertion}",
        ]
    )  # fmt: skip


class Drills:
    """Makes drills from repositories and from library functions, for one style of prompts."""

    def __init__(
        self, sources: Sequence[Source], library: Sequence[Function], agent: AgentConfig, rules: GameConfig
    ) -> None:
        self.sources = sources
        self.library = cycle(library)
        self.names = identifiers_of(library, IDENTIFIERS)
        self.agent = agent
        self.rules = rules

    def stream(self, seed: int) -> Iterator[Conversation]:
        """Drills without end."""
        rng = random.Random(seed)
        while True:
            conversation = self._injection(rng) if rng.random() < INJECTIONS else self.library_solver(rng)
            if conversation is not None:
                yield conversation

    def _injection(self, rng: random.Random) -> Conversation | None:
        source = rng.choices(self.sources, [len(source.functions) ** 0.5 for source in self.sources])[0]
        return self.injector(source, rng.choice(source.functions), rng)

    def solver(self, source: Source, function: Function, rng: random.Random) -> Conversation | None:
        """Undo a mutation in a repository, told by one of its real assertions or in words; now and then undo two."""
        lines = source.test_lines.get(last_name(function), [])
        if lines and rng.random() < 0.45:
            repair = self._repair(source.files, function, rng, owned=False)
            if repair is None or source.defining(last_name(function)) != function.path:
                return None
            return self._found(specification(self.agent, weakening(source, rng.choice(lines))), function, repair)
        functions = [function]
        if rng.random() < 0.2:
            functions.append(rng.choice(source.functions))
        repairs = [self._repair(source.files, f, rng, owned=True) for f in functions]
        whole = [repair for repair in repairs if repair is not None]
        if len(whole) < len(functions) or (functions[0] == functions[-1] and len(functions) > 1):
            return None
        return self._conversation(made_up_issue(source, functions, rng), whole)

    def library_solver(self, rng: random.Random) -> Conversation | None:
        """Undo a mutation in a function from anywhere, now and then two."""
        functions = [self._from_anywhere(rng) for _ in range(1 + (rng.random() < 0.3))]
        chosen = [function for function in functions if function is not None]
        repairs = [self._in_a_file(function, rng) for function in chosen]
        whole = [repair for repair in repairs if repair is not None]
        if len(whole) < len(functions):
            return None
        if len(chosen) == 1 and rng.random() < TOLD_BY_A_TEST:
            return self._told_by_a_test(chosen[0], whole[0], rng)
        return self._conversation(made_up_issue(Source("library", {}), chosen, rng), whole)

    def _told_by_a_test(self, function: Function, repair: Repair, rng: random.Random) -> Conversation | None:
        """As self-play tells its bugs, by the reversed weakening of a test; the test is made up."""
        test = f"test_{rng.choice(WORDS)}_{last_name(function).strip('_')}"
        above = rng.randrange(200)
        path = rng.choice(("tests/test_{}.py", "test_{}.py")).format(rng.choice(WORDS))
        called = rng.choice(("{}", "{}", "thing.{}")).format(last_name(function))
        value, given, expected = rng.choices(VALUES, k=3)
        lines = [f"def {test}():", f"    value = {value}", f"    assert {called}({given}) == {expected}", ""]
        text = "\n" * above + "\n".join(lines)
        told = Source("library", {path: text})
        statement = specification(self.agent, weakening(told, TestLine(path, above + 3, test)))
        return self._found(statement, function, repair)

    def short(self, rng: random.Random, rewrites: float) -> Conversation | None:
        """A function with a few mutations and nothing around it, then the edits that undo them, from top to bottom.

        With the probability `rewrites` the whole function is asked for instead, which teaches copying soonest.
        """
        function = self._from_anywhere(rng)
        mutated = None if function is None else mutate(function, rng.randint(1, MOST_MUTATIONS), rng)
        if function is None or mutated is None:
            return None
        conversation = Conversation([{"role": "user", "content": f"{function.path}\n{mutated[0].text}"}])
        if rng.random() < rewrites:
            conversation.say(function.source)
            return conversation
        for step, after in zip_longest(mutated, mutated[1:]):
            change = edit_of(step.text, step.mutation.line, step.mutation.after, step.mutation.before)
            if change is None:
                return None
            said = f"Edited {function.path}, line {step.mutation.line}."
            conversation.say(actions.edit(function.path, *change), said if after else None)
        return conversation

    def _from_anywhere(self, rng: random.Random) -> Function | None:
        function = next(self.library)
        return renamed(function, self.names, rng) if rng.random() < RENAMED else function

    def _in_a_file(self, function: Function, rng: random.Random) -> Repair | None:
        """A repair of a function that others follow in its file, as a look at a real one shows."""
        owner = function.name.rpartition(".")[0].rpartition(".")[2]
        header = f"class {owner}:\n" if owner else "\n"
        above = "\n" * (function.first_line - 2) + header * (function.first_line > 1)
        below = [other.source for other in islice(self.library, FOLLOWING) if _indent(other) == _indent(function)]
        text = above + "\n\n".join([function.source, *below]) + "\n"
        return self._repair({function.path: text}, function, rng, owned=function.first_line > 1)

    def _repair(
        self, files: Mapping[str, str], function: Function, rng: random.Random, *, owned: bool
    ) -> Repair | None:
        text = files[function.path]
        mutation = choose_mutation(text, function, rng, to_repair(rng))
        if mutation is None:
            return None
        broken = mutation.apply(text)
        change = edit_of(broken, mutation.line, mutation.after, mutation.before)
        shown = terminal.shown_of(broken, function) if owned else terminal.shown(broken, function)
        if change is None or mutation.after not in shown:
            return None
        command = actions.look_command(function)
        return Repair(function.path, mutation.line, broken, command, shown, change)

    def _found(self, statement: str, function: Function, repair: Repair) -> Conversation | None:
        """A repair of which only the function's name is told: its file has to be found."""
        shown = f"{function.path}\n{terminal.shown(repair.broken, function)}\n"
        if repair.change[0] not in shown:
            return None
        command = actions.find_command(last_name(function))
        return self._conversation(statement, [replace(repair, command=command, shown=shown.removesuffix("\n"))])

    def _conversation(self, statement: str, repairs: Sequence[Repair]) -> Conversation:
        conversation = Conversation(solver_messages(self.agent, statement))
        for repair in repairs:
            conversation.say(actions.bash(repair.command), repair.shown)
            conversation.say(actions.edit(repair.path, *repair.change), f"Edited {repair.path}, line {repair.line}.")
        conversation.say(actions.bash(actions.diff_command()), "")
        conversation.say(actions.submit(actions.FIX))
        return conversation

    def injector(self, source: Source, function: Function, rng: random.Random) -> Conversation | None:
        """Make a mutation and hand in an artifact; what the tests print is made up."""
        strategy: Strategy = rng.choice(("direct", "removal"))
        name = last_name(function)
        text = source.files[function.path]
        mutation = choose_mutation(text, function, rng, fitting(strategy))
        lines = source.test_lines.get(name) or [line for group in source.test_lines.values() for line in group]
        if mutation is None or not re.match(r"[a-z]\w*$", name):
            return None
        change = edit_of(text, mutation.line, mutation.before, mutation.after)
        shown = terminal.shown(text, function)
        if change is None or mutation.before not in shown:
            return None
        test = rng.choice(lines)
        conversation = Conversation(injector_messages(self.agent, strategy, source.name, self.rules))
        conversation.say(actions.bash(actions.list_command()), terminal.listing(source))
        conversation.say(actions.bash(actions.functions_command(function.path)), terminal.function_names(text))
        conversation.say(actions.bash(actions.view_command(function.path, name)), shown)
        conversation.say(actions.edit(function.path, *change), f"Edited {function.path}, line {mutation.line}.")
        failed = rng.choice((1, 1, 1, 2, 3, 4))
        result = f"{test.path}:{test.line}: in {test.test}\n{failed} failed, {rng.randint(20, 120)} passed in 0.00s"
        conversation.say(actions.bash(actions.artifact_command(function.path, name)), result)
        stat = f" {function.path} | 2 +-\n {test.path} | 1 +\n 2 files changed, 2 insertions(+), 1 deletion(-)"
        conversation.say(actions.bash(actions.WEAKEN_COMMAND), stat)
        conversation.say(actions.submit(actions.ARTIFACT))
        return conversation
