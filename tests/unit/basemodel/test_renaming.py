import ast
import keyword
import random

from hypothesis import given
from hypothesis import strategies as st

from ssr.basemodel.renaming import KEPT, identifiers_of, renamed
from ssr.repository.places import Function, functions_of

METHOD = Function(
    "a.py",
    "Cache.pop",
    7,
    10,
    "    def pop(self, key, default=None):\n        if key in self.data:\n"
    "            return self.data.pop(key, 'key')\n        return default + 17",
)
NAMES = ["alpha", "beta_two", "gamma3", "delta", "_hidden", "Big", "CONSTANT"]


def shape(source: str) -> str:
    """A function's syntax tree without its names and small numbers."""
    tree = ast.parse(f"if True:\n{source}" if source.startswith(" ") else source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Global | ast.Nonlocal):
            node.names = ["x"] * len(node.names)
        if isinstance(node, ast.MatchClass):
            node.kwd_attrs = ["x"] * len(node.kwd_attrs)
        for field in ("id", "attr", "arg", "name", "asname", "module", "rest"):
            if isinstance(getattr(node, field, None), str) and getattr(node, field) not in KEPT:
                setattr(node, field, "x")
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and 1 < node.value < 1000:
            node.value = 2
    return ast.dump(tree)


@given(st.integers(0, 10_000))
def test_a_name_becomes_one_new_name_everywhere_outside_strings(seed: int) -> None:
    new = renamed(METHOD, NAMES, random.Random(seed))
    assert new is not None
    assert shape(new.source) == shape(METHOD.source)
    assert "'key'" in new.source and "self" in new.source and ".pop(" in new.source
    words = ast.parse(f"if True:\n{new.source}").body[0].body[0]  # type: ignore[attr-defined]
    assert words.name == new.name.rpartition(".")[2] == "pop"
    key = words.args.args[1].arg
    assert key in NAMES and f"if {key} in self." in new.source and f".pop({key}, 'key')" in new.source


def test_classes_that_the_text_does_not_name_are_named_anew() -> None:
    owners = {new.name for seed in range(30) if (new := renamed(METHOD, NAMES, random.Random(seed)))}
    assert owners == {"Big.pop"}


def test_draws_differ_and_repeat() -> None:
    texts = [str(renamed(METHOD, NAMES, random.Random(seed))) for seed in range(30)]
    assert len(set(texts)) > 10
    assert texts == [str(renamed(METHOD, NAMES, random.Random(seed))) for seed in range(30)]


def test_real_functions_keep_their_shape_and_can_be_mutated(library: list[Function]) -> None:
    names = identifiers_of(library, 2000)
    rng = random.Random(1)
    made = [(f, new) for f in library if (new := renamed(f, names, rng)) is not None]
    assert len(made) > 150
    assert not set(names) & {*KEPT, *keyword.kwlist}
    for old, new in made:
        assert shape(new.source) == shape(old.source)
        text = "\n" * (new.first_line - 1) + ("if True:\n" if new.source[0] == " " else "") + new.source
        assert functions_of(text, new.path)
    assert sum(new.source != old.source for old, new in made) > 140
