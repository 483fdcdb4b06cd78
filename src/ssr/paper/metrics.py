"""Metrics of a scale as one tidy table: a row is one number of one run at one place, with its errors."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS: list[tuple[str, pa.DataType]] = [
    ("run", pa.string()),
    ("seed", pa.int32()),
    ("generation", pa.int32()),
    ("step", pa.int32()),
    ("metric", pa.string()),
    ("value", pa.float64()),
    ("n", pa.int32()),
    ("stderr", pa.float64()),
    ("benchmark", pa.string()),
    ("against", pa.string()),
    ("low", pa.float64()),
    ("high", pa.float64()),
    ("noise", pa.float64()),
]


@dataclass(frozen=True)
class Row:
    """One number. `seed` is None where seeds are pooled, `against` names the other run of a paired difference.

    Rates are fractions, `step` counts optimizer steps, `n` is what the number was taken over. `low`, `high` and `noise`
    are those of `ssr.evaluation.statistics.Estimate`, on pooled resolve rates and their differences alone.
    """

    run: str
    seed: int | None
    generation: int
    step: int
    metric: str
    value: float
    n: int
    stderr: float | None = None
    benchmark: str = ""
    against: str = ""
    low: float | None = None
    high: float | None = None
    noise: float | None = None


def order(row: Row) -> tuple[str, int, int, int, str, str, str]:
    """The fixed order of a metrics table."""
    seed = -1 if row.seed is None else row.seed
    return row.run, seed, row.generation, row.step, row.benchmark, row.metric, row.against


def write(rows: Sequence[Row], path: Path) -> None:
    """Write metrics.parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        pa.Table.from_pylist([asdict(row) for row in rows], schema=pa.schema(COLUMNS)), path, compression="zstd"
    )


def read(path: Path) -> list[Row]:
    """The rows of metrics.parquet; columns that an older file lacks are None."""
    return [Row(**row) for row in pq.read_table(path, schema=pa.schema(COLUMNS)).to_pylist()]
