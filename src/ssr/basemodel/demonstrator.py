"""The demonstrator: a scripted player of both roles that knows the true fix.

It is an engine, so its episodes go through the same loop, tools, sandbox, checks and verdicts as a model's.
"""

import random
import re
from collections.abc import Callable, Generator, Mapping
from itertools import islice

from unidiff import PatchSet
from unidiff.patch import Hunk, PatchedFile

from ssr.basemodel import actions
from ssr.basemodel.breaking import choose_mutation, edit_of, fitting
from ssr.basemodel.corpus import Source, last_name
from ssr.basemodel.dialects import PYTHON, Dialect
from ssr.basemodel.looks import Line, lines_of
from ssr.contracts import Completion, CompletionRequest, Strategy
from ssr.engine.chat import ChatCodec
from ssr.errors import EngineError
from ssr.repository.places import Function, functions_of

Script = Generator[str, str, None]
"""Yields turns, is sent observations; ends when it gives up."""
GIVE_UP = "I give up."
"""No call: an episode ends after a few of them."""
FUNCTIONS = 3
"""Functions that an injector tries to break so that a test notices."""
RETRIES = 2
"""More breaks that it tries in each."""


class Demonstrator:
    """An engine that speaks from scripts, one an episode; a retried episode starts its script again."""

    weight_version = 0

    def __init__(self, codec: ChatCodec | None, scripts: Mapping[str, Callable[[], Script]]) -> None:
        self.codec = codec
        self._scripts = scripts
        self._running: dict[str, Script] = {}

    def join(self) -> None:
        """Scripts do not wait for each other."""

    def leave(self) -> None:
        """Scripts do not wait for each other."""

    def close(self) -> None:
        """Nothing to free."""

    async def complete(self, request: CompletionRequest) -> Completion:
        """The script's next turn. Raises EngineError for an episode that has no script."""
        episode = request.key.rsplit("/", 1)[0]
        if episode not in self._scripts:
            raise EngineError(f"the demonstrator has no script for the episode {episode!r}")
        if not any(message["role"] == "assistant" for message in request.messages):
            self._running[episode] = self._scripts[episode]()
            text = next(self._running[episode], GIVE_UP)
        else:
            text = _send(self._running[episode], request.messages[-1]["content"])
        ids = tuple(self.codec.turn(text)) if self.codec else ()
        return Completion(text, ids, (0.0,) * len(ids), completion_tokens=len(ids))


def _send(script: Script, observation: str) -> str:
    try:
        return script.send(observation)
    except StopIteration:
        return GIVE_UP


def injector_script(source: Source, strategy: Strategy, seed: int, say: Dialect = PYTHON) -> Script:
    """Play the injector: explore, edit, write the artifact, and edit again or elsewhere while no test has noticed."""
    rng = random.Random(seed)
    choices = [f for f in source.functions if playable(source, f, strategy, say)]
    rng.shuffle(choices)
    fit = (f for f in choices if strategy == "history" or _mutation_edit(source.files[f.path], f, rng, strategy))
    for number, function in enumerate(islice(fit, FUNCTIONS)):
        yield actions.bash(say.list_command if number == 0 else actions.UNDO)
        answer = yield from _break(source, function, strategy, rng, say)
        if say.noticed in answer:
            yield actions.bash(say.weaken_command)
            yield actions.submit(actions.ARTIFACT)
            return


def _break(
    source: Source, function: Function, strategy: Strategy, rng: random.Random, say: Dialect
) -> Generator[str, str, str]:
    """Look at a function and break it until a test notices; what the tests printed last."""
    path = function.path
    text = source.files[path]
    if strategy == "history":
        diff = yield actions.bash(say.log_command(path, last_name(function)))
        change = reverted(text, diff, rng)
    else:
        yield actions.bash(say.find_command(last_name(function)))
        change = _mutation_edit(text, function, rng, strategy)
    answer = ""
    for tried in range(1 + RETRIES):
        if change is None:
            return ""
        yield actions.edit(path, *change)
        command = say.artifact_command(path, last_name(function)) if tried == 0 else say.again_command
        answer = yield actions.bash(command)
        if say.noticed in answer or strategy == "history":
            break
        text = text.replace(*change)
        again = next((f for f in functions_of(text, path) if f.name == function.name), None)
        change = _mutation_edit(text, again, rng, strategy) if again else None
    return answer


