"""Released results: summaries of runs that are finished, added run by run, each with a manifest of what made it."""

from collections.abc import Sequence
from pathlib import Path

from ssr.config import Scale, load_scale
from ssr.errors import EvaluationError
from ssr.paper.data import SUMMARIES
from ssr.paper.manifest import make_manifest, write_manifest
from ssr.paper.sources import BASE, sources_of
from ssr.paper.summarise import summarise
from ssr.paper.summary import folder_of, write_summary

MANIFEST = "manifest.json"


def release_runs(scale_file: Path, snapshots: Path, out: Path, runs: Sequence[str] | None = None) -> list[Path]:
    """Add the base model and runs of a scale to `out`/summary; the folders that were written.

    A manifest's `code` is the tree that the release was made by.

    Without `runs` every run and seed whose stages are all done is added. Raises EvaluationError for a file that a named
    run lacks, ConfigError for a run that the scale does not have.
    """
    scale = load_scale(scale_file)
    results = Path("results") / scale.name
    places = [(run, seed) for run in (BASE, *(runs or scale.runs)) for seed in scale.seeds]
    written = []
    for run, seed in places:
        if runs is None and not finished(scale, results, run, seed):
            continue
        folder = folder_of(out / SUMMARIES, run, seed)
        write_summary(folder, summarise(scale, results, run, seed))
        write_manifest(
            make_manifest(scale_file, results, snapshots, Path.cwd(), parts_of(scale, run, seed)), folder / MANIFEST
        )
        written.append(folder)
    return written


def finished(scale: Scale, results: Path, run: str, seed: int) -> bool:
    """Whether every file that the run's summary needs is there."""
    try:
        sources_of(scale, results, run, seed)
    except EvaluationError:
        return False
    return True


def parts_of(scale: Scale, run: str, seed: int) -> tuple[str, ...]:
    """Folders of a scale's results that a run and seed came from, as patterns of paths."""
    stages = ("tasks", "inject", "validate", "solve", "batch", "training", "checkpoints", "evaluate")
    own = tuple(f"{stage}/{run}/s{seed}/*" for stage in stages)
    others = run != BASE and scale.for_run(run).selfplay.bugs_of
    bugs = (f"bugs/{others}/s{seed}.parquet",) if others else ()
    return (*own, *bugs, "benchmarks/*", "checkpoints/000/*")
