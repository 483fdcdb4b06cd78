"""Where each number comes from: the files it was taken from with their digests, and the rules that made them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssr.config import Scale
from ssr.paper.metrics import Row
from ssr.paper.scores import BOTH, panels
from ssr.report.files import GenerationFolder
from ssr.repository.snapshot import file_digest
from ssr.selfplay.tasks import Place

STAGES = {
    "valid": ("validate", "checks"),
    "failed": ("validate", "checks"),
    "bugs": ("validate", "checks"),
    "solve_rate": ("solve", "episodes"),
    "mixed": ("solve", "episodes"),
    "reward": ("batch", ""),
    "training": ("training", ""),
    "resolved": ("evaluate", ""),
    "resolved_difference": ("evaluate", ""),
    "errors": ("evaluate", ""),
}
"""The stage that a metric is measured in, and its table, by the first part of the metric's name."""
OF_EPISODES = ("exit", "length", "turns", "gibberish", "repetition")
"""Metrics of the episodes of the role that the second part of their name says, or of both roles."""
PLAYED = "inject and solve"
COLUMNS = ("run", "seed", "generation", "step", "benchmark", "metric", "against", "value", "stderr", "n", "source")
"""What the page knows of each number; `source` numbers a list of files."""


@dataclass(frozen=True)
class Source:
    """Files that numbers were taken from, and the rule that made them."""

    rule: str
    files: tuple[str, ...]


def stage_of(metric: str) -> tuple[str, str]:
    """Stage and table of a metric; the metrics file itself for one that is made of others."""
    name, _, rest = metric.partition("/")
    if name in OF_EPISODES:
        return {"injector": "inject", "solver": "solve"}.get(rest.partition("/")[0], PLAYED), "episodes"
    return STAGES.get(name, ("metrics", ""))


def provenance(rows: Sequence[Row], scale: Scale, results: Path) -> dict[str, Any]:
    """Every number with its source, the sources, and a digest of each of their files that is there."""
    sources: dict[Source, int] = {}
    listed = []
    for row in rows:
        source = _source(row, scale, results)
        number = sources.setdefault(source, len(sources))
        listed.append([*(getattr(row, name) for name in COLUMNS[:-1]), number])
    files = sorted({file for source in sources for file in source.files})
    return {
        "columns": COLUMNS,
        "rows": listed,
        "sources": [{"rule": source.rule, "files": source.files} for source in sources],
        "digests": digests(results, files),
    }


def digests(results: Path, files: Iterable[str]) -> dict[str, str]:
    """sha256 of the files that are there, by their path under the results."""
    return {file: file_digest(results / file) for file in files if (results / file).is_file()}


def _source(row: Row, scale: Scale, results: Path) -> Source:
    stage, table = stage_of(row.metric)
    if stage == "evaluate":
        return Source("merge", tuple(_reports(row, scale)))
    folder = GenerationFolder(results, Place(row.run, row.seed or 0, row.generation))
    if stage == "training":
        return Source("train", (f"training/{folder.spot}.parquet",))
    if stage == "batch":
        return Source("batch", (f"batch/{folder.spot}.parquet",))
    if stage in ("inject", "validate", "solve", PLAYED):
        paths = [path for rule in stage.split(" and ") for path in folder.tables(rule, table)]
        return Source(stage, tuple(path.relative_to(results).as_posix() for path in paths))
    return Source("metrics", ("metrics.parquet",))


def _reports(row: Row, scale: Scale) -> Iterable[str]:
    """The reports of a resolve rate: of every seed where seeds are pooled, and of the run it is compared with."""
    for run in dict.fromkeys([row.run, row.against or row.run]):
        generation = 0 if run == "base" else row.generation
        for seed in scale.seeds if row.seed is None else [row.seed]:
            for benchmark in panels(scale.evaluation.benchmarks) if row.benchmark == BOTH else [row.benchmark]:
                yield f"evaluate/{run}/s{seed}/{generation:03d}/{benchmark}/report.json"