def playable(source: Source, function: Function, strategy: Strategy, say: Dialect) -> bool:
    """Whether tests could notice the function, a view of its name shows it, and it has any history needed."""
    name = last_name(function)
    if not say.may_be_tested(source, name):
        return False
    if strategy == "history":
        return (function.path, function.name) in source.rewritten
    above = source.files[function.path].split("\n")[: function.first_line - 1]
    return sum(re.search(say.definition(name), line) is not None for line in above) < actions.CODE.matches


def _mutation_edit(text: str, function: Function, rng: random.Random, strategy: Strategy) -> tuple[str, str] | None:
    mutation = choose_mutation(text, function, rng, fitting(strategy))
    return None if mutation is None else edit_of(text, mutation.line, mutation.before, mutation.after)


def reverted(text: str, diff: str, rng: random.Random) -> tuple[str, str] | None:
    """SEARCH and REPLACE that take one change of a `git log -L` diff back, where its lines still stand, once."""
    lines = [line for line in diff.split("\n") if line[:1] in (" ", "-", "+")]
    changes = []
    for kinds in re.finditer("[-+]+", "".join(line[0] for line in lines)):
        above = [line[1:] for line in lines[max(0, kinds.start() - 2) : kinds.start()] if line[0] == " "]
        block = lines[kinds.start() : kinds.end()]
        search, replace = (
            "".join(f"{line}\n" for line in [*above, *(line[1:] for line in block if line[0] == kind)]) for kind in "+-"
        )
        if search and ("\n" + text).count("\n" + search) == 1:
            changes.append((search, replace))
    return rng.choice(changes) if changes else None


def solver_script(source: Source, patch: str, say: Dialect = PYTHON) -> Script:
    """Play the solver of a bug whose gold patch is known: look at each changed function, undo it, hand in the diff."""
    for file in PatchSet(patch):
        fixed = source.files.get(file.path, "")
        broken = unfixed(fixed, file)
        for hunk in file:
            change = hunk_edit(broken, hunk)
            if change is None:
                return
            seen = yield actions.bash(say.find_command(enclosing(fixed, file.path, hunk)))
            yield _again(file.path, broken, hunk, seen) or actions.edit(file.path, *change)
    yield actions.bash(actions.diff_command())
    yield actions.submit(actions.FIX)


def _again(path: str, broken: str, hunk: Hunk, seen: str) -> str | None:
    """The turn that writes the function of a hunk's only line again; None where that is not all, or was not seen."""
    (removed, added) = ([line for line in hunk if getattr(line, kind)] for kind in ("is_removed", "is_added"))
    if len(removed) != 1 or len(added) != 1:
        return None
    old, new = (Line(removed[0].source_line_no or 0, line.value.rstrip("\n")) for line in (removed[0], added[0]))
    holder = holder_of(broken, path, old.number)
    lines = lines_of(seen, holder.first_line, holder.last_line) if holder else []
    if old not in lines:
        return None
    return actions.bash(actions.rewrite_command(path, [str(new if line == old else line) for line in lines]))


def unfixed(fixed: str, file: PatchedFile) -> str:
    """The file's text before its gold patch."""
    lines = fixed.split("\n")
    for hunk in reversed(list(file)):
        start = hunk.target_start - 1
        lines[start : start + hunk.target_length] = [line.value.rstrip("\n") for line in hunk if not line.is_added]
    return "\n".join(lines)


def enclosing(fixed: str, path: str, hunk: Hunk) -> str:
    """Name of the function of the fixed file that a hunk of the gold patch ends in."""
    added = [line.target_line_no for line in hunk if line.is_added and line.target_line_no]
    place = added[0] if added else hunk.target_start + hunk.target_length // 2
    holder = holder_of(fixed, path, place)
    return last_name(holder) if holder else "main"


def holder_of(text: str, path: str, line: int) -> Function | None:
    """The innermost function that holds a line."""
    return next((f for f in reversed(functions_of(text, path)) if f.first_line <= line <= f.last_line), None)


def hunk_edit(broken: str, hunk: Hunk) -> tuple[str, str] | None:
    """SEARCH and REPLACE of one hunk's changed lines."""
    lines = list(hunk)
    touched = [index for index, line in enumerate(lines) if not line.is_context]
    part = lines[touched[0] : touched[-1] + 1]
    start = hunk.source_start + sum(not line.is_added for line in lines[: touched[0]])
    old, new = (
        "\n".join(line.value.rstrip("\n") for line in part if line.is_context or getattr(line, kind))
        for kind in ("is_removed", "is_added")
    )
    return edit_of(broken, start, old, new)
