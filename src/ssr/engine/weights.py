"""A checkpoint's weights as they lie in its safetensors files, without the library's modelling code."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ssr.errors import EngineError

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"


def weight_files(checkpoint: Path) -> dict[str, list[str]]:
    """The names of the weights in each safetensors file; empty where the checkpoint has none.

    Raises EngineError for a file that cannot be read.
    """
    if (checkpoint / INDEX).is_file():
        files: dict[str, list[str]] = {}
        for name, file in json.loads((checkpoint / INDEX).read_text())["weight_map"].items():
            files.setdefault(file, []).append(name)
        return files
    if not (checkpoint / SINGLE).is_file():
        return {}
    try:
        with safe_open(checkpoint / SINGLE, "pt") as opened:
            return {SINGLE: list(opened.keys())}
    except SafetensorError as error:
        raise EngineError(f"cannot read the model of {checkpoint}: {error}") from error


def read_weights(checkpoint: Path, files: Mapping[str, Sequence[str]], dtype: str, device: str) -> dict[str, Tensor]:
    """The named weights on a device. Raises EngineError for a file that cannot be read."""
    weights = {}
    try:
        for file, names in files.items():
            with safe_open(checkpoint / file, "pt") as opened:
                for name in names:
                    weights[name] = opened.get_tensor(name).to(device, getattr(torch, dtype))
    except (OSError, SafetensorError) as error:
        raise EngineError(f"cannot read the model of {checkpoint}: {error}") from error
    return weights
