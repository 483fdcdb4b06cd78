"""Which result files of a run the summary is made from."""

from dataclasses import dataclass
from pathlib import Path

from ssr.config import Scale
from ssr.errors import EvaluationError

BASE = "base"


@dataclass(frozen=True)
class Place:
    """Where in an experiment a number belongs."""

    run: str
    seed: int
    generation: int


@dataclass(frozen=True)
class GenerationFiles:
    """The tables of one generation of one run: shards in order, empty where the run has no such stage."""

    place: Place
    injects: tuple[Path, ...]
    checks: tuple[Path, ...]
    instances: tuple[Path, ...]
    solves: tuple[Path, ...]
    batch: Path
    training: Path


@dataclass(frozen=True)
class Sources:
    """Every file that the summary of one run and seed is made from."""

    scores: tuple[Path, ...]
    """Folders of evaluations: a report.json and an episodes.parquet each."""
    generations: tuple[GenerationFiles, ...]


def sources_of(scale: Scale, results: Path, run: str, seed: int) -> Sources:
    """The files that a run leaves under `results`, or the base model; what longer or other ones left is not read.

    Raises EvaluationError for a file that should be there and is not.
    """
    names, root = scale.evaluation.benchmarks, results / "evaluate"
    if run == BASE:
        return _existing(Sources(tuple(root / BASE / f"s{seed}" / "000" / name for name in names), ()))
    own = scale.for_run(run)
    last = own.selfplay.generations
    scored = [g for g in range(1, last + 1) if g == last or g % own.evaluation.every == 0]
    scores = tuple(root / run / f"s{seed}" / f"{g:03d}" / name for g in scored for name in names)
    generations = [_generation(own, results, Place(run, seed, g)) for g in range(1, last + 1)]
    return _existing(Sources(scores, tuple(generations)))


def _generation(own: Scale, results: Path, place: Place) -> GenerationFiles:
    spot = Path(place.run, f"s{place.seed}", f"{place.generation:03d}")
    shards = [f"{shard:02d}" for shard in range(own.selfplay.shards)]
    plays = own.selfplay.data == "selfplay"
    return GenerationFiles(
        place,
        injects=tuple(results / "inject" / spot / shard / "episodes.parquet" for shard in shards if plays),
        checks=tuple(results / "validate" / spot / shard / "checks.parquet" for shard in shards if plays),
        instances=tuple(results / "validate" / spot / shard / "instances.parquet" for shard in shards if plays),
        solves=tuple(results / "solve" / spot / shard / "episodes.parquet" for shard in shards),
        batch=results / "batch" / spot.with_suffix(".parquet"),
        training=results / "training" / spot.with_suffix(".parquet"),
    )


def _existing(sources: Sources) -> Sources:
    paths = [folder / name for folder in sources.scores for name in ("report.json", "episodes.parquet")]
    for one in sources.generations:
        paths += [*one.injects, *one.checks, *one.instances, *one.solves, one.batch, one.training]
    for path in paths:
        if not path.exists():
            raise EvaluationError(f"{path} is missing: a summary is made when every stage of the run is done")
    return sources
