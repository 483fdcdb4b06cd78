"""Changes that the bug does not need (appendix A.2): a bound on obfuscation.

An injector that rewrites code into something unreadable makes any bug hard. Taking code out hides nothing, so only
added lines count. Two bounds: `max_added_lines` holds for all of them; and once there are more than `max_idle_lines`,
each change (a run of changed lines, made as small as the texts allow) is reverted alone in the buggy state, and those
whose reversal changes no test's outcome may not add more lines than that. Small bugs cost no run.

What this cannot see: obfuscation inside the lines that the bug itself changes, and changes that need each other, whose
single reversals break the code; the first bound limits both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from unidiff.patch import Hunk, PatchSet

from ssr.game.case import Case, Failed
from ssr.game.testrun import State
from ssr.game.trees import Plan

MAX_REVERSALS = 16
"""Where there are more changes, neighbours that are smaller than their share are reverted together."""


def needless_change(case: Case) -> str:
    """After the paper's seven: the bug adds no more lines than allowed, and few that change nothing."""
    patches = PatchSet(case.bug.text)
    if patches.added > case.rules.max_added_lines:
        sentence = f"bug_inject.diff adds {patches.added} lines, not {case.rules.max_added_lines} or fewer"
        raise Failed("too_many_lines", sentence)
    allowed = case.rules.max_idle_lines
    if patches.added <= allowed:
        return f"lines added: {patches.added}"
    reversals = _reversals(patches)
    added, idle = (sum(reversal.added for reversal in part) for part in (reversals, _idle(case, reversals)))
    if idle > allowed:
        sentence = f"of {added} added lines {idle} change no test's outcome when they are reverted"
        raise Failed("idle_lines", f"{sentence}, not {allowed} or fewer")
    return f"lines added: {added}, of which change no test's outcome: {idle}"


@dataclass(frozen=True)
class _Reversal:
    """A part of a diff: applied in reverse to the whole diff's result, it takes that part alone back."""

    added: int
    diff: str


def _idle(case: Case, reversals: Sequence[_Reversal]) -> list[_Reversal]:
    """Those that change no outcome. What git cannot revert alone is taken for needed."""
    plan = Plan()
    for reversal in reversals:
        plan.start_from(case.chain.trees[1]).apply(reversal.diff, reverse=True)
    states = [State(tree) for tree in case.follow(plan).trees[1:]]
    case.start(states)
    steady = case.buggy.outcomes.keys() - case.set_aside
    kept = {test: case.buggy.outcomes[test] for test in steady}
    runs = [case.run(state).outcomes.items() for state in states]
    return [reversal for reversal, run in zip(reversals, runs, strict=False) if kept.items() <= run]


def _reversals(patches: PatchSet) -> list[_Reversal]:
    """The changes that add lines; small ones together with their neighbours, so that there are not too many."""
    hunks = {patch.target_file: [_Parts(hunk) for hunk in patch] for patch in patches}
    share = sum(part.added(number) for parts in hunks.values() for part in parts for number in part.adding)
    share = -(-share // MAX_REVERSALS)
    return [_reversal(name, parts, group) for name, parts in hunks.items() for group in _groups(parts, share)]


def _groups(parts: Sequence["_Parts"], share: int) -> Iterator[list[tuple[int, int]]]:
    """Changes of a file as (hunk, part): each that adds its share of lines is a group, and what stands between them."""
    group: list[tuple[int, int]] = []
    size = 0
    for hunk, number in ((hunk, number) for hunk, part in enumerate(parts) for number in part.adding):
        lines = parts[hunk].added(number)
        if group and (size >= share or lines >= share):
            yield group
            group, size = [], 0
        group.append((hunk, number))
        size += lines
    if group:
        yield group


def _reversal(name: str, parts: Sequence["_Parts"], group: list[tuple[int, int]]) -> _Reversal:
    texts = (part.text({number for hunk, number in group if hunk == place}) for place, part in enumerate(parts))
    name += "\t" * (" " in name)
    added = sum(parts[hunk].added(number) for hunk, number in group)
    return _Reversal(added, f"--- {name}\n+++ {name}\n{''.join(texts)}")


class _Parts:
    """A hunk as parts that are equal on both sides, or changed."""

    def __init__(self, hunk: Hunk) -> None:
        self._start = hunk.target_start
        self._old, self._new = _side(hunk, "+"), _side(hunk, "-")

    @cached_property
    def _parts(self) -> list[tuple[bool, list[str], list[str]]]:
        found = SequenceMatcher(None, self._old, self._new, autojunk=False).get_opcodes()
        return [(tag == "equal", self._old[a:b], self._new[c:d]) for tag, a, b, c, d in found]

    @property
    def adding(self) -> list[int]:
        """Numbers of the changed parts that add lines."""
        return [number for number, (equal, _, new) in enumerate(self._parts) if not equal and new]

    def added(self, number: int) -> int:
        """Lines that a part adds."""
        return len(self._parts[number][2])

    def text(self, chosen: set[int]) -> str:
        """The hunk with the chosen parts as its only changes, on top of all the others; empty without any."""
        if not chosen:
            return ""
        lines: list[str] = []
        for number, (_, old, new) in enumerate(self._parts):
            changed = [*(f"-{line}" for line in old), *(f"+{line}" for line in new)]
            lines += changed if number in chosen else [f" {line}" for line in new]
        sizes = [sum(not line.startswith(mark) for line in lines) for mark in "+-"]
        head = f"@@ -{self._start},{sizes[0]} +{self._start},{sizes[1]} @@\n"
        return head + "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def _side(hunk: Hunk, other: str) -> list[str]:
    """The lines of one side; one without an end has git's remark after it."""
    lines: list[str] = []
    kept = False
    for line in hunk:
        if line.line_type == "\\":
            if kept:
                lines[-1] += f"\\{line.value}"
            continue
        kept = line.line_type != other
        if kept:
            lines.append(line.value)
    return lines
