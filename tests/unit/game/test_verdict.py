"""The verdict (section 2.4): oracle tests are restored, the specified tests decide, no patch raises."""

import pytest
from game_bench import SLUG_WEAKENED, Bench, Edit

from ssr.config import GameConfig
from ssr.game.artifact import BugArtifact
from ssr.game.consistency import ConsistencyReport
from ssr.game.instance import Instance, instance_of
from ssr.game.verdict import Verdict, judge
from ssr.repository.snapshot import Snapshot

TEXT, TEST_TEXT = "pocket/text.py", "tests/test_text.py"
FIX = (TEXT, '"_".join', '"-".join')
BREAK_INITIALS = (TEXT, "word[0].upper()", "word[0]")


def verdict(bench: Bench, instance: Instance, patch: str, timeout_s: float = 60) -> Verdict:
    return judge(bench.backend, bench.snapshot, instance, patch, GameConfig(test_timeout_s=timeout_s))


def attempt(bench: Bench, instance: Instance, *edits: Edit) -> Verdict:
    """Verdict on a solver's edits of the buggy codebase."""
    on = [instance.bug_inject_diff, instance.test_weaken_diff]
    return verdict(bench, instance, bench.diff(*edits, on=on))


def test_gold_patch_solves(bench: Bench, instance: Instance) -> None:
    result = verdict(bench, instance, instance.patch)
    assert (result.solved, result.reason, result.applied) == (True, "solved", True)
    assert set(result.outcomes) == {*instance.FAIL_TO_PASS, *instance.PASS_TO_PASS}


def test_another_fix_solves(bench: Bench, instance: Instance) -> None:
    other = (TEXT, 'return "_".join(word.lower() for word in words)', 'return "-".join(words).lower()')
    assert attempt(bench, instance, other).solved


def test_patch_without_a_fix(bench: Bench, instance: Instance) -> None:
    result = attempt(bench, instance, ("pocket/new.py", "", "x = 1\n"))
    assert (result.solved, result.applied) == (False, True)
    assert result.reason == "tests_failed: of 5 tests not all pass"
    assert result.outcomes["test_slug"] == "failed"
    assert "not ok test_slug" in result.tail


def test_all_other_relevant_tests_must_pass_too(bench: Bench, instance: Instance) -> None:
    result = attempt(bench, instance, FIX, BREAK_INITIALS)
    assert not result.solved
    assert result.outcomes["test_slug"] == "passed"
    assert result.outcomes["test_initials"] == "failed"


def test_editing_oracle_tests_gains_nothing(bench: Bench, instance: Instance) -> None:
    body = 'def test_slug():\n    assert slug("Hello, big World!") != ""\n'
    assert not attempt(bench, instance, (TEST_TEXT, body, "def test_slug():\n    pass\n")).solved
    solved = attempt(bench, instance, FIX, (TEST_TEXT, body, "def test_slug():\n    assert False\n"))
    assert solved.solved


@pytest.mark.parametrize("command", ["git rm -qf {}", "git mv {} tests/other.py", "chmod +x {}"])
def test_deleting_or_moving_oracle_tests_gains_nothing(bench: Bench, instance: Instance, command: str) -> None:
    on = [instance.bug_inject_diff, instance.test_weaken_diff]
    patch = bench.shell_diff(command.format(TEST_TEXT) + "; touch tests/x", on)
    result = verdict(bench, instance, patch)
    assert (result.solved, result.applied, result.outcomes["test_slug"]) == (False, True, "failed")


def test_a_folder_in_the_place_of_an_oracle_test(bench: Bench, instance: Instance) -> None:
    on = [instance.bug_inject_diff, instance.test_weaken_diff]
    patch = bench.shell_diff(f"rm {TEST_TEXT}; mkdir {TEST_TEXT}; echo 1 > {TEST_TEXT}/__init__.py", on)
    assert verdict(bench, instance, patch).reason.startswith("tests_failed")


def test_weakened_tests_do_not_decide(bench: Bench, instance: Instance) -> None:
    """The weakened test passes in the buggy codebase; only the original test counts."""
    kept = attempt(bench, instance, (TEST_TEXT, SLUG_WEAKENED[2], '!= "x"'))
    assert kept.outcomes["test_slug"] == "failed"


