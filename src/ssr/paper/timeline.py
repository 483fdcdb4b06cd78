"""When each job of a run went on, from its benchmark file: what a lag lets play while another generation trains."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from rich.table import Table

from ssr.errors import EvaluationError
from ssr.paper.style import DOUBLE, save
from ssr.selfplay.files import read_rows
from ssr.training.generation import read_statistics
from ssr.training.state import read_state

STAGES = ("tasks", "inject", "validate", "solve", "batch", "train")
PLAYED = ("inject", "validate", "solve")
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Okabe and Ito's palette, generation by generation."""


@dataclass(frozen=True)
class Job:
    """One job of a run's generation; seconds since the run's first job began."""

    stage: str
    generation: int
    shard: str
    start: float
    end: float


@dataclass(frozen=True)
class Staleness:
    """How old the weights that played a generation were when it was trained on, in optimizer steps."""

    generation: int
    played_by: int
    trained_from: int
    oldest: int
    stale: int
    """Trajectories that were dropped for their age."""
    overlap_s: float
    """Seconds of this generation's play while the generation before trained."""


def jobs_of(results: Path, run: str, seed: int) -> list[Job]:
    """The jobs of a run under a scale's results, by start.

    A benchmark file is written when its job ends and says how long that took. Raises EvaluationError without any.
    """
    timings, spans = results / "timings", []
    for stage in STAGES:
        folder = timings / stage / run / f"s{seed}"
        for path in sorted(folder.rglob("*.tsv")):
            generation, _, shard = path.relative_to(folder).with_suffix("").as_posix().partition("/")
            end = path.stat().st_mtime
            spans.append(Job(stage, int(generation), shard, end - _seconds(path), end))
    if not spans:
        raise EvaluationError(f"{timings} holds no benchmark file of {run}/s{seed}: run `snakemake` first")
    zero = min(job.start for job in spans)
    moved = [Job(job.stage, job.generation, job.shard, job.start - zero, job.end - zero) for job in spans]
    return sorted(moved, key=lambda job: (job.start, job.end))


def overlap(jobs: Sequence[Job], generation: int) -> float:
    """Seconds in which at least one job played a generation while the one before trained."""
    played = [job for job in jobs if job.stage in PLAYED and job.generation == generation]
    trained = [job for job in jobs if job.stage == "train" and job.generation == generation - 1]
    both = sorted((max(a.start, b.start), min(a.end, b.end)) for a in played for b in trained)
    total, reached = 0.0, 0.0
    for start, end in both:
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def staleness(results: Path, run: str, seed: int, jobs: Sequence[Job]) -> list[Staleness]:
    """Of every generation whose batch is there. Raises TrainingError for a batch without statistics."""
    found = []
    for path in sorted((results / "batch" / run / f"s{seed}").glob("*.parquet")):
        generation, counts = int(path.stem), read_statistics(path)
        before = results / "checkpoints" / (f"{run}/s{seed}/{generation - 1:03d}" if generation > 1 else "000")
        step, played = int(read_state(before)["step"]), _played_by(results, f"{run}/s{seed}/{path.stem}")
        stale = int(counts["dropped_stale"])
        found.append(Staleness(generation, played, step, step - played, stale, overlap(jobs, generation)))
    return found


def _played_by(results: Path, place: str) -> int:
    """The optimizer step of the oldest weights among a generation's episodes."""
    paths = [path for stage in ("inject", "solve") for path in (results / stage / place).glob("*/episodes.parquet")]
    return min(int(row["weight_version"]) for row in read_rows(sorted(paths), ["weight_version"]))


def table(rows: Sequence[Staleness]) -> Table:
    """The generations as a table."""
    view = Table("generation", title="Optimizer steps, and seconds of play while the generation before trained")
    for heading in ("played by step", "trained from step", "oldest", "dropped as stale", "overlap s"):
        view.add_column(heading, justify="right")
    for row in rows:
        numbers = (row.played_by, row.trained_from, row.oldest, row.stale)
        view.add_row(str(row.generation), *map(str, numbers), f"{row.overlap_s:.1f}")
    return view


def write_timeline(jobs: Sequence[Job], title: str, folder: Path, name: str = "timeline") -> None:
    """Draw the jobs as bars over time, one colour a generation, as PDF, SVG and PNG."""
    save(lambda: draw(jobs, title), folder, name)


def draw(jobs: Sequence[Job], title: str) -> Figure:
    """A lane for every job that goes on beside others of its stage."""
    lanes = sorted({(STAGES.index(job.stage), job.shard) for job in jobs})
    places = {lane: len(lanes) - number for number, lane in enumerate(lanes)}
    figure = Figure(figsize=(DOUBLE, 0.9 + 0.2 * len(lanes)), layout="constrained")
    axes = figure.subplots()
    for generation in sorted({job.generation for job in jobs}):
        own = [job for job in jobs if job.generation == generation]
        axes.barh(
            [places[STAGES.index(job.stage), job.shard] for job in own], [job.end - job.start for job in own],
            left=[job.start for job in own], height=0.7, color=_colour(generation), zorder=2,
            label=f"generation {generation}",
        )  # fmt: skip
    for job in jobs:
        if job.stage == "train":
            axes.axvspan(job.start, job.end, color=_colour(job.generation), alpha=0.12, linewidth=0, zorder=0)
    axes.set_yticks([places[lane] for lane in lanes], [f"{STAGES[stage]} {shard}".strip() for stage, shard in lanes])
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="seconds since the first job", title=f"{title}; shaded while a generation trains")
    figure.legend(loc="outside lower center", ncols=6)
    return figure


def _colour(generation: int) -> str:
    return COLOURS[(generation - 1) % len(COLOURS)]


def _seconds(path: Path) -> float:
    with path.open(newline="") as file:
        return sum(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))
