"""Places in source text where a bug can be made, by language. Text is parsed here, never executed."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ssr.repository import javascript
from ssr.seeds import seed_of

Share = Literal["builtin-verified", "builtin-pro", "builtin-tuning", "builtin-bugs", "training"]
SHARES: tuple[tuple[int, Share], ...] = (
    (24, "builtin-verified"),
    (30, "builtin-bugs"),
    (50, "builtin-pro"),
    (58, "builtin-tuning"),
    (100, "training"),
)
"""Upper ends, in percent of the functions, of the shares."""
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Function:
    """A function or method that is not nested in another function: file and qualified name are its place."""

    path: str
    name: str
    """Qualified by its classes, e.g. `Cache.pop`."""
    first_line: int
    """1-based, decorators included."""
    last_line: int
    source: str
    """Its whole lines, indentation kept, without a final newline."""

    @property
    def bare_name(self) -> str:
        """The name as a caller writes it, e.g. `pop`; a constructor goes by its class."""
        parts = self.name.split(".")
        return parts[-2] if parts[-1] in ("__init__", "__new__") and len(parts) > 1 else parts[-1]


def functions_of(source: str, path: str) -> list[Function]:
    """Functions and methods of one file, in order; none where the text is not the syntax of its language.

    A file is JavaScript by its suffix, any other one is Python.
    """
    if path.endswith(javascript.SUFFIXES):
        lines = source.split("\n")
        spans = [(span.name, span.first_line, span.last_line) for span in javascript.spans(source)]
        return [Function(path, name, first, last, "\n".join(lines[first - 1 : last])) for name, first, last in spans]
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    lines = source.split("\n")
    found = []
    for name, node in _definitions(module, ""):
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        last = node.end_lineno or node.lineno
        found.append(Function(path, name, first, last, "\n".join(lines[first - 1 : last])))
    return found


def parse_function(function: Function) -> FunctionNode:
    """The function's syntax tree; line numbers are those of `function.source` plus `line_shift(function)`."""
    wrapped = "if True:\n" + function.source if line_shift(function) else function.source
    statement = ast.parse(wrapped).body[0]
    node = statement.body[0] if isinstance(statement, ast.If) else statement
    if not isinstance(node, FunctionNode):
        raise ValueError(f"{function.path}: {function.name} is not the source of a function")
    return node


def line_shift(function: Function) -> int:
    """1 where the function stands indented, so that it parses only under a line of its own."""
    return int(function.source[:1] in (" ", "\t"))


def _definitions(parent: ast.AST, prefix: str) -> Iterator[tuple[str, FunctionNode]]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, FunctionNode):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _definitions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            yield from _definitions(node, prefix)


def share_of(repository: str, function: Function) -> Share:
    """Which side of the fixed split a function falls on, in every release of its repository.

    Built-in benchmarks, the tuning set and the bugs that are held out are made in their own shares alone; the base
    model's drills and the baseline's issues only ever mutate the rest.
    """
    draw = seed_of("share", repository, function.name) % 100
    return next(share for end, share in SHARES if draw < end)
