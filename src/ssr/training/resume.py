"""A killed generation goes on from its last saved optimizer step, and ends in the same bytes."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ssr.code import code_digest
from ssr.config import TrainingConfig
from ssr.digests import DIGESTS
from ssr.errors import TrainingError
from ssr.training.checkpoint import verify
from ssr.training.metrics import StepMetrics
from ssr.training.state import read_state

CODE = ("ssr.training.__main__",)


def work_key(batch: Path, checkpoint: Path, config: TrainingConfig, dtype: str) -> str:
    """Names one generation's work by its inputs: batch, checkpoint before, settings, code."""
    settings = config.model_dump_json(exclude={"keep_states"})
    digest = hashlib.sha256(f"{dtype} {settings} {code_digest(CODE)}\n".encode())
    for path in (batch, checkpoint / DIGESTS):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


class Unfinished:
    """The checkpoint beside `out` that an unfinished generation goes on from.

    It outlives `out`, until the next generation is trained: if snakemake is killed before it has noted a job's end, it
    takes back what the job wrote.
    """

    def __init__(self, out: Path, key: str) -> None:
        self.folder, self.key = _beside(out), key

    def find(self) -> tuple[Path, list[StepMetrics]] | None:
        """The checkpoint to go on from and the steps behind it; None if there is none of this very work, or it is
        damaged."""
        kept = read_state(self.folder).get("unfinished")
        if kept is None or kept["key"] != self.key:
            return None
        try:
            verify(self.folder)
        except TrainingError:
            return None
        return self.folder, [StepMetrics(**row) for row in kept["steps"]]

    def state(self, finished: Sequence[StepMetrics]) -> dict[str, Any]:
        """What the trainer state of that checkpoint says beyond its step."""
        return {"unfinished": {"key": self.key, "steps": [asdict(row) for row in finished]}}


def forget_unfinished(checkpoint: Path) -> None:
    """Remove what the generation that wrote `checkpoint` would go on from."""
    shutil.rmtree(_beside(checkpoint), ignore_errors=True)


def _beside(out: Path) -> Path:
    return out.with_name(f".{out.name}.unfinished")
