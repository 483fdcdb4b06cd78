"""The overview's tables: resolve rates with the paper's values beside, and how the runs differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ssr.config import Scale
from ssr.paper.metrics import Row
from ssr.paper.reported import Reported, of_benchmark
from ssr.report.curves import benchmarks_of, interval, link_of, ordered


@dataclass(frozen=True)
class Cell:
    """A number of a table in words, and where it comes from."""

    text: str
    interval: str = ""
    link: str = ""


@dataclass(frozen=True)
class Line:
    """A run's last resolve rate on a benchmark, its gains, and the paper's value."""

    run: str
    style: int
    steps: int
    resolved: Cell
    over_base: Cell
    over_baseline: Cell
    paper: str
    paper_over_base: str


@dataclass(frozen=True)
class ResultTable:
    """The runs on one benchmark."""

    benchmark: str
    tasks: int
    lines: tuple[Line, ...]


def result_tables(rows: Sequence[Row], reported: list[Reported], styles: Sequence[str]) -> list[ResultTable]:
    """A table for each benchmark: the last generation of every run, all seeds together."""
    tables = []
    for benchmark in benchmarks_of(rows):
        own = [row for row in rows if row.benchmark == benchmark and row.seed is None]
        runs = ordered({row.run for row in own})
        values = of_benchmark(reported, benchmark)
        lines = tuple(_line(run, own, values, styles.index(run)) for run in runs)
        tables.append(ResultTable(benchmark, max(row.n for row in own), lines))
    return tables


def _line(run: str, rows: Sequence[Row], paper: dict[str, float], style: int) -> Line:
    last = max(row.generation for row in rows if row.run == run)
    own = [row for row in rows if row.run == run and row.generation == last]
    gains = {row.against: row for row in own if row.metric == "resolved_difference"}
    resolved = next(row for row in own if row.metric == "resolved")
    return Line(
        run=run,
        style=style,
        steps=resolved.step,
        resolved=_cell(resolved),
        over_base=_cell(gains.get("base")),
        over_baseline=_cell(gains.get("baseline")),
        paper=f"{paper[run]:.1f}" if run in paper else "",
        paper_over_base=f"{paper[run] - paper['base']:+.1f}" if run in paper and run != "base" else "",
    )


def _cell(row: Row | None) -> Cell:
    """A share in percent with its 95 % interval."""
    if row is None:
        return Cell("")
    sign = "+" if row.metric == "resolved_difference" else ""
    low, high = interval([row])
    return Cell(f"{100 * row.value:{sign}.1f}", f"{100 * low:{sign}.1f} to {100 * high:{sign}.1f}", link_of(row))


def differing_keys(scale: Scale) -> list[tuple[str, dict[str, str]]]:
    """The keys in which runs differ from the scale: key, and its value by run."""
    flat = {run: dict(_flat(keys)) for run, keys in scale.runs.items()}
    names = sorted({name for keys in flat.values() for name in keys})
    return [(name, {run: keys[name] for run, keys in flat.items() if name in keys}) for name in names]


def all_keys(scale: Scale) -> list[tuple[str, str]]:
    """Every key of the scale but the runs, with its value."""
    return _flat(scale.model_dump(mode="json", exclude={"runs"}))


def _flat(section: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found = []
    for key, value in section.items():
        nested = isinstance(value, dict) and bool(value)
        found += _flat(value, f"{prefix}{key}.") if nested else [(f"{prefix}{key}", str(value))]
    return found
