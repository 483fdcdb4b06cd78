"""The consistency checks of section 2.3, one function each, and the two that precede them for malformed artifacts.

Those that follow them, for the strategies of appendix A.2 that would pay an injector without a real bug, have files of
their own: `self_reading`, `repeats`, `needless_change`.
A check returns a sentence about what it saw, or raises Failed. Nothing here raises for what an artifact holds.
"""

from collections.abc import Callable

from ssr.config import GameConfig
from ssr.game.artifact import ListProblem
from ssr.game.case import Case, Failed
from ssr.game.diffs import Diff, DiffProblem, read_diff
from ssr.game.needless_change import needless_change
from ssr.game.protected import all_named
from ssr.game.repeats import repeated_states, repeats, some
from ssr.game.self_reading import self_reading
from ssr.game.testrun import SCRIPT_PROBLEMS, State, TestRun
from ssr.game.trees import Plan
from ssr.game.weakening import escaped


def artifact(case: Case) -> str:
    """Before the paper's: "Five files, names exact". Each is there, is text, not empty, and the diffs are diffs."""
    if case.artifact.problem:
        name, _, sentence = case.artifact.problem.partition(": ")
        raise Failed(name, sentence)
    for name, text in case.artifact.texts.items():
        if not text.strip():
            raise Failed("empty", f"{name} is empty")
    case.bug = _read("bug_inject.diff", case.artifact.bug_inject_diff, case.rules)
    case.weakening = _read("test_weaken.diff", case.artifact.test_weaken_diff, case.rules)
    return "five files"


def diff_applies(case: Case) -> str:
    """Before the paper's: bug_inject.diff applies to the original, and test_weaken.diff to the buggy state (2.4)."""
    case.chain = case.follow(Plan().apply(case.bug.text, case.weakening.text).kinds(_listed(case)))
    if case.chain.rejected:
        name = ("bug_inject.diff", "test_weaken.diff")[len(case.chain.trees) - 1]
        raise Failed("does_not_apply", f"git refuses {name}", case.chain.message[-2000:])
    if case.chain.special:
        raise Failed(case.chain.special[0].split()[0], f"a diff changes the {case.chain.special[0]}")
    diffs = (("bug_inject.diff", case.bug), ("test_weaken.diff", case.weakening))
    for (name, diff), changed in zip(diffs, case.chain.changes[1:], strict=True):
        if not changed <= diff.paths:
            raise Failed("unclear_diff", f"{name} changes files that it does not name plainly: {some(changed)}")
    return "both diffs apply"


def test_files(case: Case) -> str:
    """Check 1: "every file in test_files.txt exists in the original repository, and together they cover every file
    that test_weaken.diff touches."
    """
    try:
        listed = case.artifact.oracle_files()
    except ListProblem as problem:
        name, _, sentence = str(problem).partition(": ")
        raise Failed(name, sentence) from problem
    for path, kind in zip(listed, case.chain.kinds, strict=True):
        if kind == "tree":
            raise Failed("directory", f"{path} is a folder of the original repository")
        if kind != "blob":
            raise Failed("missing_test_file", f"{path} does not exist in the original repository")
    code = set(listed) - all_named(listed, case.rules.test_files)
    if code:
        raise Failed("not_a_test_file", f"no name in game.test_files fits {some(code)}")
    uncovered = case.weakening.paths - set(listed)
    if uncovered:
        raise Failed("uncovered_file", f"test_weaken.diff touches files outside test_files.txt: {some(uncovered)}")
    return f"files listed: {len(listed)}"


def test_parser(case: Case) -> str:
    """Check 2: "the parser turns the raw output into a well-formed mapping." The output is that of the original."""
    original, buggy, _ = case.chain.trees
    case.start((State(original), State(buggy)))
    case.original = case.run(State(original))
    if case.original.problem in SCRIPT_PROBLEMS:
        return "no complete output to parse"
    _expect_outcomes(case.original)
    return f"tests in the mapping: {len(case.original.outcomes)}"


def test_script(case: Case) -> str:
    """Check 3: "on the original code the script yields passing tests, and the number of tests is over
    min_passing_tests." The passing ones are counted.
    """
    _expect_outcomes(case.original)
    passing, least = len(case.original.passed), case.rules.min_passing_tests
    sentence = f"tests that pass on the original: {passing}"
    if passing == 0 or passing <= least:
        raise Failed("too_few_passing", f"{sentence}, not over {least}", case.original.tail)
    return sentence


