"""Checkpoints: Hugging Face folders with optimizer state and digests; written whole or not at all."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer
from transformers import AutoModelForCausalLM, PreTrainedModel

from ssr.digests import DIGESTS, write_digests, wrong_files
from ssr.errors import StorageError, TrainingError
from ssr.files import written
from ssr.training.state import TRAINER_STATE

TRAINING = "training"
"""Folder within a checkpoint that only the trainer reads; engines take every safetensors file beside it for weights."""
OPTIMIZER_STATE = f"{TRAINING}/optimizer.safetensors"
ADAPTER = f"{TRAINING}/adapter.safetensors"
BASE = f"{TRAINING}/base"
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "vocab.json",
    "merges.txt",
    "generation_config.json",
)


def save_checkpoint(
    folder: Path,
    model: PreTrainedModel,
    tokenizer_from: Path,
    state: dict[str, Any],
    optimizer: dict[str, Tensor] | None = None,
    weights: dict[str, Tensor] | None = None,
    adapter: dict[str, Tensor] | None = None,
) -> None:
    """Write a checkpoint: weights, config, the tokenizer's files copied from `tokenizer_from`, trainer state, digests.

    `state` holds at least `step`. `weights` replaces the model's own state dict where that is spread over ranks or has
    an adapter; the `adapter` is kept beside the merged weights, with the weights that `tokenizer_from`, the checkpoint
    before, had under it. A folder that exists is replaced; nothing half-written is left under `folder`'s name. Raises
    TrainingError for a tokenizer folder without tokenizer, or a state without step, StorageError for a full disk.
    """
    if not (tokenizer_from / "tokenizer_config.json").is_file():
        raise TrainingError(f"{tokenizer_from} holds no tokenizer to copy into the checkpoint {folder}")
    if not isinstance(state.get("step"), int):
        raise TrainingError("the trainer state needs an integer `step`")
    with written(folder) as partial, _space():
        model.save_pretrained(partial, state_dict=weights)
        for name in TOKENIZER_FILES:
            if (tokenizer_from / name).is_file():
                shutil.copyfile(tokenizer_from / name, partial / name)
        if optimizer is not None or adapter is not None:
            (partial / TRAINING).mkdir()
        if adapter is not None:
            save_file(_sorted(adapter), partial / ADAPTER)
            _link_base(tokenizer_from, partial / BASE)
        if optimizer is not None:
            save_file(_sorted(optimizer), partial / OPTIMIZER_STATE)
        (partial / TRAINER_STATE).write_text(json.dumps(state, indent=1, sort_keys=True) + "\n")
        write_digests(partial)


@contextmanager
def _space() -> Iterator[None]:
    """Safetensors says in an error of its own that a disk is full."""
    try:
        yield
    except SafetensorError as error:
        raise StorageError(f"cannot write a checkpoint: {error}; give it room and start it again") from error


def _sorted(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensors[name].contiguous() for name in sorted(tensors)}


def base_of(checkpoint: Path) -> Path:
    """Where the weights under a checkpoint's adapter lie: the checkpoint itself before any adapter was trained."""
    return checkpoint / BASE if (checkpoint / ADAPTER).is_file() else checkpoint


def _link_base(previous: Path, folder: Path) -> None:
    """Hard links to the weights under the adapter, so that a checkpoint is whole and they are stored once."""
    folder.mkdir()
    for path in sorted(base_of(previous).iterdir()):
        if path.name == "config.json" or path.name.startswith("model"):
            try:
                (folder / path.name).hardlink_to(path)
            except OSError:
                shutil.copyfile(path, folder / path.name)


def verify(folder: Path) -> None:
    """Raise TrainingError unless the folder holds exactly the files, and the bytes, that its `sha256` lists."""
    if not (folder / DIGESTS).is_file():
        raise TrainingError(f"{folder} is no whole checkpoint: it has no file {DIGESTS!r}")
    wrong = wrong_files(folder)
    if wrong == [OPTIMIZER_STATE] and not (folder / OPTIMIZER_STATE).exists():
        raise TrainingError(
            f"{folder} gave up its optimizer state when later generations had been trained (training.keep_states); "
            "delete the checkpoints of this run to train it again from its first generation"
        )
    if wrong:
        raise TrainingError(f"the checkpoint {folder} is damaged or was changed: {', '.join(wrong)}; make it again")


def give_up_state(folder: Path) -> None:
    """Delete a checkpoint's optimizer state: its weights still play, but no generation is trained from it again."""
    (folder / OPTIMIZER_STATE).unlink(missing_ok=True)


def load_model(checkpoint: str | Path, dtype: torch.dtype | Literal["auto"] = torch.float32) -> PreTrainedModel:
    """The causal language model of a checkpoint folder; `auto` keeps the type it was saved in. Raises TrainingError if
    there is none."""
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=dtype)
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot load a causal language model from {checkpoint}: {error}") from error
    return model


def weight_tensors(model: PreTrainedModel, keep: bool = True) -> dict[str, Tensor]:
    """The model's weights on the CPU, put together from all ranks' shares, tied ones once.

    Every rank must call it; one that does not `keep` the tensors gets none.
    """
    tied = model._tied_weights_keys if model.config.get_text_config().tie_word_embeddings else ()
    tensors = {}
    for name, value in model.state_dict().items():
        together = whole(value)
        if keep and name not in (tied or ()):
            tensors[name] = together.cpu()
    return tensors


def optimizer_tensors(model: nn.Module, optimizer: Optimizer, keep: bool = True) -> dict[str, Tensor]:
    """The optimizer's state on the CPU as "<parameter>/<entry>", put together from all ranks' shares.

    Every rank must call it; one that does not `keep` the tensors gets none.
    """
    tensors = {}
    for name, parameter in model.named_parameters():
        for entry, value in optimizer.state.get(parameter, {}).items():
            together = whole(torch.as_tensor(value))
            if keep:
                tensors[f"{name}/{entry}"] = together.cpu()
    return tensors


def load_optimizer(checkpoint: Path, model: nn.Module, optimizer: Optimizer) -> None:
    """Put a checkpoint's optimizer state back; a checkpoint without any leaves a fresh optimizer.

    Raises TrainingError if the state is not that of the model's trainable parameters.
    """
    path = checkpoint / OPTIMIZER_STATE
    if not path.is_file():
        return
    tensors = load_file(path)
    parameters = {name: value for name, value in model.named_parameters() if value.requires_grad}
    owners = {name.rpartition("/")[0] for name in tensors}
    if owners != set(parameters):
        raise TrainingError(f"{path} belongs to another model: {', '.join(sorted(owners ^ set(parameters))[:5])}")
    fused = optimizer.defaults.get("fused")
    for name, value in tensors.items():
        owner, _, entry = name.rpartition("/")
        parameter = parameters[owner]
        counter = value.to(parameter.device) if fused else value
        optimizer.state[parameter][entry] = counter if value.dim() == 0 else _like(value, parameter)


def whole(tensor: Tensor) -> Tensor:
    """A tensor put together from all ranks' shares; every rank must call it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def _like(value: Tensor, parameter: Tensor) -> Tensor:
    if isinstance(parameter, DTensor):
        return distribute_tensor(value.to(parameter.device), parameter.device_mesh, parameter.placements)
    return value.to(parameter.device)
