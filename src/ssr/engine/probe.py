"""A fixed conversation whose log-probabilities say whether an engine serves the weights that a checkpoint holds."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import PreTrainedModel

from ssr.contracts import Message
from ssr.engine.chat import ChatCodec
from ssr.engine.plain import load_model
from ssr.errors import EngineError

PROBE = "probe.json"
"""File of a checkpoint in which its trainer wrote down the probe: `token_ids` and `logprobs`."""
QUESTION: list[Message] = [
    {"role": "system", "content": "You repair bugs."},
    {"role": "user", "content": "def mean(values):\n    return sum(values) / (len(values) + 1)\n"},
]
ANSWER = "def mean(values):\n    return sum(values) / len(values)\n"


def probe_ids(codec: ChatCodec) -> list[int]:
    """The probe as this tokenizer and chat template write it."""
    return [*codec.start(QUESTION), *codec.turn(ANSWER)]


def score(model: PreTrainedModel, ids: Sequence[int]) -> list[float]:
    """Log-probabilities (temperature 1, float32) of ids[1:] by a plain forward pass."""
    with torch.inference_mode():
        logits = model(torch.tensor([list(ids)], device=model.device), use_cache=False).logits[0, :-1].float()
        targets = torch.tensor(list(ids[1:]), device=model.device)
        scores: list[float] = torch.log_softmax(logits, dim=-1).gather(1, targets[:, None])[:, 0].tolist()
    return scores


def write_probe(folder: Path, codec: ChatCodec, model: PreTrainedModel) -> None:
    """Write the probe of a model beside its weights, for the engines that will load them."""
    ids = probe_ids(codec)
    (folder / PROBE).write_text(json.dumps({"token_ids": ids, "logprobs": score(model, ids)}) + "\n")


def expected_logprobs(checkpoint: Path, codec: ChatCodec, dtype: str) -> list[float]:
    """What the checkpoint's weights give the probe: as its trainer wrote it down, or else by a plain forward pass.

    Raises EngineError where there is no model, or its trainer's tokenizer or chat template wrote other ids.
    """
    ids = probe_ids(codec)
    if (checkpoint / PROBE).is_file():
        written = json.loads((checkpoint / PROBE).read_text())
        if written["token_ids"] != ids:
            raise EngineError(
                f"{checkpoint} was trained with another tokenizer or chat template than the one that lies in it: they "
                f"write the probe of {PROBE} in other ids; put the tokenizer's files of the training run there"
            )
        return [float(value) for value in written["logprobs"]]
    return score(load_model(checkpoint, dtype), ids)


def compare(served: Sequence[float], expected: Sequence[float], tolerance: float, checkpoint: Path) -> None:
    """Raise EngineError if the mean distance of the log-probabilities is over the tolerance."""
    distance = sum(abs(a - b) for a, b in zip(served, expected, strict=True)) / len(expected)
    if not distance <= tolerance:
        raise EngineError(
            f"the engine does not serve the weights of {checkpoint}: its log-probabilities of the fixed probe are "
            f"{distance:.2g} away from the checkpoint's, more than engine.vllm.probe_tolerance ({tolerance:.2g}); the "
            "weights are stale or damaged, or this engine computes another model"
        )
