"""Where a bug or an episode lies, by its id alone."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssr.config import Scale, load_scale
from ssr.errors import ConfigError, EvaluationError
from ssr.report.bugs import bugs_of
from ssr.report.episodes import episodes_of, evaluated
from ssr.report.files import GenerationFolder, evaluation_tables, generation_folders
from ssr.report.generation import Generation, load_generation
from ssr.selfplay.files import read_rows
from ssr.selfplay.tasks import Place

Entry = tuple[dict[str, Any], dict[str, Any]]
RESULTS = Path("results")
SCALES = Path("workflow/config")
STAGES = ("inject", "solve", "evaluate")
_ID = re.compile(r"^(?P<run>.+)-s(?P<seed>\d+)-g(?P<generation>\d{3})-")


@dataclass(frozen=True)
class Results:
    """The results of one scale, or of one play."""

    folder: Path
    scale: Scale

    def generation(self, place: Place) -> Generation | None:
        """One generation, if an episode of it is there."""
        found = GenerationFolder(self.folder, place)
        known = place.run in self.scale.runs and found.exists
        return load_generation(found, self.scale) if known else None

    def generations(self, run: str) -> list[Generation]:
        """Every generation of a run that is there."""
        return [
            load_generation(folder, self.scale)
            for folder in generation_folders(self.scale, self.folder)
            if folder.place.run == run
        ]


def results_in(given: Path | None, scale: Path | None) -> list[Results]:
    """The results to look in: a folder that is named, or all under results/ whose scale's file is known.

    Raises ConfigError for a folder without results, or one whose scale is not known.
    """
    if given is not None:
        if not _played(given):
            raise ConfigError(f"{given} holds no episodes: name the folder of a scale's results, as results/mini")
        return [Results(given, load_scale(scale or _scale_of(given)))]
    folders = [path for path in [*sorted(RESULTS.glob("*")), *sorted(RESULTS.glob("play/*"))] if _played(path)]
    known = [path for path in folders if scale or _scale_file(path)]
    if not known:
        raise ConfigError(f"no results in {RESULTS.resolve()}: name their folder with --results")
    return [Results(path, load_scale(scale or _scale_of(path))) for path in known]


def find_bug(name: str, places: Iterable[Results]) -> Entry:
    """The bug of that id, as the report shows it. Raises EvaluationError."""
    for results in places:
        for generation in _generations(name, results):
            for row, shown in bugs_of(generation):
                if row["id"] == name:
                    return row, shown
    raise EvaluationError(_nowhere("bug", name))


def find_episode(name: str, places: Iterable[Results]) -> Entry:
    """The episode of that id, as the report shows it. Raises EvaluationError."""
    for results in places:
        for generation in _generations(name, results):
            tables = [*generation.folder.tables("inject", "episodes"), *generation.folder.tables("solve", "episodes")]
            for table in tables:
                for row, shown in episodes_of(generation, table.parent) if _holds(table, name) else ():
                    if row["id"] == name:
                        return row, shown
        for table in evaluation_tables(results.scale, results.folder):
            for row, shown in evaluated(table, results.scale) if _holds(table, name) else ():
                if row["id"] == name:
                    return row, shown
    raise EvaluationError(_nowhere("episode", name))


def _generations(name: str, results: Results) -> Iterator[Generation]:
    """The generation that an id names."""
    if found := _ID.match(name):
        place = Place(found["run"], int(found["seed"]), int(found["generation"]))
        if generation := results.generation(place):
            yield generation


def _holds(table: Path, name: str) -> bool:
    return any(row["episode_id"] == name for row in read_rows([table], ["episode_id"]))


def _played(folder: Path) -> bool:
    return any((folder / stage).is_dir() for stage in STAGES)


def _scale_file(folder: Path) -> Path | None:
    """A play keeps its scale beside its results; that of others lies under workflow/config/."""
    candidates = (folder / "scale.yaml", SCALES / f"{folder.name}.yaml")
    return next((path for path in candidates if path.is_file()), None)


def _scale_of(folder: Path) -> Path:
    if found := _scale_file(folder):
        return found
    raise ConfigError(f"{folder} has no scale at {SCALES / folder.name}.yaml: name its file with --scale")


def _nowhere(kind: str, name: str) -> str:
    return (
        f"no {kind} {name!r} in these results: ids are listed by `ssr show run RUN` and in the report; name another "
        "folder with --results"
    )
