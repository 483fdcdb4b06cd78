"""Tests that do not keep their outcome: set aside, and an artifact whose evidence is made of them fails by name."""

import time
from collections import Counter
from contextlib import closing
from dataclasses import replace

import pytest
from game_bench import SLUG_BUG, SLUG_WEAKENED, Bench, Edit

from ssr.contracts import CommandResult, Sandbox
from ssr.game.artifact import BugArtifact
from ssr.game.consistency import ConsistencyReport, check

TEXT, TEST_TEXT = "pocket/text.py", "tests/test_text.py"
JOINED = 'return "-".join(word.lower() for word in words)'
FIRST_RUN_ONLY = '[ "$TZ" = UTC ]'
"""Holds in the first run of a state and in no other."""


def recheck(bench: Bench, artifact: BugArtifact, repeats: int = 2, **rules: object) -> ConsistencyReport:
    """Checked by the repeats alone: most of these bugs use words that `self_reading` rejects."""
    return bench.check(artifact, repeats=repeats, reject_self_reading=False, **rules)


def reason(report: ConsistencyReport) -> str:
    """The reason's name, after making sure that all checks before the repeats passed."""
    assert (report.check, report.checks[-2].name) == ("repeats", "self_reading"), report
    assert report.fail_to_pass == report.pass_to_pass == ()
    return report.reason.split(":")[0]


def said(report: ConsistencyReport) -> str:
    return next(made.detail for made in report.checks if made.name == "repeats")


def right_if(bench: Bench, valid: BugArtifact, condition: str) -> BugArtifact:
    """A bug in slug() that only shows where the condition does not hold."""
    line = f'return ("-" if {condition} else "_").join(word.lower() for word in words)'
    return bench.with_diffs(valid, [(TEXT, JOINED, line)], [SLUG_WEAKENED])


def with_test(artifact: BugArtifact, condition: str, name: str = "extra") -> BugArtifact:
    """One more test, that passes where a command of the script succeeds."""
    return replace(artifact, test_script=f"{artifact.test_script}{condition} && echo ok {name} || echo not ok {name}\n")


def in_sandbox(bench: Bench, command: str, stdin: str = "") -> str:
    with closing(bench.backend.open(bench.snapshot)) as sandbox:
        done = sandbox.run(command, stdin=stdin.encode(), timeout_s=30)
    assert done.exit_code == 0, done.output
    return done.output.strip()


