"""The stage between injection and solving: each artifact is checked by execution, a valid one becomes an instance."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import pyarrow as pa

from ssr.agent.prompts import specification
from ssr.config import Scale
from ssr.contracts import SandboxBackend
from ssr.game.consistency import ConsistencyReport, check
from ssr.game.diffs import reverse
from ssr.game.hidden_oracle import split_oracle
from ssr.game.instance import Instance, TaskStrategy, instance_of
from ssr.game.store import RunStore
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.observation import normalise
from ssr.selfplay.artifacts import PLACE, Submitted
from ssr.selfplay.duplicates import fingerprint
from ssr.selfplay.held_out import HELD_OUT, HeldOut

_CHECKS: list["pa.Field[Any]"] = [
    pa.field("instance_id", pa.string()),
    *PLACE,
    pa.field("valid", pa.bool_()),
    pa.field("check", pa.string()),
    pa.field("reason", pa.string()),
    pa.field("tail", pa.string()),
    pa.field("fail_to_pass", pa.int32()),
    pa.field("pass_to_pass", pa.int32()),
    pa.field("set_aside", pa.int32()),
    pa.field("changed_lines", pa.int32()),
    pa.field("fingerprint", pa.string()),
]
CHECKS = pa.schema(_CHECKS)
"""Columns of checks.parquet: one row a submitted artifact; an instance has its episode's name.

`check` is the consistency check that failed and `reason` begins with the failure's stable name, so that counts by
reason take either; both are empty for a valid artifact. `fail_to_pass`, `pass_to_pass` and `set_aside` count tests,
the last those whose outcome did not keep when a state was run again. Valid bugs with one `fingerprint` are duplicates.
"""


def validate(
    submitted: Sequence[Submitted],
    backend: SandboxBackend,
    snapshots: dict[str, Snapshot],
    scale: Scale,
    held_out: HeldOut,
    finished: Callable[[], object] = lambda: None,
    store: RunStore | None = None,
) -> tuple[list[dict[str, Any]], list[Instance]]:
    """Rows of checks.parquet in the order of the artifacts, and the instances among them.

    `sandbox.parallel` test runs go on at once, of one artifact more than that, so that there is always a run to start.
    Equal runs are shared through `store`. Raises SandboxError if the machine fails.
    """
    parallel = scale.sandbox.parallel
    with ThreadPoolExecutor(parallel + 1) as cases, ThreadPoolExecutor(parallel) as tests:
        checking = Checking(backend, scale, held_out, tests, store)

        def one(item: Submitted) -> tuple[dict[str, Any], Instance | None]:
            result = _validate_one(item, snapshots[item.place["repo"]], checking)
            finished()
            return result

        results = list(cases.map(one, submitted))
    return [row for row, _ in results], [instance for _, instance in results if instance]


@dataclass(frozen=True)
class Checking:
    """What all artifacts of a shard are checked with."""

    backend: SandboxBackend
    scale: Scale
    held_out: HeldOut
    tests: Executor
    store: RunStore | None


def _validate_one(item: Submitted, snapshot: Snapshot, checking: Checking) -> tuple[dict[str, Any], Instance | None]:
    artifact, name, scale = item.artifact, item.place["episode_id"], checking.scale
    report = check(artifact, checking.backend, snapshot, scale.game, pool=checking.tests, store=checking.store)
    row = {"instance_id": name, **item.place, **_outcome(report), "changed_lines": 0, "fingerprint": ""}
    if not report.valid:
        return row, None
    row["changed_lines"] = changed_lines(artifact.bug_inject_diff)
    row["fingerprint"] = fingerprint(artifact.bug_inject_diff, snapshot.name, snapshot.head)
    if checking.held_out.holds(artifact.bug_inject_diff, snapshot.name, snapshot.head):
        reason = "held_out: the bug changes a line that a held-out task's gold patch brings back"
        return row | {"valid": False, "check": HELD_OUT, "reason": reason}, None
    shown, hidden = split_oracle(reverse(artifact.test_weaken_diff), scale.game.hidden_oracle_fraction, name)
    statement, strategy = specification(scale.agent, shown), cast(TaskStrategy, item.place["strategy"])
    return row, instance_of(artifact, report, snapshot, strategy, name, statement, hidden_test_patch=hidden)


def _outcome(report: ConsistencyReport) -> dict[str, Any]:
    return {
        "valid": report.valid,
        "check": report.check,
        "reason": normalise(report.reason),
        "tail": normalise(report.tail),
        "fail_to_pass": len(report.fail_to_pass),
        "pass_to_pass": len(report.pass_to_pass),
        "set_aside": len(report.set_aside),
    }


def changed_lines(diff: str) -> int:
    """Lines that a unified diff adds or takes out."""
    lines = diff.splitlines()
    return sum(line.startswith(("+", "-")) and not line.startswith(("+++", "---")) for line in lines)
