"""Any Hugging Face causal model with full attention: loaded and run by the library's own code."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.cache_utils import Cache

from ssr.engine.cache import RowCache, causal_mask
from ssr.engine.forward import PIECE
from ssr.errors import EngineError


def load_model(checkpoint: Path, dtype: str) -> PreTrainedModel:
    """The model on the CPU, for inference. Raises EngineError where there is none."""
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=getattr(torch, dtype))
    except (OSError, ValueError) as error:
        raise EngineError(f"cannot read the model of {checkpoint}: {error}") from error
    model.eval().requires_grad_(False)
    return model


class _Pass(Cache):
    """The rows of one pass, as the model's own attention layers see a cache."""

    def __init__(self, cache: RowCache, rows: slice, positions: Tensor, length: int) -> None:
        super().__init__(layers=[])
        self.cache, self.rows, self.positions, self.length = cache, rows, positions, length

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        """Write new keys and values [rows, heads, new, width] and return all up to this pass's length."""
        keys, values = self.cache.layer(layer_idx, key_states, key_states.shape[1], value_states.shape[-1])
        keys, values = keys[self.rows], values[self.rows]
        where = self.positions[:, None, :, None]
        keys.scatter_(2, where.expand_as(key_states), key_states)
        values.scatter_(2, where.expand_as(value_states), value_states)
        return keys[:, :, : self.length], values[:, :, : self.length]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self.length - self.positions.shape[1]


class PlainModel:
    """Any Hugging Face causal model with full attention, run by its own code over a RowCache."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        self.device = model.device
        self.cache = RowCache(model.config.get_text_config().num_hidden_layers)

    def prefill(self, row: int, start: int, ids: Sequence[int]) -> Tensor:
        logits = torch.empty(0)
        for begin in range(0, len(ids), PIECE):
            piece = torch.tensor([ids[begin : begin + PIECE]], device=self.device)
            at, count = start + begin, piece.shape[1]
            mask = causal_mask(at, count, self.device)[None, None]
            positions = torch.arange(at, at + count, device=self.device)[None]
            logits = self._run(piece, slice(row, row + 1), positions, at + count, mask)
        return logits[0]

    def decode(self, ids: Tensor, positions: Tensor, hidden: Tensor) -> Tensor:
        mask = hidden.logical_not()[:, None, None]
        return self._run(ids[:, None], slice(0, len(ids)), positions[:, None], hidden.shape[1], mask)

    def _run(self, ids: Tensor, rows: slice, positions: Tensor, length: int, mask: Tensor) -> Tensor:
        output = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=_Pass(self.cache, rows, positions, length),
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1].float()
        return logits
