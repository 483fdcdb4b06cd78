"""Functions under other names: what a model saw once it cannot know by heart, so it learns to copy what it reads."""

import builtins
import io
import keyword
import random
import tokenize
from collections.abc import Sequence
from dataclasses import replace

from ssr.repository.places import Function, functions_of

KEPT = frozenset(
    [*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "self", "cls"]
    + [name for kind in (str, bytes, list, dict, set, tuple, int, float) for name in dir(kind)]
)
"""Names that mean something in every program."""
MAX_LINE = 100


def identifiers_of(functions: Sequence[Function], limit: int) -> list[str]:
    """Names used in the functions' text, in the order seen, each once, at most `limit`."""
    found: dict[str, None] = {}
    for function in functions:
        for token in _tokens(function.source):
            if token.type == tokenize.NAME and token.string not in KEPT and len(token.string) > 1:
                found.setdefault(token.string)
        if len(found) >= limit:
            break
    return list(found)[:limit]


def renamed(function: Function, names: Sequence[str], rng: random.Random) -> Function | None:
    """The function with every name of its own, and its small numbers, drawn anew; None if a line grows too long.

    Its classes are named anew, too. The same name becomes the same name everywhere outside strings, so the text keeps
    its meaning as far as it had one.
    """
    mapping: dict[str, str] = {}
    lines = function.source.split("\n")
    for token in reversed(_tokens(function.source)):
        new = _replacement(token, mapping, names, rng)
        if new != token.string:
            (row, start), (_, end) = token.start, token.end
            lines[row] = lines[row][:start] + new + lines[row][end:]
    if max(map(len, lines)) >= MAX_LINE:
        return None
    owner, dot, last = function.name.rpartition(".")
    outer = ".".join(_new_name(part, mapping, names, rng) for part in owner.split("."))
    source = "\n".join(lines)
    again = replace(function, name=f"{outer}{dot}{mapping.get(last, last)}", source=source)
    return again if _parses(again) else None


def _tokens(source: str) -> list[tokenize.TokenInfo]:
    """Tokens of a function, rows from 0; an indented one is read below a line of its own."""
    indented = source[:1] in (" ", "\t")
    text = f"if True:\n{source}\n" if indented else f"{source}\n"
    shift = 2 if indented else 1
    return [
        token._replace(start=(token.start[0] - shift, token.start[1]), end=(token.end[0] - shift, token.end[1]))
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.start[0] >= shift
    ]


def _replacement(token: tokenize.TokenInfo, mapping: dict[str, str], names: Sequence[str], rng: random.Random) -> str:
    text = token.string
    if token.type == tokenize.NUMBER and text.isdigit() and len(text) < 4 and text not in ("0", "1"):
        return str(rng.randint(2, 99))
    if token.type != tokenize.NAME or text in KEPT or (text.startswith("__") and text.endswith("__")):
        return text
    return _new_name(text, mapping, names, rng)


def _new_name(old: str, mapping: dict[str, str], names: Sequence[str], rng: random.Random) -> str:
    if old and old not in mapping:
        mapping[old] = _fresh(old, set(mapping.values()), names, rng)
    return mapping.get(old, old)


def _fresh(old: str, taken: set[str], names: Sequence[str], rng: random.Random) -> str:
    """A name of the same kind (private, constant, class, plain) that is not in use."""
    for _ in range(30):
        new = rng.choice(names)
        if new not in taken and (new[0] == "_", new[:1].isupper(), new.isupper()) == (
            old[0] == "_",
            old[:1].isupper(),
            old.isupper(),
        ):
            return new
    return old


def _parses(function: Function) -> bool:
    text = f"if True:\n{function.source}\n" if function.source[:1] in (" ", "\t") else function.source
    return len(functions_of(text, function.path)) == 1
