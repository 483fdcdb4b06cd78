"""What a killed stage of the base model's making goes on from: it ends in the same bytes as one that was not killed."""

import hashlib
from pathlib import Path
from typing import Any

import torch

from ssr.code import code_digest
from ssr.config import Scale
from ssr.digests import DIGESTS
from ssr.files import written
from ssr.repository.snapshot import Snapshot


def work_key(stage: str, scale: Scale, snapshots: list[Snapshot], given: Path) -> str:
    """Names a stage's work by its code, its recipe, the commits that it reads and the digests of the folder `given`."""
    parts = [code_digest([f"ssr.basemodel.{stage}"]), scale.basemodel.model_dump_json(), scale.agent.model_dump_json()]
    parts += [snapshot.head for snapshot in snapshots]
    parts += [(given / DIGESTS).read_text()] if (given / DIGESTS).is_file() else []
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Unfinished:
    """A file beside `out` that holds the trainer's state until `out` is written."""

    def __init__(self, out: Path, key: str) -> None:
        self.path, self.key = out.with_name(f".{out.name}.unfinished"), key

    def read(self) -> dict[str, Any] | None:
        """The state to go on from; None if there is none of this very work."""
        if not self.path.is_file():
            return None
        kept = torch.load(self.path, weights_only=True)
        return dict(kept["state"]) if kept["key"] == self.key else None

    def write(self, state: dict[str, Any]) -> None:
        """Keep a state instead of the one before."""
        with written(self.path) as partial:
            torch.save({"key": self.key, "state": state}, partial)

    def forget(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)
