"""Decontamination: a bug whose changed lines are lines that a held-out task asks for is not played."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from unidiff import Hunk, PatchSet

from ssr.game.instance import Instance

HELD_OUT = "held_out"
"""Recorded as the check of a bug that is consistent but touches a held-out task: neither played nor rewarded."""
DISTINCTIVE = 12
"""Characters a line needs to be recognised in another commit, where line numbers say nothing."""


@dataclass(frozen=True)
class Line:
    """A line of an original that a bug changes, or before which it puts new lines."""

    repo: str
    path: str
    commit: str
    number: int
    text: str


class HeldOut:
    """The lines of the originals that the held-out tasks' gold patches bring back."""

    def __init__(self, tasks: Iterable[Instance]) -> None:
        lines = [line for task in tasks for line in changed_lines(task.bug_inject_diff, task.repo, task.base_commit)]
        self._places = {(line.repo, line.commit, line.path, line.number) for line in lines}
        self._commits: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
        for line in lines:
            if len(line.text) >= DISTINCTIVE:
                self._commits[line.repo, line.path, line.text].add(line.commit)

    def holds(self, diff: str, repo: str, commit: str) -> bool:
        """Whether a bug_inject.diff of an original changes a line of a held-out task of the same file.

        In the same commit a line is known by its number, in another one by its text.
        """
        return any(self._known(line) for line in changed_lines(diff, repo, commit))

    def _known(self, line: Line) -> bool:
        if (line.repo, line.commit, line.path, line.number) in self._places:
            return True
        return bool(self._commits.get((line.repo, line.path, line.text), set()) - {line.commit})


def changed_lines(diff: str, repo: str, commit: str) -> Iterator[Line]:
    """The original's lines that a diff takes out; where it only adds, the line that the new ones follow."""
    for patch in PatchSet(diff):
        for hunk in patch:
            for number, text in _changed(hunk):
                yield Line(repo, patch.path, commit, number, text.strip())


def _changed(hunk: Hunk) -> Iterator[tuple[int, str]]:
    before = hunk.source_start - 1
    last_kind = " "
    for line in hunk:
        if line.is_removed and line.source_line_no:
            yield line.source_line_no, line.value
        elif line.is_added and last_kind == " ":
            yield before, ""
        before = line.source_line_no or before
        last_kind = line.line_type
