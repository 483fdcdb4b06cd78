"""What is attempted and graded, whatever benchmark it is of: a statement, an agent's sandbox, a grader."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from ssr.contracts import Sandbox, SandboxBackend
from ssr.errors import RepositoryError, SandboxError
from ssr.evaluation.grading import Grade, grade_in, row_of
from ssr.evaluation.leaks import cut, seal
from ssr.evaluation.problem import Problem
from ssr.game.codebase import open_codebase
from ssr.game.instance import Instance
from ssr.repository.snapshot import Snapshot


@dataclass(frozen=True)
class Task:
    """One problem, ready to be worked on."""

    instance_id: str
    repo: str
    statement: str
    """What the agent is told."""
    gold: str
    """The reference patch; no agent sees it."""
    open_agent: Callable[[], Sandbox]
    """A sandbox that holds nothing of the solution. Raises SandboxError."""
    grade: Callable[[str, str], Grade]
    """Grades a patch of a model of that name in a fresh sandbox. Raises SandboxError when the machine failed."""
    release: Callable[[], object] = lambda: None
    """Tells that the task's snapshot is not needed any more."""


class SnapshotSource(Protocol):
    """Where the repositories of an official benchmark come from."""

    def of(self, problem: Problem) -> Snapshot:
        """The snapshot of a problem, kept until it is released. Raises EvaluationError or RepositoryError."""
        ...

    def release(self, problem: Problem) -> None:
        """The problem needs its snapshot no more, for now."""
        ...

    def pinned(self, problem: Problem) -> Problem:
        """A problem whose snapshot was made, naming exactly what it was made from."""
        ...


def builtin_tasks(
    instances: Sequence[Instance], snapshots: dict[str, Snapshot], backend: SandboxBackend, timeout_s: float
) -> list[Task]:
    """The built-in benchmarks' tasks, or bugs of a run; `snapshots` holds their repositories."""

    def task(instance: Instance) -> Task:
        def opened() -> Sandbox:
            return open_codebase(backend, snapshots[instance.repo], instance)

        def grade(patch: str, model: str) -> Grade:
            with closing(opened()) as sandbox:
                return grade_in(sandbox, row_of(instance), patch, timeout_s, model)

        return Task(instance.instance_id, instance.repo, instance.problem_statement, instance.patch, opened, grade)

    return [task(instance) for instance in instances]


def swebench_tasks(
    problems: Sequence[Problem], snapshots: SnapshotSource, backend: SandboxBackend, timeout_s: float
) -> list[Task]:
    """SWE-bench's problems: the agent's repository ends at the base commit, the grader's is the snapshot's own."""

    def task(problem: Problem) -> Task:
        def grade(patch: str, model: str) -> Grade:
            with closing(open_start(problem, snapshot_of(problem, snapshots), backend)) as sandbox:
                return grade_in(sandbox, problem.row, patch, timeout_s, model)

        return Task(
            problem.instance_id,
            problem.repo,
            problem.statement,
            problem.patch,
            lambda: open_agent(problem, snapshot_of(problem, snapshots), backend),
            grade,
            lambda: snapshots.release(problem),
        )

    return [task(problem) for problem in problems]


def snapshot_of(problem: Problem, snapshots: SnapshotSource) -> Snapshot:
    """A problem's snapshot; one that cannot be had, as an image that cannot be pulled, is a failure of the machine.

    Raises SandboxError, EvaluationError.
    """
    try:
        return snapshots.of(problem)
    except RepositoryError as error:
        raise SandboxError(f"{problem.instance_id}: {error}") from error


def open_start(problem: Problem, snapshot: Snapshot, backend: SandboxBackend) -> Sandbox:
    """The state that patches are written for: an image as it is, another snapshot at the base commit.

    Where a patch puts the bug in, the state is a new repository's only commit.
    """
    sandbox = backend.open(snapshot, None if snapshot.image else problem.base_commit)
    if problem.bug_patch:
        try:
            seal(sandbox, problem.bug_patch)
        except BaseException:
            sandbox.close()
            raise
    return sandbox


def open_agent(problem: Problem, snapshot: Snapshot, backend: SandboxBackend) -> Sandbox:
    """What the agent works in: no later commit and nothing else of the solution is there. Raises SandboxError.

    A snapshot ends at its head, so one whose head is the base commit is cut already. An image's repository keeps what
    its makers changed for the tests, as a commit on top of the base.
    """
    sandbox = open_start(problem, snapshot, backend)
    try:
        if not problem.bug_patch and snapshot.head != problem.base_commit:
            cut(sandbox, problem.base_commit, hard=problem.format == "swebench-pro")
    except BaseException:
        sandbox.close()
        raise
    return sandbox
