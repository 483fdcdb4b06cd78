"""Drills: conversations in the game's own form, rendered from source text without running anything.

A mutated function is shown as the tools would show it; the turn asked for undoes the mutation (solver) or makes it
(injector). They come without end, so that the model learns to read code instead of learning demonstrations by heart.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from ssr.agent.prompts import Target, injector_messages, solver_messages, specification
from ssr.basemodel import actions, terminal
from ssr.basemodel.breaking import Change, change_of, choose_mutation, mutate, to_inject, to_repair
from ssr.basemodel.conversation import Conversation
from ssr.basemodel.corpus import Source, last_name
from ssr.basemodel.issues import made_up_issue
from ssr.basemodel.library import Library
from ssr.basemodel.looks import Line, Look, Looker, find, holds, lines_of, look_by_name, look_in_class
from ssr.basemodel.mistakes import called_names, how_many, times, wrong_edit, wrong_look
from ssr.basemodel.repairs import Repair, check, end_early, leave_unchanged, others_of, try_others, turn_of
from ssr.basemodel.symptoms import symptom_of
from ssr.basemodel.weakened import weakened_tests, weakening
from ssr.config import AgentConfig, GameConfig, SelfplayConfig
from ssr.contracts import Strategy
from ssr.repository.places import Function

INJECTIONS = 0.3
"""Share of the drills that are an injection in a repository; the others are a repair."""
SEEDED = 0.5
"""Share of the injections that are told where, as seeded tasks are (E.4)."""
OWN = 0.5
"""Share of the repairs that are in a function of the repositories in no benchmark's share; the others are in one from
anywhere. What a model knows by heart shows it what is broken, and that it may go by it is learned only where it can."""
NOTED = 0.35
"""Share of the repairs that leave a note at the function and hand that in, as not all work is good that a model has
read: that this does not pay is for self-play to teach, too."""
CHECKED = 0.5
"""Share of the other repairs that run tests before they are handed in: that this pays is for self-play to teach."""
TRIED = 0.8
"""Share of the checked repairs in which the tests refuse a change of another line first."""
TOLD_BY_A_TEST = 0.5
"""Share of the repairs of one function that are told by a weakening, as self-play's bugs are; the others, in words."""
EDITED = 0.1
"""Share of the short drills that are edits, by which an injection is made; in the others lines are written again."""
AS_IT_IS = 0.7
"""Share of the others in which nothing is broken: every function of the repositories is met so, held out or not, as
what was never written is badly copied, however well it is known."""
MOST_MUTATIONS = 3
"""Mutations in one of them, at most."""


