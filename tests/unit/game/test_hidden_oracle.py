"""Hidden oracle tests: the solver is shown a part of the weakened tests, the verdict asks for all."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from game_bench import CLAMP_BUG, CLAMP_REMOVED, SLUG_BUG, SLUG_WEAKENED, Bench

from ssr.config import Scale
from ssr.game.artifact import BugArtifact
from ssr.game.codebase import open_codebase
from ssr.game.diffs import reverse
from ssr.game.hidden_oracle import split_oracle
from ssr.game.instance import Instance
from ssr.game.verdict import judge
from ssr.selfplay.artifacts import Submitted
from ssr.selfplay.held_out import HeldOut
from ssr.selfplay.validate import validate

Git = Callable[..., str]
LINES = [f"line {number}\n" for number in range(60)]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """git in an empty repository, with a text on its stdin."""

    def run(*arguments: str, given: str = "") -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        done = subprocess.run(command, cwd=tmp_path, input=given.encode(), capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    run("init", "-q")
    return run


@pytest.fixture
def weakening(git: Git, tmp_path: Path) -> str:
    """A diff of six hunks over four files; afterwards the files hold the weakened tests."""
    (tmp_path / "long.txt").write_text("".join(LINES) + "no newline")
    (tmp_path / "gone.txt").write_text("one\ntwo\n")
    (tmp_path / "odd name.txt").write_bytes(b"a\rb\n\fc\n")
    (tmp_path / "tool.sh").write_text("true\n")
    git("add", ".")
    git("commit", "-qm", "tests")
    changed = list(LINES)
    changed[40:43] = ["other\n"]
    changed[20] = "".join(f"more {number}\n" for number in range(9))
    del changed[2]
    (tmp_path / "long.txt").write_text("".join(changed) + "changed")
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "odd name.txt").write_bytes(b"a\rb\n\fd\n")
    (tmp_path / "tool.sh").chmod(0o755)
    git("add", "--all")
    diff = git("diff", "--cached", "-U2")
    git("commit", "-qm", "weakened")
    return diff


def hunks(diff: str) -> list[str]:
    """The lines of each hunk, without their numbers."""
    parts = (part.partition("@@")[2].partition("diff --git")[0] for part in diff.split("\n@@ ")[1:])
    return sorted(part.rstrip("\n") for part in parts)


@pytest.mark.parametrize(("fraction", "number"), [(0.01, 1), (0.2, 2), (0.5, 3), (0.51, 4), (1.0, 5)])
def test_the_share_of_hunks_is_hidden_and_both_parts_are_whole_diffs(
    git: Git, weakening: str, fraction: float, number: int
) -> None:
    whole = reverse(weakening)
    shown, hidden = split_oracle(whole, fraction, "bug-1")
    assert len(hunks(whole)) == 6
    assert (len(hunks(shown)), len(hunks(hidden))) == (6 - number, number)
    assert sorted(hunks(shown) + hunks(hidden)) == hunks(whole)
    assert "old mode" in shown and "tool.sh" not in hidden
    for part in (shown, hidden):
        git("apply", "--check", "--index", "-", given=part)
    git("apply", "--index", "-", given=shown)
    assert [header(line) for line in shown.splitlines() if line.startswith("@@")] == [
        header(line) for line in git("diff", "--cached", "-U2").splitlines() if line.startswith("@@")
    ]
    git("apply", "--index", "-", given=hidden)
    assert git("diff", "--cached", "HEAD~1") == ""


def header(line: str) -> tuple[str, ...]:
    """Line numbers of a hunk as git counts them: a single line has no count."""
    return tuple(number if "," in number else f"{number},1" for number in line.split()[1:3])


def test_nothing_is_hidden_by_default_or_of_one_hunk(weakening: str) -> None:
    whole = reverse(weakening)
    assert split_oracle(whole, 0.0, "bug-1") == (whole, "")
    one = reverse("--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-a\n+b\n")
    assert split_oracle(one, 1.0, "bug-1") == (one, "")
    assert split_oracle("", 1.0, "bug-1") == ("", "")


def test_the_draw_depends_on_the_bug_alone(weakening: str) -> None:
    whole = reverse(weakening)
    draws = {name: split_oracle(whole, 0.5, name) for name in ("a", "b", "c", "d", "e")}
    assert draws == {name: split_oracle(whole, 0.5, name) for name in draws}
    assert len(set(draws.values())) > 1


@pytest.fixture
def instance(bench: Bench, valid_pytest: BugArtifact) -> Instance:
    """The bug of two files and two weakened tests, one of them hidden, as the stage of validation makes it."""
    place = {"episode_id": "pocket-h", "run": "ssr", "seed": 0, "generation": 1, "repo": "pocket", "strategy": "direct"}
    scale = Scale.model_validate(
        {
            "name": "hidden",
            "repositories": "none.yaml",
            "model": {"base": "none"},
            "runs": {"ssr": {}},
            "game": bench.rules.model_dump() | {"hidden_oracle_fraction": 0.5},
        }
    )
    submitted = [Submitted(place, valid_pytest)]
    _, (made,) = validate(submitted, bench.backend, {"pocket": bench.snapshot}, scale, HeldOut([]))
    return made


def test_the_solver_sees_one_part_and_the_verdict_asks_for_all(bench: Bench, instance: Instance) -> None:
    clamp_is_hidden = "clamp" in instance.hidden_test_patch
    removed, weakened = CLAMP_REMOVED[1].split("\n")[0], SLUG_WEAKENED[1]
    assert (removed in instance.problem_statement, weakened in instance.problem_statement) == (
        not clamp_is_hidden,
        clamp_is_hidden,
    )
    sandbox = open_codebase(bench.backend, bench.snapshot, instance)
    try:
        assert removed not in sandbox.read_file("tests/test_numbers.py").decode()
        assert weakened not in sandbox.read_file("tests/test_text.py").decode()
    finally:
        sandbox.close()
    fixes = [bench.diff((path, new, old), on=[instance.bug_inject_diff]) for path, old, new in (CLAMP_BUG, SLUG_BUG)]
    shown_only = fixes[1] if clamp_is_hidden else fixes[0]
    assert not judge(bench.backend, bench.snapshot, instance, shown_only).solved
    assert judge(bench.backend, bench.snapshot, instance, "".join(fixes)).solved
