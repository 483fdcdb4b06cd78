"""Which files of a scale's results the report reads; what is not made yet is left out, so that a run can be watched."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ssr.config import Scale
from ssr.selfplay.files import read_rows
from ssr.selfplay.tasks import Place

TOKEN_COLUMNS = ("token_ids", "loss_mask", "logprobs")
"""Columns of episodes.parquet that are read only where an episode's tokens are shown."""


@dataclass(frozen=True)
class GenerationFolder:
    """What one generation of a run left on disk."""

    results: Path
    place: Place

    @property
    def spot(self) -> Path:
        """Run, seed and generation, as folders."""
        return Path(self.place.run, f"s{self.place.seed}", f"{self.place.generation:03d}")

    def tables(self, stage: str, name: str) -> list[Path]:
        """One table of every shard of a stage, in order."""
        return sorted((self.results / stage / self.spot).glob(f"*/{name}.parquet"))

    def table(self, stage: str) -> list[Path]:
        """The one table of a stage without shards, if it is there."""
        path = self.results / stage / self.spot.with_suffix(".parquet")
        return [path] if path.is_file() else []

    @property
    def exists(self) -> bool:
        """Whether an episode of the generation is on disk."""
        return bool(self.tables("inject", "episodes") or self.tables("solve", "episodes"))


def generation_folders(scale: Scale, results: Path) -> list[GenerationFolder]:
    """The generations that are there, in the order of the scale's runs; what other scales left is not read."""
    places = [
        Place(run, seed, generation)
        for run in scale.runs
        for seed in scale.for_run(run).seeds
        for generation in range(1, scale.for_run(run).selfplay.generations + 1)
    ]
    folders = [GenerationFolder(results, place) for place in places]
    return [folder for folder in folders if folder.exists]


def evaluation_tables(scale: Scale, results: Path) -> list[Path]:
    """episodes.parquet of every shard of every evaluation of the scale's runs and of the base model."""
    pattern = "s*/*/*/shards/*/episodes.parquet"
    return [path for run in ("base", *scale.runs) for path in sorted((results / "evaluate" / run).glob(pattern))]


def rows_without_tokens(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Rows of episodes tables but for the token columns."""
    if not paths:
        return []
    columns = [name for name in pq.read_schema(paths[0]).names if name not in TOKEN_COLUMNS]
    return read_rows(paths, columns)
