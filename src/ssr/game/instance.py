"""An instance: a bug in SWE-bench's fields (section 2.3), one row of instances.parquet."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from ssr.contracts import Strategy
from ssr.errors import GameError
from ssr.game.artifact import BugArtifact
from ssr.game.diffs import reverse
from ssr.repository.snapshot import Snapshot

if TYPE_CHECKING:
    from ssr.game.consistency import ConsistencyReport

TaskStrategy = Strategy | Literal["issue"]
Source = Literal["selfplay", "builtin-verified", "builtin-pro", "builtin-tuning", "builtin-bugs", "human"]


class Instance(BaseModel):
    """A bug to solve; human-data issues and the built-in benchmarks' tasks are the same record."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    instance_id: str
    repo: str
    """Name of the snapshot."""
    base_commit: str
    """The original: the commit that `ssr-original` names."""
    version: str
    """Release of that commit; empty for a commit between releases."""
    problem_statement: str
    """Text for the issue prompt; for a bug, the issue template around `test_patch`."""
    patch: str
    """Gold: takes the buggy codebase's code back to the original; for second order the failed patch goes too."""
    test_patch: str
    """The reversed test_weaken.diff: the solver's whole specification, but for `hidden_test_patch`."""
    FAIL_TO_PASS: list[str]
    PASS_TO_PASS: list[str]
    bug_inject_diff: str
    test_weaken_diff: str
    test_script: str
    test_files: list[str]
    """Oracle test files, always restored before the tests run for a verdict."""
    test_parser: str
    strategy: TaskStrategy
    order: Literal[1, 2] = 1
    parent_id: str = ""
    """Instance whose failed attempt this one starts from; second order only."""
    failed_patch: str = ""
    """That attempt's patch; second order only."""
    source: Source = "selfplay"
    hidden_test_patch: str = ""
    """The part of `test_patch` that the problem statement does not show (`game.hidden_oracle_fraction`)."""


_TYPES = {"FAIL_TO_PASS": pa.list_(pa.string()), "PASS_TO_PASS": pa.list_(pa.string()), "order": pa.int8()}
_TYPES["test_files"] = pa.list_(pa.string())
SCHEMA = pa.schema([pa.field(name, _TYPES.get(name, pa.string()), nullable=False) for name in Instance.model_fields])
"""Columns of instances.parquet."""


def instance_of(
    artifact: BugArtifact,
    report: "ConsistencyReport",
    snapshot: Snapshot,
    strategy: TaskStrategy,
    instance_id: str,
    problem_statement: str,
    *,
    commit: str | None = None,
    hidden_test_patch: str = "",
) -> Instance:
    """Rewrite a valid artifact as an instance of first order; `commit` is the one it was checked at.

    Raises GameError for an artifact that is not valid.
    """
    if not report.valid:
        raise GameError(f"{instance_id}: only a valid artifact is an instance, this one failed {report.check}")
    base = commit or snapshot.head
    return Instance(
        instance_id=instance_id,
        repo=snapshot.name,
        base_commit=base,
        version=next((release.version for release in snapshot.releases if release.commit == base), ""),
        problem_statement=problem_statement,
        patch=reverse(artifact.bug_inject_diff),
        test_patch=reverse(artifact.test_weaken_diff),
        FAIL_TO_PASS=list(report.fail_to_pass),
        PASS_TO_PASS=list(report.pass_to_pass),
        bug_inject_diff=artifact.bug_inject_diff,
        test_weaken_diff=artifact.test_weaken_diff,
        test_script=artifact.test_script,
        test_files=list(artifact.oracle_files()),
        test_parser=artifact.test_parser,
        strategy=strategy,
        hidden_test_patch=hidden_test_patch,
    )


def write_instances(path: Path, instances: Iterable[Instance]) -> None:
    """Write instances in the order given; no instance gives a file with the same columns and no row."""
    table = pa.Table.from_pylist([instance.model_dump() for instance in instances], schema=SCHEMA)
    pq.write_table(table, path, compression="zstd")


def read_instances(path: Path) -> list[Instance]:
    """Read what `write_instances` wrote; columns that an older file lacks have their defaults.

    Raises GameError if the file is something else.
    """
    try:
        rows = pq.read_table(path, schema=SCHEMA).to_pylist()
    except (OSError, pa.ArrowInvalid) as error:
        raise GameError(f"cannot read instances from {path}: {error}") from error
    given = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return [Instance.model_validate(row) for row in given]