@pytest.mark.parametrize(
    ("patch", "name"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("I fixed it.\n", "not_a_diff"),
        ("diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n", "binary"),
        ("--- /dev/null\n+++ b/.git/hooks/pre-commit\n@@ -0,0 +1 @@\n+x\n", "git_path"),
        ("--- /dev/null\n+++ b/../../tmp/x\n@@ -0,0 +1 @@\n+x\n", "outside_repository"),
        ("--- /tmp/x\n+++ /tmp/x\n@@ -0,0 +1 @@\n+x\n", "absolute_path"),
        ("diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/\n", "symlink"),
        ("diff --git a/s b/s\nnew file mode 160000\n--- /dev/null\n+++ b/s\n@@ -0,0 +1 @@\n+Subproject\n", "submodule"),
        ("--- a/pocket/text.py\n+++ b/pocket/text.py\n@@ -1,1 +1,1 @@\n-nothing like it\n+x\n", "does_not_apply"),
        ("--- a/pocket/gone.py\n+++ b/pocket/gone.py\n@@ -1,1 +1,1 @@\n-a\n+b\n", "does_not_apply"),
        (
            "diff --git a/{0} b/{0}\nnew file mode 100644\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n+x\n",
            "does_not_apply",
        ),
    ],
)
def test_refused_patches_are_not_solved(bench: Bench, instance: Instance, patch: str, name: str) -> None:
    result = verdict(bench, instance, patch.replace("{0}", "n" * 300))
    assert (result.solved, result.reason.split(":")[0], result.applied) == (False, name, False)
    assert result.outcomes == {}


def test_patch_larger_than_the_bound(bench: Bench, instance: Instance) -> None:
    result = judge(bench.backend, bench.snapshot, instance, instance.patch + "\n" * 2000, GameConfig(max_diff_kb=1))
    assert result.reason.startswith("too_large")


def test_the_bound_is_for_patches_and_not_for_the_weakening_that_came_with_the_bug(
    bench: Bench, instance: Instance
) -> None:
    longer = SLUG_WEAKENED[2] + "# left out\n" * 200
    weakening = bench.diff((*SLUG_WEAKENED[:2], longer), on=[instance.bug_inject_diff])
    told = instance.model_copy(update={"test_weaken_diff": weakening})
    other = bench.diff(
        (TEXT, 'return "_".join(word.lower() for word in words)', 'return "-".join(words).lower()'),
        on=[instance.bug_inject_diff, weakening],
    )
    assert judge(bench.backend, bench.snapshot, told, other, GameConfig(max_diff_kb=1)).reason == "solved"


def test_patch_that_hangs_the_tests(bench: Bench, instance: Instance) -> None:
    on = [instance.bug_inject_diff, instance.test_weaken_diff]
    patch = bench.diff((TEXT, "    words =", "    while True: pass\n    words ="), on=on)
    result = verdict(bench, instance, patch, timeout_s=2)
    assert (result.solved, result.reason.split(":")[0], result.applied) == (False, "timeout", True)


def test_patch_cannot_reach_the_original_through_git(bench: Bench, instance: Instance) -> None:
    steal = "import subprocess\n\nsubprocess.run(['git', 'checkout', 'ssr-original', '--', 'pocket'])\n"
    result = attempt(bench, instance, ("pocket/__init__.py", "", steal))
    assert (result.solved, result.outcomes["test_slug"]) == (False, "failed")


def test_real_pytest_suite(
    bench: Bench, valid_pytest: BugArtifact, report_pytest: ConsistencyReport, snapshot: Snapshot
) -> None:
    instance = instance_of(valid_pytest, report_pytest, snapshot, "direct", "pocket-2", "")
    assert verdict(bench, instance, instance.patch).solved
    half = verdict(bench, instance, instance.patch[: instance.patch.index("diff --git a/pocket/text.py")])
    assert half.reason == "tests_failed: of 25 tests not all pass"
    assert half.outcomes["tests/test_text.py::test_slug"] == "failed"


def test_the_reason_does_not_count_failing_tests(bench: Bench, instance: Instance) -> None:
    """With code that draws lots the number is another each time, and results are compared byte by byte."""
    one = attempt(bench, instance, ("pocket/new.py", "", "x = 1\n"))
    more = attempt(bench, instance, BREAK_INITIALS)
    assert list(one.outcomes.values()).count("failed") < list(more.outcomes.values()).count("failed")
    assert one.reason == more.reason
