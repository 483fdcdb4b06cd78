"""Where the time of a run went, by stage, from the benchmark files that Snakemake writes beside the results."""

import csv
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from ssr.errors import EvaluationError


@dataclass(frozen=True)
class StageTime:
    """All jobs of one stage: wall and CPU seconds summed, the longest job, and the largest resident memory in MB."""

    stage: str
    jobs: int
    wall_s: float
    longest_s: float
    cpu_s: float
    peak_mb: float


def stage_times(timings: Path) -> list[StageTime]:
    """The stages under a scale's folder `timings`, longest first; jobs that were not made in this run count too.

    Raises EvaluationError if there is no benchmark file.
    """
    jobs = {stage: list(rows.values()) for stage, rows in _rows(timings).items()}
    if not jobs:
        raise EvaluationError(f"{timings} holds no benchmark file: run `snakemake` first")
    times = [_sum(stage, rows) for stage, rows in jobs.items()]
    return sorted(times, key=lambda time: (-time.wall_s, time.stage))


def job_seconds(timings: Path, without: Collection[Path] = ()) -> dict[str, list[float]]:
    """Wall seconds of each job by stage, but for those of some benchmark files; empty where nothing was timed."""
    rows = {stage: [_number(row["s"]) for path, row in jobs.items() if path not in without]
            for stage, jobs in _rows(timings).items()}  # fmt: skip
    return {stage: seconds for stage, seconds in rows.items() if seconds}


def _rows(timings: Path) -> dict[str, dict[Path, dict[str, str]]]:
    """The last row of each benchmark file, by stage."""
    found: defaultdict[str, dict[Path, dict[str, str]]] = defaultdict(dict)
    for path in sorted(timings.rglob("*.tsv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                found[path.relative_to(timings).with_suffix("").parts[0]][path] = row
    return dict(found)


def table(times: list[StageTime]) -> Table:
    """The stages as a table, with their share of all job seconds and a last line of sums."""
    total = sum(time.wall_s for time in times)
    view = Table("stage", title="Seconds by stage, summed over jobs")
    for heading in ("jobs", "wall s", "share", "longest s", "CPU s", "peak MB"):
        view.add_column(heading, justify="right")
    for time in times:
        share = f"{time.wall_s / total:.0%}" if total else ""
        numbers = (f"{time.wall_s:.1f}", share, f"{time.longest_s:.1f}", f"{time.cpu_s:.1f}", f"{time.peak_mb:.0f}")
        view.add_row(time.stage, str(time.jobs), *numbers)
    view.add_section()
    cpu = sum(time.cpu_s for time in times)
    view.add_row("all", str(sum(time.jobs for time in times)), f"{total:.1f}", "", "", f"{cpu:.1f}", "")
    return view


def _sum(stage: str, rows: list[dict[str, str]]) -> StageTime:
    wall = [_number(row["s"]) for row in rows]
    cpu = sum(_number(row["cpu_time"]) for row in rows)
    peak = max(_number(row["max_rss"]) for row in rows)
    return StageTime(stage, len(rows), sum(wall), max(wall), cpu, peak)


def _number(text: str) -> float:
    """A short job has no sample of memory or CPU, written as `-` or `NA`."""
    return 0.0 if text in ("-", "NA", "") else float(text)
