"""Small bugs that a reader of the function could undo: a fixed catalogue of changes to one statement or expression."""

import ast
from dataclasses import dataclass

from ssr.repository import javascript
from ssr.repository.mutation_rules import Edit, edits_of
from ssr.repository.places import Function, line_shift, parse_function

RECOVERABLE = frozenset(
    {
        "comparison", "boolean", "negation", "arithmetic", "truth", "off_by_one", "sign", "sibling", "return_value",
        "swap_branches", "jump", "plain_assignment", "slice",
    }
)  # fmt: skip
"""Kinds that a reader of the function can undo: an operator, a constant or a name became its counterpart. What the
other kinds drop, or the order that they change, stands nowhere."""


@dataclass(frozen=True)
class Mutation:
    """One change of whole lines of a function."""

    path: str
    function: str
    """Qualified name."""
    line: int
    """First changed line of the file, 1-based."""
    kind: str
    before: str
    """The old lines, without a final newline."""
    after: str
    """The new lines; empty where a statement is removed."""

    @property
    def recoverable(self) -> bool:
        """Whether a reader of the function can tell the old text from the new one."""
        return self.kind in RECOVERABLE

    @property
    def one_line(self) -> bool:
        """Whether one line becomes another one."""
        return "\n" not in self.before + self.after and self.after != ""

    @property
    def removes(self) -> bool:
        """Whether the new lines are the old ones with something taken out, and nothing put in."""
        left = iter("".join(self.before.split()))
        return all(character in left for character in "".join(self.after.split()))

    def apply(self, source: str) -> str:
        """The file's text with the change made. Raises ValueError if the old lines do not stand there."""
        lines = source.split("\n")
        old = self.before.split("\n")
        place = slice(self.line - 1, self.line - 1 + len(old))
        if lines[place] != old:
            raise ValueError(f"{self.path}: line {self.line} is not what the mutation of {self.function} expects")
        lines[place] = self.after.split("\n") if self.after else []
        return "\n".join(lines)


def mutations_of(source: str, function: Function) -> list[Mutation]:
    """Every catalogued mutation of a function of `source`, in the order of its text; each result parses and differs.

    In JavaScript, which is only scanned, brackets stay balanced. Decorators, annotations, docstrings and the insides of
    strings stay as they are. Raises ValueError if the function is not one of `source`.
    """
    if "\n".join(source.split("\n")[function.first_line - 1 : function.last_line]) != function.source:
        raise ValueError(f"{function.path}: {function.name} is not from this text")
    if function.path.endswith(javascript.SUFFIXES):
        edits = javascript.edits(source, function.first_line, function.last_line)
        return [Mutation(function.path, function.name, e.line, e.kind, e.before, e.after) for e in edits]
    text = _Text(function)
    found: dict[tuple[int, str, str], Mutation] = {}
    for edit in edits_of(parse_function(function), text.segment):
        mutation = text.mutation(edit)
        if mutation is not None:
            found.setdefault((mutation.line, mutation.before, mutation.after), mutation)
    return sorted(found.values(), key=lambda mutation: mutation.line)


class _Text:
    """A function's source, addressed by the positions of its syntax tree (lines from 1, columns in UTF-8 bytes)."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.shift = line_shift(function)
        self.lines = function.source.encode().split(b"\n")

    def segment(self, start: tuple[int, int], end: tuple[int, int]) -> str:
        first, last = start[0] - 1 - self.shift, end[0] - 1 - self.shift
        if first == last:
            return self.lines[first][start[1] : end[1]].decode()
        middle = self.lines[first + 1 : last]
        return b"\n".join([self.lines[first][start[1] :], *middle, self.lines[last][: end[1]]]).decode()

    def mutation(self, edit: Edit) -> Mutation | None:
        first, last = edit.start[0] - 1 - self.shift, edit.end[0] - 1 - self.shift
        old = b"\n".join(self.lines[first : last + 1])
        head, tail = self.lines[first][: edit.start[1]], self.lines[last][edit.end[1] :]
        new = head + edit.text.encode() + tail
        if not new.strip():
            new = b""
        if new == old or not self._parses([*self.lines[:first], *([new] if new else []), *self.lines[last + 1 :]]):
            return None
        line = self.function.first_line + first
        return Mutation(self.function.path, self.function.name, line, edit.kind, old.decode(), new.decode())

    def _parses(self, lines: list[bytes]) -> bool:
        try:
            ast.parse(b"\n".join([b"if True:"] * self.shift + lines))
        except (SyntaxError, ValueError):
            return False
        return True
