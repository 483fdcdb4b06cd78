"""The summary of a run and seed: small tables that every metric, figure and table is made from, and nothing else.

A summary holds no text and no token, so that it can be published; it is what `results/released` keeps of a run.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ssr.errors import EvaluationError
from ssr.files import written

TableRow = Mapping[str, Any]
_PLACE: dict[str, pa.DataType] = {"run": pa.string(), "seed": pa.int32(), "generation": pa.int32()}
_EPISODE: dict[str, pa.DataType] = {
    "exit_reason": pa.string(),
    "turns": pa.int32(),
    "generated_tokens": pa.int32(),
}
OUTCOMES = pa.schema(
    _PLACE
    | {"step": pa.int32(), "benchmark": pa.string(), "instance_id": pa.string(), "repo": pa.string()}
    | {"resolved": pa.bool_()}
    | _EPISODE
)
"""One attempt on one task of a benchmark."""
EPISODES = pa.schema(
    _PLACE
    | {"episode_id": pa.string(), "role": pa.string(), "repo": pa.string(), "strategy": pa.string()}
    | {"order": pa.int32(), "instance_id": pa.string()}
    | _EPISODE
    | {"format_errors": pa.int32(), "reward": pa.float64(), "trained": pa.bool_()}
    | {"windows": pa.int32(), "repeated": pa.int32(), "gibberish": pa.int32()}
)
"""One episode of self-play; `reward` is null where there is none, `trained` says whether it was in the batch, and the
last three count as `ssr.training.health.Health` does."""
ARTIFACTS = pa.schema(
    _PLACE
    | {"episode_id": pa.string(), "repo": pa.string(), "strategy": pa.string()}
    | {"valid": pa.bool_(), "check": pa.string(), "fingerprint": pa.string()}
    | {"files": pa.int32(), "hunks": pa.int32(), "lines": pa.int32(), "fail_to_pass": pa.int32()}
    | {"solved": pa.int32(), "attempts": pa.int32(), "reward": pa.float64()}
)
"""One submitted bug artifact; sizes are those of a valid bug's diff, `solved` of `attempts` first-order ones, which
bugs of a generation that are the same share if only one of them is played (`selfplay.distinct`)."""
_COUNTS = ("step", "rows", "tokens", "sampled_tokens", "packs")
_MONITORS = ("learning_rate", "loss", "grad_norm", "entropy", "ratio_mean", "ratio_max", "clipped_share", "kl")
TRAINING = pa.schema(_PLACE | {name: pa.int64() for name in _COUNTS} | {name: pa.float64() for name in _MONITORS})
"""One optimizer step."""
SCHEMAS = {"outcomes": OUTCOMES, "episodes": EPISODES, "artifacts": ARTIFACTS, "training": TRAINING}
SCALE = "scale.json"


@dataclass(frozen=True)
class Summary:
    """One run and seed, or the base model."""

    run: str
    seed: int
    scale: Mapping[str, Any]
    """Every key of the run that its results depend on, defaults included."""
    outcomes: Sequence[TableRow] = ()
    episodes: Sequence[TableRow] = ()
    artifacts: Sequence[TableRow] = ()
    training: Sequence[TableRow] = ()


def folder_of(root: Path, run: str, seed: int) -> Path:
    """Where a run's summary lies under the folder of all."""
    return root / run / f"s{seed}"


def write_summary(folder: Path, summary: Summary) -> None:
    """Write a summary's tables and keys; the scale last, so that a folder which holds it is whole."""
    for name, schema in SCHEMAS.items():
        with written(folder / f"{name}.parquet") as partial:
            table = pa.Table.from_pylist([dict(row) for row in getattr(summary, name)], schema=schema)
            pq.write_table(table, partial, compression="zstd")
    with written(folder / SCALE) as partial:
        partial.write_text(json.dumps(summary.scale, indent=1, sort_keys=True) + "\n")


def read_summary(folder: Path) -> Summary:
    """Read what `write_summary` wrote; the folder's name says run and seed. Raises EvaluationError."""
    try:
        scale = json.loads((folder / SCALE).read_text())
        tables = {name: pq.read_table(folder / f"{name}.parquet").cast(schema) for name, schema in SCHEMAS.items()}
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{folder} is no summary of a run; make it with `ssr summary`: {error}") from error
    rows = {name: table.to_pylist() for name, table in tables.items()}
    return Summary(folder.parent.name, int(folder.name.removeprefix("s")), scale, **rows)


def read_summaries(folders: Iterable[Path]) -> list[Summary]:
    """Summaries in the order of their runs and seeds."""
    return sorted(map(read_summary, folders), key=lambda summary: (summary.run, summary.seed))


def different_bugs(artifacts: Iterable[TableRow]) -> list[TableRow]:
    """The valid bugs; of those of one run, seed and generation that change the same lines, the first."""
    found: dict[tuple[Any, ...], TableRow] = {}
    for row in artifacts:
        if row["valid"]:
            found.setdefault((row["run"], row["seed"], row["generation"], row["fingerprint"]), row)
    return list(found.values())
