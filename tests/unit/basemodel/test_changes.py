import random
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ssr.agent.formats import FORMATS, ToolCall
from ssr.basemodel import actions
from ssr.basemodel.breaking import choose_mutation
from ssr.basemodel.changes import change_of, substituted, words_of
from ssr.repository.places import Function

TWO = """\
def one(a):
    if a > 0 and a > 1:
        return a
    return not a


def two(a):
    if a > 0:
        return a + 1
"""


def test_the_words_change_one_line_of_one_function() -> None:
    assert words_of(TWO, "two", 8, "    if a > 0:", "    if a >= 0:") == (" a >", " a >=")
    assert words_of(TWO, "one", 3, "        return a", "        return None") == ("return a", "return None")
    assert words_of(TWO, "one", 4, "    return not a", "    return a") == ("return not", "return")
    assert words_of(TWO.replace("not a", "a"), "one", 4, "    return a", "    return None") is None  # line 3, too
    assert words_of(TWO, "one", 2, "    if a > 0 and a > 1:", "") is None


def test_words_that_sed_would_take_for_something_else_are_not_used() -> None:
    assert substituted(["def f(a):", "    a[0]"], "f", "a[0]", "a[1]") is None
    assert substituted(["def f(a):", "    a"], "f", "a", "a & b") is None


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from([*TWO.split("\n"), "    def two(self):", "        a.b = a"]), max_size=14),
    st.text("ab .>", min_size=1, max_size=4),
)
def test_lines_are_substituted_as_the_command_does(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], old: str
) -> None:
    expected = substituted(lines, "two", old, "new")
    assume(expected is not None)
    folder = tmp_path_factory.mktemp("substituted")
    (folder / "a.py").write_text("".join(f"{line}\n" for line in lines))
    run(actions.substitute_command("a.py", "two", old, "new"), folder)
    assert (folder / "a.py").read_text().split("\n")[:-1] == expected


def test_a_change_and_its_mistakes_say_what_the_tools_answer(library: list[Function], tmp_path: Path) -> None:
    rng, kinds = random.Random(4), set()
    for function in library:
        text = "\n" * (function.first_line - 1) + function.source + "\n"
        mutation = choose_mutation(text, function, rng, bool)
        change = mutation and change_of(text, function, mutation.line, mutation.before, mutation.after, rng)
        if mutation is None or change is None or change.words is None:
            continue
        (tmp_path / function.path).parent.mkdir(exist_ok=True, parents=True)
        for turn, answer in filter(None, (change.mistake(rng, ["other", "names"]), change.turn())):
            (tmp_path / function.path).write_text(text)
            assert run(command_of(turn), tmp_path).removesuffix("\n") == answer
            changed = (tmp_path / function.path).read_text() != text
            kinds.add(changed)
        assert (tmp_path / function.path).read_text() == mutation.apply(text)
    assert kinds == {True, False}


def test_half_of_the_changes_that_words_can_say_are_made_by_words(library: list[Function]) -> None:
    rng, by_words, whole = random.Random(4), 0, 0
    for function in library:
        text = "\n" * (function.first_line - 1) + function.source + "\n"
        mutation = choose_mutation(text, function, rng, bool)
        change = mutation and change_of(text, function, mutation.line, mutation.before, mutation.after, rng)
        by_words += bool(change and change.words)
        whole += bool(change and change.words is None)
    assert 0.15 < by_words / (by_words + whole) < 0.5


def command_of(turn: str) -> str:
    call = FORMATS["cwm"].parse(turn)
    assert isinstance(call, ToolCall) and re.match("bash", call.name)
    return call.arguments["command"]


def run(command: str, folder: Path) -> str:
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=folder, check=True).stdout
