"""The verdict on a prediction patch (section 2.4): the solver's own edits of the oracle tests never count."""

from contextlib import closing
from dataclasses import dataclass, field

from ssr.config import GameConfig
from ssr.contracts import Sandbox, SandboxBackend
from ssr.errors import GameError
from ssr.game.codebase import buggy_state, instance_diffs
from ssr.game.diffs import Diff, DiffProblem, read_diff
from ssr.game.falsify import falsifications
from ssr.game.instance import Instance
from ssr.game.protected import all_named
from ssr.game.store import RunKey, RunStore
from ssr.game.testrun import State, TestRun, run_tests
from ssr.game.trees import Chain, Plan
from ssr.repository.snapshot import Snapshot


@dataclass(frozen=True)
class Verdict:
    """Whether a patch solves an instance."""

    solved: bool
    reason: str
    """`solved`, or `name: sentence` with the name `tests_failed`, `canary`, `does_not_apply`, `unclear_diff`, a diff's
    or a run's problem. How many tests fail it does not say: that may be up to chance, and results are compared."""
    outcomes: dict[str, str] = field(default_factory=dict)
    """Test id -> `passed` or `failed`; empty if the tests did not run to a result."""
    tail: str = ""
    """Tail of what git or the tests printed."""
    applied: bool = False
    """Whether the patch applies and changes something: only then can a failure become a second-order bug."""


def judge(
    backend: SandboxBackend,
    snapshot: Snapshot,
    instance: Instance,
    patch: str,
    rules: GameConfig | None = None,
    store: RunStore | None = None,
) -> Verdict:
    """Original tagged ssr-original -> inject -> weaken (-> failed patch) -> patch -> oracle tests restored -> tests.

    Solved if, and only if, every FAIL_TO_PASS and PASS_TO_PASS test passes, and tests can still fail (see `_deaf`).
    With the oracle tests go the files that `rules.protected_files` names. Test runs are shared through `store`.
    Whatever the patch holds ends in a verdict; only a machine that fails raises (SandboxError), or an instance whose
    own diffs do not apply (GameError).
    """
    with closing(_Case(backend, snapshot, instance, patch, rules or GameConfig(), store)) as case:
        return case.judge()


class _Case:
    """A patch under judgement."""

    def __init__(
        self,
        backend: SandboxBackend,
        snapshot: Snapshot,
        instance: Instance,
        patch: str,
        rules: GameConfig,
        store: RunStore | None,
    ) -> None:
        self.backend, self.snapshot, self.instance, self.patch, self.rules = backend, snapshot, instance, patch, rules
        self.store = store
        self._base: Sandbox | None = None
        self.wanted = frozenset((*instance.FAIL_TO_PASS, *instance.PASS_TO_PASS))

    @property
    def base(self) -> Sandbox:
        """The untouched original, whose repository holds the trees; the tests run in forks of it."""
        if self._base is None:
            self._base = self.backend.open(self.snapshot, self.instance.base_commit)
        return self._base

    def close(self) -> None:
        """Close the base."""
        if self._base is not None:
            self._base.close()

    def judge(self) -> Verdict:
        """The verdict."""
        try:
            named = read_diff(self.patch, self.rules.max_diff_kb).paths
        except DiffProblem as problem:
            return Verdict(False, str(problem))
        chain = self._patched().run(self.base)
        if len(chain.trees) < len(instance_diffs(self.instance)) + 1:
            message = f"no codebase, a diff does not apply: {chain.message[-500:]}"
            raise GameError(f"{self.instance.instance_id}: {message}")
        if chain.rejected:
            return Verdict(False, "does_not_apply: git refuses the patch", tail=chain.message[-2000:])
        if chain.special:
            return Verdict(False, f"{chain.special[0].split()[0]}: the patch changes the {chain.special[0]}")
        if not chain.changes[-2] <= named:
            return Verdict(False, "unclear_diff: the patch changes files that it does not name plainly")
        return self._verdict(chain)

    def _verdict(self, chain: Chain) -> Verdict:
        run, applied = self._run(chain.trees[-1]), chain.trees[-2] != chain.trees[-3]
        if run.problem == "no_checkout":
            return Verdict(False, f"does_not_apply: {run.detail}", tail=run.tail)
        if run.problem:
            return Verdict(False, f"{run.problem}: {run.detail}", tail=run.tail, applied=applied)
        if not self.wanted <= run.passed:
            reason = f"tests_failed: of {len(self.wanted)} tests not all pass"
        elif self.rules.canary and chain.trees[-1] != chain.trees[0] and (deaf := self._deaf()):
            reason = f"canary: {len(deaf)} tests pass though what they assert is false"
        else:
            return Verdict(True, "solved", run.outcomes, run.tail, applied)
        return Verdict(False, reason, run.outcomes, run.tail, applied)

    def _patched(self) -> Plan:
        """The chain to the patched state: its last two steps apply the patch, and restore what a solver may not set."""
        brought = {path for diff in (*instance_diffs(self.instance), self.patch) for path in _read_whole(diff).paths}
        restored = {*self.instance.test_files, *all_named(brought, self.rules.protected_files)}
        return buggy_state(self.instance).apply(self.patch).restore(sorted(restored))

    def _run(self, tree: str) -> TestRun:
        script, parser, timeout = self.instance.test_script, self.instance.test_parser, self.rules.test_timeout_s

        def execute() -> TestRun:
            with closing(self.base.fork()) as sandbox:
                return run_tests(self.backend, self.snapshot, sandbox, script, parser, timeout, state=State(tree))

        if self.store is None:
            return execute()
        return self.store.run(RunKey(tree, script, parser, self.snapshot, timeout), execute)

    def _deaf(self) -> frozenset[str]:
        """Tests that pass with the patch, and fail on the original, when an assertion of the oracle is falsified.

        A patch that reaches into the test runner, prints results itself or hands out objects that equal everything
        makes tests pass whatever they assert; a repair cannot. Where no way of falsifying makes a test fail on the
        original, nothing is said against the patch; nor against one that brings back the original itself.
        """
        for texts in falsifications(self._oracle_texts(), self._stated()):
            patched = self._run(_put(self._patched(), texts).run(self.base).trees[-1])
            if all(patched.outcomes.get(test) == "failed" for test in self.instance.FAIL_TO_PASS):
                return frozenset()
            original = self._run(_put(Plan(), texts).run(self.base).trees[-1])
            failing = frozenset(test for test in self.wanted if original.outcomes.get(test) == "failed")
            if failing:
                return failing & patched.passed
        return frozenset()

    def _stated(self) -> frozenset[str]:
        """Lines of the oracle that the weakening took out."""
        diff = self.instance.test_weaken_diff
        changes = _read_whole(diff).files if diff else ()
        return frozenset(line.rstrip("\n") for change in changes for line in change.removed_lines)

    def _oracle_texts(self) -> dict[str, str]:
        """The original's oracle test files that hold UTF-8 text."""
        texts = {}
        for path in self.instance.test_files:
            try:
                texts[path] = self.base.read_file(path).decode()
            except (OSError, ValueError):
                continue
        return texts


def _put(plan: Plan, texts: dict[str, str]) -> Plan:
    for path, text in texts.items():
        plan.put(path, text)
    return plan


def _read_whole(diff: str) -> Diff:
    """A diff that is no policy's, or is known to be within the bound, however large."""
    return read_diff(diff, len(diff))
