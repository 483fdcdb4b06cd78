"""Where the finished episodes of a generation are kept until later generations need them no more."""

import hashlib
import json
import shutil
from pathlib import Path

from ssr.agent.journal import Journal
from ssr.code import code_digest
from ssr.config import Sampling, Scale
from ssr.repository.snapshot import MANIFEST, Snapshot, file_digest
from ssr.selfplay.tasks import Place

CODE = ("ssr.agent.rollout", "ssr.engine.factory", "ssr.sandbox.factory")


def open_journal(folder: Path, place: Place, scale: Scale, checkpoint: Path, snapshots: dict[str, Snapshot]) -> Journal:
    """The journal of a generation under `folder`, which holds those of one run and seed.

    Journals are deleted when no shard can need them again: the weights that play here were trained on their episodes.
    """
    for number in range(1, place.generation - scale.selfplay.lag):
        shutil.rmtree(folder / f"{number:03d}", ignore_errors=True)
    manifests = {name: file_digest(snapshot.root / MANIFEST) for name, snapshot in sorted(snapshots.items())}
    parts = [play_key(scale, scale.sampling.training, checkpoint), manifests]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return Journal(folder / f"{place.generation:03d}", key)


def play_key(scale: Scale, sampling: Sampling, checkpoint: Path) -> str:
    """Names the weights, the settings and the code that any episode depends on."""
    sections = {name: getattr(scale, name).model_dump(mode="json") for name in ("model", "engine", "agent", "sandbox")}
    parts = [sections, sampling.model_dump(mode="json"), file_digest(checkpoint / "sha256"), code_digest(CODE)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
