"""Texts of a commit, diffs between texts, and test functions cut out of a test file."""

import subprocess
from pathlib import Path

import pytest

from ssr.errors import EvaluationError
from ssr.evaluation.sources import cut_tests, diff_of, is_test_path, read_sources, return_before
from ssr.game.diffs import reverse
from ssr.repository.snapshot import Snapshot

TESTS = '''\
import pytest


@pytest.mark.parametrize("x", [1, 2])
def test_one(x):
    assert x


class TestTwo:
    """Two."""

    def test_a(self):
        pass

    def test_b(self):
        pass


class TestThree:
    def test_c(self):
        pass
'''


def test_code_and_tests_are_told_apart(snapshot: Snapshot) -> None:
    sources = read_sources(snapshot, snapshot.head)
    assert set(sources.code) == {"pocket/__init__.py", "pocket/numbers.py", "pocket/store.py", "pocket/text.py"}
    assert set(sources.tests) == {"tests/test_numbers.py", "tests/test_store.py", "tests/test_text.py"}
    assert is_test_path("pkg/tests/helper.py") and not is_test_path("pkg/contest.py")
    with pytest.raises(EvaluationError, match="cannot read commit"):
        read_sources(snapshot, "f" * 40)


def test_cut_functions_vanish_with_their_decorators() -> None:
    text = cut_tests(TESTS, ["test_one", "TestTwo.test_a"])
    assert text is not None
    assert "parametrize" not in text and "test_a" not in text
    assert "test_b" in text and "test_c" in text


def test_a_class_that_loses_all_tests_keeps_a_body() -> None:
    text = cut_tests(TESTS, ["TestThree.test_c"])
    assert text is not None and text.endswith("class TestThree:\n    pass\n")


def test_an_inherited_test_is_hidden_by_its_class() -> None:
    text = cut_tests(TESTS, ["TestThree.test_c", "TestThree.test_inherited", "TestTwo.test_shared"])
    assert text is not None
    assert text.endswith("class TestThree:\n    pass\n    test_inherited = None\n")
    assert "    def test_b(self):\n        pass\n    test_shared = None\n" in text


def test_a_test_that_is_not_written_there_cannot_be_cut() -> None:
    assert cut_tests(TESTS, ["test_generated"]) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\nc\n", "a\nc\n"),
        ("a\nb", "a\nb\n"),
        ("a\n", "a\nb"),
        (None, "new\n"),
        ("old\n", None),
        ("a\fb\n\x0bc\n", "a\fb\n\x0bd\n"),
    ],
)
def test_diffs_apply_with_git_both_ways(tmp_path: Path, before: str | None, after: str | None) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    path = tmp_path / "x.py"
    if before is not None:
        path.write_text(before)
    diff = diff_of({"x.py": before}, {"x.py": after})
    for patch, expected in ((diff, after), (reverse(diff), before)):
        subprocess.run(["git", "apply", "-"], input=patch.encode(), cwd=tmp_path, check=True)
        assert (path.read_text() if path.exists() else None) == expected


@pytest.mark.parametrize("context", [1, 3])
def test_a_return_before_what_fails_is_the_diff_that_git_prints(tmp_path: Path, context: int) -> None:
    numbers = [number for number, line in enumerate(TESTS.split("\n"), start=1) if line.strip() in ("assert x", "pass")]
    weak = return_before(TESTS, numbers[:2] + numbers[-1:])
    assert weak is not None and weak.count("return\n") == 3
    assert weak.endswith("    def test_c(self):\n        return\n        pass\n")
    for folder, text in (("a", TESTS), ("b", weak)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t.py").write_text(text)
    command = ["git", "diff", "--no-index", "--no-prefix", f"-U{context}", "a/t.py", "b/t.py"]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    lines = [line for line in printed.splitlines() if not line.startswith(("diff", "index"))]
    assert lines == diff_of({"t.py": TESTS}, {"t.py": weak}, context).splitlines()[1:]


def test_a_return_where_none_can_stand_is_refused() -> None:
    assert return_before("x = [\n    1,\n]\n", [2]) is None
