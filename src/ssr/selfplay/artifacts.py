"""Artifacts on their way from injection to the checks: artifacts.parquet."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ssr.game.artifact import FILES, BugArtifact
from ssr.selfplay.files import read_rows
from ssr.selfplay.tasks import ORIGIN

PLACE: list["pa.Field[Any]"] = [pa.field("episode_id", pa.string()), *ORIGIN]
_TEXTS: list["pa.Field[Any]"] = [pa.field(name, pa.string()) for name in ("problem", *FILES)]
ARTIFACTS = pa.schema([*PLACE, *_TEXTS])
"""Columns of artifacts.parquet: one row a submitted artifact, its five texts under the files' names."""


@dataclass(frozen=True)
class Submitted:
    """An artifact and the injector episode that handed it in, as one row of artifacts.parquet."""

    place: dict[str, Any]
    artifact: BugArtifact

    @property
    def row(self) -> dict[str, Any]:
        """The row of artifacts.parquet."""
        return {**self.place, "problem": self.artifact.problem, **self.artifact.texts}


def read_artifacts(path: Path) -> list[Submitted]:
    """Read artifacts.parquet."""
    found = []
    for row in read_rows([path]):
        artifact = BugArtifact(*(row[name] for name in (*FILES, "problem")))
        found.append(Submitted({field.name: row[field.name] for field in PLACE}, artifact))
    return found
