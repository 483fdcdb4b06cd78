"""The functions that the demonstrator tries: in a large repository those that a test file calls, in a small one any."""

from dataclasses import replace

import pytest

from ssr.basemodel.corpus import Source
from ssr.basemodel.demonstrator import playable
from ssr.basemodel.dialects import JAVASCRIPT, PYTHON
from ssr.contracts import Strategy
from ssr.errors import RepositoryError
from ssr.play.choice import ENOUGH, something_to_play, within_reach
from ssr.play.engines import Scripted
from ssr.repository.snapshot import Snapshot
from ssr.selfplay.tasks import InjectionTask

BODY = "    left = value + 1\n    right = left * 2\n    return right - left\n"
"""Three lines at least, and something to change."""


def library(functions: int) -> Source:
    """Public functions that a test calls, each with a helper that none does; two classes with a method of one name."""
    made = [f"def rare(value):\n{BODY}"]
    made += [f"def public_{n}(value):\n{BODY}\n\ndef _helper_{n}(value):\n{BODY}" for n in range(functions)]
    method = BODY.replace("    ", "        ")
    same = "\n\n".join(f"class {name}:\n    def shared(self, value):\n{method}" for name in ("One", "Two"))
    calls = "\n".join(f"    assert lib.public_{n}(1) == public_{n}(2) == public_{n}(3)" for n in range(functions))
    others = "    assert lib.One().shared(1) == Two().shared(2) == Two().shared(3)\n    drawn(drawn(drawn(1)))\n"
    files = {
        "lib/code.py": "\n\n".join([*made, same]),
        "examples/plot.py": f"def drawn(value):\n{BODY}",
        "lib/tests/test_code.py": f"def test_all():\n{calls}\n{others}    assert rare(1)\n",
        "lib/tests/helpers.py": "_helper_1(1)\n" * 3,
    }
    return Source("library", files)


def chosen(source: Source) -> set[str]:
    kept, say = within_reach(source, PYTHON)
    return {function.name for function in kept.functions if playable(kept, function, "direct", say)}


def test_in_a_large_repository_only_what_a_test_file_calls_often_by_a_name_of_its_own_is_tried() -> None:
    names = chosen(library(3 * ENOUGH))
    assert len(names) > ENOUGH and all(name.startswith("public_") for name in names)


def test_a_small_repository_is_left_as_it_was() -> None:
    source = library(3)
    assert within_reach(source, PYTHON) == (source, PYTHON)
    assert any(name.startswith("_helper") for name in chosen(source))


def test_other_languages_are_left_as_they_were() -> None:
    source = library(3 * ENOUGH)
    assert within_reach(source, JAVASCRIPT) == (source, JAVASCRIPT)


@pytest.mark.parametrize(("files", "expected"), [({}, False), (library(3).files, True)])
def test_whether_there_is_anything_to_play(files: dict[str, str], expected: bool) -> None:
    assert something_to_play(Source("library", files), "direct", PYTHON) is expected


def test_where_no_strategy_finds_anything_it_is_said(snapshot: Snapshot) -> None:
    newest = replace(snapshot, releases=())

    def task(strategy: Strategy) -> InjectionTask:
        return InjectionTask("play-i000", "play", 0, 1, "pocket", strategy, 0, 0)

    with pytest.raises(RepositoryError, match=r"no function in pocket .* \(history\): name another --strategy"):
        Scripted(newest).injector([task("history")])
    assert set(Scripted(newest).injector([task("history"), task("direct")])) == {"play-i000"}
