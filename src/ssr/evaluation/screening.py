"""Many variants of one commit through its tests in one sandbox: cheap first looks, all taken by driver.py inside."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssr.contracts import SandboxBackend
from ssr.errors import EvaluationError
from ssr.evaluation.grading import PASSING, statuses
from ssr.repository.snapshot import Snapshot

DRIVER = Path(__file__).with_name("driver.py")
FOLDER = "/testbed/.git/screening"


@dataclass(frozen=True)
class Variant:
    """Files to put in place (None deletes) and the test files to run."""

    files: Mapping[str, str | None]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """One failing test: id, pytest's message, and the line where its file failed (0: unknown)."""

    test: str
    message: str
    line: int


@dataclass(frozen=True)
class Outcome:
    """What the tests of a variant did."""

    finished: bool
    passed: frozenset[str]
    failed: frozenset[str]
    failures: tuple[Failure, ...]


def screen(
    backend: SandboxBackend, snapshot: Snapshot, commit: str, variants: Sequence[Variant], max_failures: int
) -> list[Outcome]:
    """Outcomes of the variants, in order; a variant stops after `max_failures` failing tests (0: never).

    Raises EvaluationError when pytest cannot be run there at all, SandboxError when the sandbox dies.
    """
    if not variants:
        return []
    sandbox = backend.open(snapshot, commit)
    try:
        jobs = [{"files": dict(v.files), "tests": v.tests, "limit": max_failures} for v in variants]
        sandbox.write_file(f"{FOLDER}/driver.py", DRIVER.read_bytes())
        sandbox.write_file(f"{FOLDER}/jobs.json", json.dumps(jobs).encode())
        command = f"python {FOLDER}/driver.py {FOLDER}/jobs.json {FOLDER}/results.json"
        done = sandbox.run(command, timeout_s=30 + 70 * len(jobs))
        if done.exit_code:
            raise EvaluationError(f"{snapshot.name}: pytest cannot run at {commit[:12]}: {done.output[-500:]}")
        results = json.loads(sandbox.read_file(f"{FOLDER}/results.json"))
    finally:
        sandbox.close()
    return [_outcome(result) for result in results]


def _outcome(result: dict[str, Any]) -> Outcome:
    found = statuses(result["log"])
    passed = frozenset(test for test, status in found.items() if status in PASSING)
    failed = frozenset(test for test, status in found.items() if status in ("FAILED", "ERROR"))
    failures = tuple(Failure(f["test"], f["message"], f["line"]) for f in result["failures"])
    return Outcome(result["finished"], passed, failed, failures)
