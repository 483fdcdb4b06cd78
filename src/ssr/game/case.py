"""An artifact under check: its diffs and states as far as they are known, and the test runs that were started."""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, wait
from contextlib import closing, contextmanager

from ssr.config import GameConfig
from ssr.contracts import Sandbox, SandboxBackend
from ssr.game.artifact import BugArtifact
from ssr.game.diffs import Diff
from ssr.game.store import RunKey, RunStore
from ssr.game.testrun import State, TestRun, run_tests
from ssr.game.trees import Chain, Plan
from ssr.repository.snapshot import Snapshot


class Failed(Exception):
    """A check that failed: a stable name for the reason, a sentence, and the tail of what the tests printed."""

    def __init__(self, name: str, sentence: str, tail: str = "") -> None:
        super().__init__(f"{name}: {sentence}")
        self.tail = tail


class Case:
    """What the checks of one artifact share. Test runs go to the pool, side by side, each in a sandbox of its own."""

    def __init__(
        self,
        artifact: BugArtifact,
        backend: SandboxBackend,
        snapshot: Snapshot,
        commit: str | None,
        rules: GameConfig,
        pool: Executor,
        store: RunStore | None = None,
    ) -> None:
        self.artifact, self.rules = artifact, rules
        self._backend, self._snapshot, self._commit = backend, snapshot, commit
        self._pool, self._store = pool, store
        self._base: Sandbox | None = None
        self._guard = threading.Lock()
        self._runs: dict[State, Future[TestRun]] = {}
        self.bug: Diff
        self.weakening: Diff
        self.chain: Chain
        self.original: TestRun
        self.buggy: TestRun
        self.weakened: TestRun
        self.escaped: frozenset[str] = frozenset()
        """Failing tests that no longer fail after the weakening."""
        self.reversals: dict[str, TestRun] = {}
        """Runs of the buggy state with one file of the bug reverted, by that file."""
        self.set_aside: frozenset[str] = frozenset()
        """Tests that do not keep their outcome when their state is run again."""

    @contextmanager
    def base(self) -> Iterator[Sandbox]:
        """The untouched original, whose repository holds the trees; the tests run in forks of it.

        For one thread at a time: git's locks and temporary files vanish under the hands of a fork that is just made.
        """
        with self._guard:
            if self._base is None:
                self._base = self._backend.open(self._snapshot, self._commit)
            yield self._base

    def follow(self, plan: Plan) -> Chain:
        """Make the plan's trees in the base. Raises SandboxError."""
        with self.base() as base:
            return plan.run(base)

    def close(self) -> None:
        """Wait for runs that turned out not to be needed, and close the base. Idempotent."""
        wait([run for run in self._runs.values() if not run.cancel()])
        if self._base is not None:
            self._base.close()

    @property
    def fail_to_pass(self) -> frozenset[str]:
        """Tests that passed on the original and do not in the buggy state: they fail, or are not reported any more."""
        return self.original.passed - self.buggy.passed - self.set_aside

    @property
    def pass_to_pass(self) -> frozenset[str]:
        """Tests that pass in both states."""
        return (self.original.passed & self.buggy.passed) - self.set_aside

    def start(self, states: Iterable[State]) -> None:
        """Run the tests of states that may be asked for soon; nothing of it shows in a report."""
        for state in states:
            if state not in self._runs:
                self._runs[state] = self._pool.submit(self._execute, state)

    def run(self, state: State) -> TestRun:
        """The tests' outcome in a state, run once a case. Raises SandboxError."""
        self.start((state,))
        return self._runs[state].result()

    def _execute(self, state: State) -> TestRun:
        if self._store is None:
            return self._run_in_fork(state)
        if state.repeat:
            return self._store.repeat(lambda: self._run_in_fork(state))
        artifact, timeout = self.artifact, self.rules.test_timeout_s
        key = RunKey(state.tree, artifact.test_script, artifact.test_parser, self._snapshot, timeout)
        return self._store.run(key, lambda: self._run_in_fork(state))

    def _run_in_fork(self, state: State) -> TestRun:
        script, parser = self.artifact.test_script, self.artifact.test_parser
        with self.base() as base:
            fork = base.fork()
        with closing(fork) as sandbox:
            return run_tests(
                self._backend, self._snapshot, sandbox, script, parser, self.rules.test_timeout_s, state=state
            )
