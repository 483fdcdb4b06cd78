"""Result files of the stages: parquet, written under a temporary name and renamed, so that no half file is seen."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ssr.errors import GameError
from ssr.files import written


def write_rows(path: Path, rows: Iterable[dict[str, Any]], schema: pa.Schema) -> None:
    """Write rows to parquet (zstd), in the given order."""
    with written(path) as partial:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), partial, compression="zstd")


def read_rows(paths: Sequence[Path], columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Rows of some files, in order. Raises GameError for a file that is no table, or lacks a column."""
    rows: list[dict[str, Any]] = []
    for path in paths:
        if not path.exists():
            raise GameError(f"{path} is not there: correct its path, or let snakemake make it")
        try:
            rows += pq.ParquetFile(path).read(columns=list(columns) if columns else None).to_pylist()
        except (OSError, pa.ArrowInvalid) as error:
            raise GameError(f"cannot read {path}: {error}; delete it and start snakemake again") from error
    return rows


def shard_of(items: Sequence[Any], shard: int, shards: int) -> list[Any]:
    """The items that fall to a shard: dealt out one by one."""
    return list(items[shard::shards])