def test_no_fork_is_made_while_git_works(
    bench: Bench, valid_pytest: BugArtifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The repeats start beside the trees of the reversals: a fork would meet git's locks while they vanish."""
    with closing(bench.backend.open(bench.snapshot)) as any_sandbox:
        sandbox = type(any_sandbox)
    run, fork = sandbox.run, sandbox.fork
    running, met = Counter[int](), list[int]()

    def slow_run(used: Sandbox, script: str, *, stdin: bytes = b"", timeout_s: float) -> CommandResult:
        running[id(used)] += 1
        time.sleep(0.2)
        done = run(used, script, stdin=stdin, timeout_s=timeout_s)
        running[id(used)] -= 1
        return done

    def watched_fork(used: Sandbox) -> Sandbox:
        met.append(running[id(used)])
        made = fork(used)
        met.append(running[id(used)])
        return made

    monkeypatch.setattr(sandbox, "run", slow_run)
    monkeypatch.setattr(sandbox, "fork", watched_fork)
    report = check(valid_pytest, bench.backend, bench.snapshot, bench.rules.model_copy(update={"repeats": 2}))
    assert report.valid, report
    assert len(met) >= 14 and not any(met)


def test_steady_tests(bench: Bench, valid: BugArtifact) -> None:
    report = recheck(bench, valid)
    assert report.valid, report
    assert report.set_aside == ()
    assert said(report) == "every test keeps its outcome"


@pytest.mark.parametrize(
    "condition",
    [
        "hash('a') != SEEN",
        "__import__('time').tzname[0] != 'UTC'",
        "__import__('tempfile').gettempdir() != '/tmp'",
    ],
)
def test_bug_that_depends_on_the_environment(bench: Bench, valid: BugArtifact, condition: str) -> None:
    seen = in_sandbox(bench, "python -c 'print(hash(\"a\"))'")
    flaky = right_if(bench, valid, condition.replace("SEEN", seen))
    report = recheck(bench, flaky)
    assert reason(report) == "flaky_tests"
    assert "too few tests fail with the bug" in report.reason
    assert "test_slug" in report.reason
    assert recheck(bench, flaky, 1).valid


def test_bug_keyed_on_the_text_of_the_code(bench: Bench, valid: BugArtifact) -> None:
    """Any edit of the file mends it, right or wrong."""
    condition = "len(open(__file__).read()) != {}"
    diff = right_if(bench, valid, condition.format(999)).bug_inject_diff
    length = in_sandbox(bench, f"git apply && wc -m < {TEXT}", diff)
    assert len(length) == 3
    report = recheck(bench, right_if(bench, valid, condition.format(length)))
    assert reason(report) == "keyed_outcomes"
    assert "the bug makes outcomes depend on the text of the code: test_slug" in report.reason


def test_bug_that_guards_its_text(bench: Bench, valid: BugArtifact) -> None:
    """Edits of the file break another test; the evidence itself keeps its outcome."""
    line = 'return "".join(word[0].upper() for word in name.split()) if len(open(__file__).read()) == 999 else ""'
    initials = 'return "".join(word[0].upper() for word in name.split())'
    diff = bench.diff(SLUG_BUG, (TEXT, initials, line))
    length = in_sandbox(bench, f"git apply && wc -m < {TEXT}", diff)
    assert len(length) == 3
    guarded = replace(valid, bug_inject_diff=diff.replace("== 999", f"== {length}"))
    report = recheck(bench, guarded, min_passing_tests=3)
    assert reason(report) == "keyed_outcomes"
    assert "the bug makes outcomes depend on the text of the code: test_initials" in report.reason
    assert recheck(bench, guarded, 1).valid


@pytest.mark.parametrize("key", ["git rev-parse HEAD^{tree}", f"sha1sum {TEXT}"])
def test_script_keyed_on_the_original(bench: Bench, valid: BugArtifact, key: str) -> None:
    """A harmless edit that the script calls a failure, as only the original's own bytes pass."""
    known = in_sandbox(bench, key)
    harmless = bench.with_diffs(valid, [(TEXT, "Lower-case words", "Words")], [SLUG_WEAKENED])
    keyed = with_test(harmless, f"{{ [ \"$({key})\" = '{known}' ] || grep -q '!= \"\"' {TEST_TEXT}; }}")
    assert recheck(bench, keyed, 1).valid
    assert reason(recheck(bench, keyed)) == "keyed_outcomes"


def test_flaky_test_beside_the_evidence(bench: Bench, valid: BugArtifact) -> None:
    beside = with_test(valid, FIRST_RUN_ONLY)
    report = recheck(bench, beside)
    assert report.valid, report
    assert report.set_aside == ("extra",)
    assert report.fail_to_pass == ("test_slug",)
    assert "extra" not in report.pass_to_pass
    assert said(report) == "tests set aside, as they do not keep their outcome: 1"
    assert "extra" in recheck(bench, beside, 1).pass_to_pass


def test_flaky_tests_do_not_count_as_passing(bench: Bench, valid: BugArtifact) -> None:
    report = recheck(bench, with_test(valid, FIRST_RUN_ONLY), min_passing_tests=5)
    assert reason(report) == "flaky_tests"
    assert "too few tests pass on the original" in report.reason


def test_flaky_tests_do_not_escape(bench: Bench, valid: BugArtifact) -> None:
    """The weakening lets only a test escape that fails with the bug in the first run alone."""
    bug = f"{{ ! grep -q '\"_\".join' {TEXT} || grep -q GHB {TEST_TEXT} || ! {FIRST_RUN_ONLY}; }}"
    other = bench.with_diffs(valid, [SLUG_BUG], [(TEST_TEXT, '== "GBH"', '!= "GHB"')])
    report = recheck(bench, with_test(other, bug))
    assert reason(report) == "flaky_tests"
    assert "no failing test escapes" in report.reason


def test_flaky_tests_need_no_file(bench: Bench, valid: BugArtifact) -> None:
    """The bug's second file fails a test in the first run only."""
    harmless: Edit = ("pocket/numbers.py", "Arithmetic mean", "The mean")
    two = bench.with_diffs(valid, [SLUG_BUG, harmless], [SLUG_WEAKENED])
    report = recheck(bench, with_test(two, f"{{ ! grep -q 'The mean' pocket/numbers.py || ! {FIRST_RUN_ONLY}; }}"))
    assert reason(report) == "flaky_tests"
    assert "no failing test needs pocket/numbers.py" in report.reason


def test_a_repeat_that_fails_keeps_no_outcome(bench: Bench, valid: BugArtifact) -> None:
    parser = valid.test_parser.replace("print(", "assert 'x' not in failed\nprint(")
    breaking = replace(valid, test_parser=parser)
    report = recheck(bench, with_test(breaking, FIRST_RUN_ONLY, "x"))
    assert reason(report) == "flaky_tests"
    assert report.set_aside[-1] == "x"


def test_more_repeats_see_rarer_outcomes(bench: Bench, valid: BugArtifact) -> None:
    third = right_if(bench, valid, "__import__('tempfile').gettempdir().endswith('2')")
    assert recheck(bench, third).valid
    assert reason(recheck(bench, third, 3)) == "flaky_tests"
