"""Checkpoint 000: the base model of a scale, laid where every run finds it."""

import shutil
from pathlib import Path

from ssr.config import Scale
from ssr.errors import ConfigError
from ssr.files import written
from ssr.training.checkpoint import load_model, save_checkpoint, verify


def install(scale: Scale, out: Path) -> None:
    """Copy a folder with digests as it is, or load a model by name, and write it as a checkpoint of step 0.

    Raises TrainingError for a damaged folder or a name that cannot be loaded, ConfigError for a folder without digests.
    """
    base = Path(scale.model.base)
    if base.is_dir():
        if not (base / "sha256").is_file():
            raise ConfigError(f"model.base {base} has no sha256; make it with `snakemake basemodel` or fetch it again")
        verify(base)
        with written(out) as partial:
            for path in sorted(path for path in base.rglob("*") if path.is_file()):
                copy = partial / path.relative_to(base)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, copy)
        return
    from huggingface_hub import snapshot_download

    fetched = Path(snapshot_download(scale.model.base))
    save_checkpoint(out, load_model(fetched, "auto"), fetched, {"step": 0})