def bug_scope(case: Case) -> str:
    """Check 4: "bug_inject.diff changes at least min_changed_files files." They are code, no oracle test files."""
    oracle = case.bug.paths & set(case.artifact.oracle_files())
    if oracle:
        raise Failed("touches_oracle", f"bug_inject.diff touches oracle test files: {some(oracle)}")
    protected = all_named(case.bug.paths, case.rules.protected_files)
    if protected:
        raise Failed("touches_protected", f"bug_inject.diff touches tests or their configuration: {some(protected)}")
    changed = {change.paths for change in case.bug.files if case.chain.changes[1].intersection(change.paths)}
    needed = case.rules.min_changed_files
    sentence = f"files that bug_inject.diff changes: {len(changed)}"
    if len(changed) < needed:
        raise Failed("too_few_files", f"{sentence}, not {needed} or more")
    return sentence


def bug_validity(case: Case) -> str:
    """Check 5: "at least min_failing_tests tests that passed on the original fail after bug_inject.diff." """
    case.buggy = case.run(State(case.chain.trees[1]))
    _expect_outcomes(case.buggy)
    failing, needed = len(case.fail_to_pass), case.rules.min_failing_tests
    sentence = f"tests that pass on the original and fail in the buggy state: {failing}"
    if failing < needed:
        raise Failed("too_few_failing", f"{sentence}, not {needed} or more", case.buggy.tail)
    return sentence


def test_weakening(case: Case) -> str:
    """Check 6: "some of the tests that fail in the buggy state pass after test_weaken.diff."

    A test that the weakening removed counts too where the rules say so: see `weakening`.
    """
    state = State(case.chain.trees[2])
    case.start((state, *repeated_states(case)))
    weakened = case.run(state)
    _expect_outcomes(weakened)
    known = case.original.outcomes.keys() | case.buggy.outcomes.keys()
    removal = case.rules.removed_tests_escape
    case.escaped = escaped(case.fail_to_pass, known, weakened.outcomes, case.weakening, removal)
    if not case.escaped:
        raise Failed("bug_does_not_escape", "every failing test still fails after test_weaken.diff", weakened.tail)
    return f"failing tests that no longer fail: {len(case.escaped)} of {len(case.fail_to_pass)}"


def inverse_mutation(case: Case) -> str:
    """Check 7: "for each file in bug_inject.diff alone: from the full buggy state revert just that file and run the
    unweakened oracle tests; at least one failing test must pass again."

    With one changed file its reversal is the original itself, whose run is known.
    """
    plan = Plan()
    for change in case.bug.files:
        plan.start_from(case.chain.trees[1]).restore(change.paths)
    trees = case.follow(plan).trees[1:] if len(case.bug.files) > 1 else case.chain.trees[:1]
    states = [State(tree) for tree in trees]
    case.start(states)
    for change, state in zip(case.bug.files, states, strict=True):
        run = case.run(state)
        _expect_outcomes(run)
        if not run.passed & case.fail_to_pass:
            raise Failed("no_effect", f"reverting {change.paths[-1]} alone makes no failing test pass", run.tail)
        case.reversals[change.paths[-1]] = run
    return f"files that each make failing tests pass: {len(states)}"


Step = Callable[[Case], str]
CHECKS: tuple[Step, ...] = (
    artifact,
    diff_applies,
    test_files,
    test_parser,
    test_script,
    bug_scope,
    bug_validity,
    test_weakening,
    inverse_mutation,
    self_reading,
    repeats,
    needless_change,
)
"""The paper's in its order, then the ones that it leaves open; the first failure ends the check."""


def _read(name: str, text: str, rules: GameConfig) -> Diff:
    try:
        return read_diff(text, rules.max_diff_kb)
    except DiffProblem as problem:
        raise Failed(problem.name, f"{name}: {str(problem).partition(': ')[2]}") from problem


def _listed(case: Case) -> tuple[str, ...]:
    try:
        return case.artifact.oracle_files()
    except ListProblem:
        return ()


def _expect_outcomes(run: TestRun) -> None:
    if run.problem:
        raise Failed(run.problem, run.detail, run.tail)