class Drills:
    """Makes drills from repositories and from library functions, for one style of prompts.

    `mistakes` is the share of looks and edits that succeed only after one or more that do not, `noted` that of the
    repairs that are a note alone, and `checked` that of the others that run tests.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        library: Sequence[Function],
        agent: AgentConfig,
        rules: GameConfig,
        mistakes: float = 0.0,
        noted: float = NOTED,
        checked: float = CHECKED,
    ) -> None:
        self.sources = sources
        self.library = Library(library, sources)
        self.agent = agent
        self.rules = rules
        self.mistakes = mistakes
        self.noted = noted
        self.checked = checked

    def stream(self, seed: int) -> Iterator[Conversation]:
        """Drills without end."""
        rng = random.Random(seed)
        while True:
            conversation = self._injection(rng) if rng.random() < INJECTIONS else self._some_repair(rng)
            if conversation is not None:
                yield conversation

    def _some_repair(self, rng: random.Random) -> Conversation | None:
        source = self._own_source(rng)
        return self.solver(source, rng.choice(source.functions), rng) if source else self.library_solver(rng)

    def _own_source(self, rng: random.Random) -> Source | None:
        """The repository that a repair is in; None for one in a function from anywhere."""
        return self.draw_source(rng) if rng.random() < OWN and self.sources else None

    def _injection(self, rng: random.Random) -> Conversation | None:
        source = self.draw_source(rng)
        listed = set(source.asserted[: actions.LISTED])
        functions = [f for f in source.functions if last_name(f) in listed]
        return self.injector(source, rng.choice(functions or source.functions), rng)

    def draw_source(self, rng: random.Random) -> Source:
        """One of the repositories, a large one more often."""
        return rng.choices(self.sources, [len(source.functions) ** 0.5 for source in self.sources])[0]

    def solver(self, source: Source, function: Function, rng: random.Random) -> Conversation | None:
        """Undo a mutation in a repository, told by one of its real assertions or in words; now and then undo two."""
        lines = source.test_lines.get(last_name(function), [])
        if lines and rng.random() < 0.45:
            repair = self._repair(source.files, function, rng, find)
            if repair is None or source.defining(last_name(function)) != function.path:
                return None
            told = specification(self.agent, weakening(source, [rng.choice(lines)]))
            return self._conversation(told, [repair], rng)
        functions = [function]
        if rng.random() < 0.2:
            functions.append(rng.choice(source.functions))
        repairs = [self._repair(source.files, f, rng, look_in_class) for f in functions]
        whole = [repair for repair in repairs if repair is not None]
        if len(whole) < len(functions) or (functions[0] == functions[-1] and len(functions) > 1):
            return None
        told = made_up_issue(source, functions, [repair.symptom for repair in whole], rng)
        return self._conversation(told, whole, rng)

    def library_solver(self, rng: random.Random) -> Conversation | None:
        """Undo a mutation in a function from anywhere, now and then two."""
        functions = [self.library.draw(rng) for _ in range(1 + (rng.random() < 0.3))]
        chosen = [function for function in functions if function is not None]
        by_a_test = len(chosen) == 1 and rng.random() < TOLD_BY_A_TEST
        repairs = [self._in_a_file(function, rng, found=by_a_test) for function in chosen]
        whole = [repair for repair in repairs if repair is not None]
        if len(whole) < len(functions):
            return None
        if by_a_test:
            told = specification(self.agent, weakened_tests(last_name(chosen[0]), self.sources, rng))
        else:
            symptoms = [repair.symptom for repair in whole]
            told = made_up_issue(Source("library", {}), chosen, symptoms, rng)
        return self._conversation(told, whole, rng)

    def short(self, rng: random.Random) -> Conversation | None:
        """A function with a mutation and what stands below it, then the turn that undoes it; or edits of a few."""
        if rng.random() < EDITED:
            return self._edits(rng)
        if rng.random() < AS_IT_IS and self.sources:
            return self._written_out(rng)
        repair = self._alone(rng)
        if repair is None:
            return None
        conversation = Conversation([{"role": "user", "content": f"{repair.path}\n{repair.look[1]}"}])
        conversation.say(repair.turn(repair.right)[0])
        return conversation

    def _written_out(self, rng: random.Random) -> Conversation | None:
        """Any function of a repository, in no need of repair, written again as it is."""
        source = self.draw_source(rng)
        function = rng.choice(source.readable)
        shown = look_by_name(source.files[function.path], function)[1]
        lines = [str(line) for line in lines_of(shown, function.first_line, function.last_line)]
        if not lines:
            return None
        conversation = Conversation([{"role": "user", "content": f"{function.path}\n{shown}"}])
        conversation.say(actions.bash(actions.rewrite_command(function.path, lines)))
        return conversation

    def _alone(self, rng: random.Random) -> Repair | None:
        source = self._own_source(rng)
        if source:
            return self._repair(source.files, rng.choice(source.functions), rng, look_by_name)
        function = self.library.draw(rng)
        return None if function is None else self._in_a_file(function, rng, found=False)

    def _in_a_file(self, function: Function, rng: random.Random, *, found: bool) -> Repair | None:
        files = {function.path: self.library.file_of(function)}
        look = find if found else look_in_class if function.first_line > 1 else look_by_name
        return self._repair(files, function, rng, look)

    def _edits(self, rng: random.Random) -> Conversation | None:
        """A function with a few mutations, then the edits that undo them, from top to bottom."""
        function = self.library.draw(rng)
        mutated = None if function is None else mutate(function, rng.randint(1, MOST_MUTATIONS), rng)
        if function is None or mutated is None:
            return None
        shown = terminal.code_of(mutated[0].text)
        conversation = Conversation([{"role": "user", "content": f"{function.path}\n{shown}"}])
        for step, after in zip_longest(mutated, mutated[1:]):
            mutation = step.mutation
            change = change_of(step.text, function.path, mutation.line, mutation.after, mutation.before)
            if change is None or not holds(terminal.code_of(step.text), change.search):
                return None
            turn, answer = turn_of(change)
            conversation.say(turn, answer if after else None)
        return conversation

    def _repair(self, files: Mapping[str, str], function: Function, rng: random.Random, look: Looker) -> Repair | None:
        """Mutate a function and look at it; None where the look does not show the line that is to be written again."""
        text = files[function.path]
        mutation = choose_mutation(text, function, rng, to_repair(rng))
        if mutation is None or not mutation.one_line:
            return None
        broken = mutation.apply(text)
        seen = look(broken, function)
        lines = lines_of(seen[1], function.first_line, function.last_line)
        if Line(mutation.line, mutation.after) not in lines:
            return None
        others = tuple(others_of(broken, function, mutation, lines, rng))
        right, symptom = Line(mutation.line, mutation.before), symptom_of(mutation, broken, rng)
        return Repair(function.path, last_name(function), seen, tuple(lines), right, others, symptom)

    def _conversation(self, statement: str, repairs: Sequence[Repair], rng: random.Random) -> Conversation:
        conversation = Conversation(solver_messages(self.agent, statement))
        told = called_names(statement)
        noted = rng.random() < self.noted
        checked = not noted and rng.random() < self.checked
        for number, repair in enumerate(repairs):
            command, shown = repair.look
            others = [name for name in told if name not in command]
            self._look_wrong(conversation, command, repair.path, rng, others)
            conversation.say(actions.bash(command), shown)
            if noted:
                conversation.say(actions.bash(actions.note_command(repair.path, repair.name)), "")
                break
            tried = checked and len(repairs) == 1 and rng.random() < TRIED and len(repair.others) > 0
            if tried:
                try_others(conversation, repair, rng)
            made = [other.right for other in repairs[:number] if other.path == repair.path]
            if self.mistakes:
                end_early(conversation, rng, tested=tried)
                leave_unchanged(conversation, repair, made, rng)
            conversation.say(*repair.turn(repair.right, made))
        if checked:
            check(conversation, repairs[0], terminal.tests(f"{rng.randint(5, 150)} passed", rng))
        else:
            conversation.say(actions.bash(actions.diff_command()), "")
        conversation.say(actions.submit(actions.FIX))
        return conversation

    def _look_wrong(
        self, conversation: Conversation, command: str, path: str, rng: random.Random, told: Sequence[str] = ()
    ) -> None:
        """Looks that fail; at one of the names `told`, if there are any, as often as at any name."""
        for _ in range(how_many(self.mistakes, rng)):
            names = told if told and rng.random() < 0.5 else self.library.names(rng)
            conversation.mistake(wrong_look(command, path, rng, names), times(rng))

    def _make(self, conversation: Conversation, change: Change, rng: random.Random) -> None:
        """Make a change, sometimes after mistakes."""
        for _ in range(how_many(self.mistakes, rng)):
            conversation.mistake(wrong_edit(change, rng, self.library.names(rng)), times(rng))
        conversation.say(*turn_of(change))

    def injector(self, source: Source, function: Function, rng: random.Random) -> Conversation | None:
        """Make a mutation and hand in an artifact; what the tests print is made up."""
        strategy: Strategy = rng.choice(("direct", "removal"))
        name = last_name(function)
        text = source.files[function.path]
        mutation = choose_mutation(text, function, rng, to_inject(strategy, rng))
        lines = source.test_lines.get(name) or [line for group in source.test_lines.values() for line in group]
        if mutation is None or not re.match(r"[a-z]\w*$", name):
            return None
        change = change_of(text, function.path, mutation.line, mutation.before, mutation.after)
        look = find(text, function)
        if change is None or not holds(look[1], change.search):
            return None
        target = snippet_of(text, function, mutation.line) if rng.random() < SEEDED else None
        if target is not None and not holds(target.text, change.search):
            return None
        test = rng.choice(lines)
        targets = [target] if target else []
        conversation = Conversation(injector_messages(self.agent, strategy, source.name, self.rules, targets))
        if target is None:
            if source.defining(name) != function.path:
                return None
            self._explore(conversation, source, function.path, look, rng)
        self._make(conversation, change, rng)
        failed = rng.choice((1, 1, 1, 2, 3, 4))
        result = f"{test.path}:{test.line}: in {test.test}\n{failed} failed, {rng.randint(20, 120)} passed in 0.00s"
        conversation.say(actions.bash(actions.artifact_command(function.path, name)), result)
        stat = f" {function.path} | 2 +-\n {test.path} | 1 +\n 2 files changed, 2 insertions(+), 1 deletion(-)"
        conversation.say(actions.bash(actions.WEAKEN_COMMAND), stat)
        conversation.say(actions.submit(actions.ARTIFACT))
        return conversation

    def _explore(self, conversation: Conversation, source: Source, path: str, look: Look, rng: random.Random) -> None:
        conversation.say(actions.bash(actions.list_command()), terminal.listing(source))
        command, shown = look
        self._look_wrong(conversation, command, path, rng)
        conversation.say(actions.bash(command), shown)


def snippet_of(text: str, function: Function, line: int) -> Target | None:
    """The snippet of a seeded task (E.4) that a function's line stands in; None where the function begins above."""
    size = SelfplayConfig().snippet_lines
    start = (line - 1) // size * size
    part = text.removesuffix("\n").split("\n")[start : start + size]
    return Target(function.path, start + 1, start + len(part), "\n".join(part)) if function.first_line > start else None
