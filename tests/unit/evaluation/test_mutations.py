"""Places and mutations: what is found in source text, and that every mutation is a different, parsing program."""

import ast
import json
import textwrap
from pathlib import Path

import pytest

from ssr.repository.mutations import RECOVERABLE, Mutation, mutations_of
from ssr.repository.places import functions_of

SOURCE = '''\
import re


class Shelf:
    """Holds things."""

    def __init__(self, size=3):
        self.size = size
        self.things = []

    @property
    def full(self):
        return len(self.things) >= self.size

    def add(self, thing, *, twice=False):
        """Put a thing on the shelf."""
        if self.full:
            raise ValueError("the shelf is full")
        self.things.append(thing)
        if twice and not self.full:
            self.things.append(thing)
        return self


def clamp(value: int, low: int, high: int) -> int:
    def inner(one):
        return max(one, low)

    return min(inner(value), high)
'''


def mutations(source: str = SOURCE) -> list[Mutation]:
    return [mutation for function in functions_of(source, "shelf.py") for mutation in mutations_of(source, function)]


def changes(kind: str, source: str = SOURCE) -> set[tuple[str, str]]:
    return {(m.before.strip(), m.after.strip()) for m in mutations(source) if m.kind == kind}


def test_functions_are_found_with_qualified_names_and_lines() -> None:
    found = {function.name: function for function in functions_of(SOURCE, "shelf.py")}
    assert list(found) == ["Shelf.__init__", "Shelf.full", "Shelf.add", "clamp"]
    assert (found["Shelf.full"].first_line, found["Shelf.full"].last_line) == (11, 13)
    assert found["Shelf.full"].source.startswith("    @property\n    def full")
    assert [f.bare_name for f in found.values()] == ["Shelf", "full", "add", "clamp"]


def test_a_file_of_another_syntax_has_no_functions() -> None:
    assert functions_of("print 'old'\n", "old.py") == []


def test_the_catalogue_reaches_statements_and_expressions() -> None:
    assert ("return len(self.things) >= self.size", "return len(self.things) > self.size") in changes("comparison")
    assert ("self.things.append(thing)", "") in changes("drop_statement")
    assert ("if twice and not self.full:", "if twice:") in changes("drop_clause")
    assert ("if twice and not self.full:", "if twice and self.full:") in changes("negation")
    assert ("def __init__(self, size=3):", "def __init__(self, size=2):") in changes("off_by_one")
    assert ("return max(one, low)", "return min(one, low)") in changes("sibling")
    assert ("return min(inner(value), high)", "return min(high, inner(value))") in changes("swap_arguments")
    assert ("def add(self, thing, *, twice=False):", "def add(self, thing, *, twice=True):") in changes("truth")
    guard = 'if self.full:\n            raise ValueError("the shelf is full")'
    assert (guard, "") in changes("drop_guard")


def test_a_dropped_only_statement_leaves_pass() -> None:
    assert ("items.clear()", "pass") in changes("drop_statement", "def f(items):\n    items.clear()\n")


def test_docstrings_annotations_and_decorators_stay() -> None:
    for mutation in mutations():
        assert '"""' not in mutation.before
        assert "@property" not in mutation.before
        assert "value: int, low: int, high: int) -> int" not in mutation.before


@pytest.mark.parametrize("module", [json.decoder.__file__, textwrap.__file__])
def test_every_mutation_parses_and_differs(module: str) -> None:
    source = Path(module).read_text()
    original = ast.dump(ast.parse(source))
    found = mutations(source)
    assert len(found) > 50
    assert len({(m.line, m.before, m.after) for m in found}) == len(found)
    for mutation in found[::17]:
        assert ast.dump(ast.parse(mutation.apply(source))) != original


def test_columns_are_bytes_and_lines_are_those_of_the_file() -> None:
    source = 'x = 1\n\n\ndef größe(ü):\n    return "äöü", ü + 1\n'
    mutated = {m.apply(source) for m in mutations(source)}
    assert source.replace("ü + 1", "ü - 1") in mutated


def test_a_mutation_of_other_text_is_refused() -> None:
    mutation = mutations()[0]
    with pytest.raises(ValueError, match="line"):
        mutation.apply("x = 1\n" + SOURCE)
    with pytest.raises(ValueError, match="not from this text"):
        mutations_of("x = 1\n" + SOURCE, functions_of(SOURCE, "shelf.py")[0])


def test_what_a_removal_is() -> None:
    removals = {(m.before.strip(), m.after.strip()) for m in mutations() if m.removes}
    assert ("if twice and not self.full:", "if twice and self.full:") in removals
    assert ("return len(self.things) >= self.size", "return len(self.things) > self.size") in removals
    assert ("self.things.append(thing)", "") in removals
    assert ("if self.full:", "if not self.full:") not in removals
    assert ("return max(one, low)", "return min(one, low)") not in removals


def test_what_is_recoverable_has_a_counterpart_that_undoes_it() -> None:
    """Where only an operator, a constant or a name became another, some mutation of the result gives the text back."""
    pairs = [m for m in mutations() if m.kind in {"comparison", "boolean", "truth", "sibling"}]
    assert pairs
    assert {m.kind for m in pairs} <= RECOVERABLE
    for mutation in pairs:
        broken = mutation.apply(SOURCE)
        assert SOURCE in {again.apply(broken) for again in mutations(broken)}
