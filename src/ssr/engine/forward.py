"""Cached forward passes of the Llama family with fused weights; plain.py has them for any other model."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PretrainedConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from ssr.engine.cache import RowCache, causal_mask, whole_blocks

PIECE = 1024
"""Tokens of one prefill pass."""

Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]
"""Layer, queries [m, heads, width] of the last tokens, keys and values [n, key heads, width] -> [m, heads * width]."""


class CachedModel(Protocol):
    """What the decoding loop asks of a model."""

    cache: RowCache
    device: torch.device

    def prefill(self, row: int, start: int, ids: Sequence[int]) -> Tensor:
        """Read ids into a row from position `start` on; float32 logits [vocabulary] after the last of them."""
        ...

    def decode(self, ids: Tensor, positions: Tensor, hidden: Tensor) -> Tensor:
        """One token for each of the first n rows, at its position; float32 logits [n, vocabulary].

        `hidden` [n, whole blocks] is true where a row must not look: after its position.
        """
        ...


class FusedModel:
    """Llama, Mistral, Qwen2 and Qwen3 with their projections fused: half as many tokens a second again as
    PlainModel on a small model. It needs none of the library's modelling code, whose import takes a job seconds."""

    TYPES = frozenset({"llama", "mistral", "qwen2", "qwen3"})

    def __init__(self, config: PretrainedConfig, weights: Mapping[str, Tensor]) -> None:
        """`weights` under the names that the model's own code gives them; KeyError where one is missing."""
        self.embedding = weights["model.embed_tokens.weight"]
        self.device = self.embedding.device
        self.cache = RowCache(config.num_hidden_layers)
        self.heads, self.key_heads = config.num_attention_heads, config.num_key_value_heads
        self.width = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.eps = config.rms_norm_eps
        self.scale = self.width**-0.5
        self.norm = weights["model.norm.weight"]
        self.head = self.embedding if config.tie_word_embeddings else weights["lm_head.weight"]
        frequencies, self.rotation_scale = _frequencies(config, self.width)
        self.frequencies = frequencies.to(self.device)
        prefixes = [f"model.layers.{index}." for index in range(config.num_hidden_layers)]
        self.layers = [_Layer(weights, prefix, self.heads, self.key_heads) for prefix in prefixes]
        self.cos = self.sin = self.embedding.new_zeros(0, 1, self.width)

    @classmethod
    def fits(cls, config: PretrainedConfig) -> bool:
        """Whether this class computes what the model's own code would."""
        parameters = getattr(config, "rope_parameters", None) or {}
        return (
            config.model_type in cls.TYPES
            and config.hidden_act == "silu"
            and getattr(config, "quantization_config", None) is None
            and parameters.get("rope_type", "default") in ("default", "linear", "llama3", "yarn")
        )

    def prefill(self, row: int, start: int, ids: Sequence[int]) -> Tensor:
        hidden = self.embedding[:0]
        for begin in range(0, len(ids), PIECE):
            piece = torch.tensor(ids[begin : begin + PIECE], device=self.device)
            at, end = start + begin, start + begin + len(piece)
            self._rotations(end)
            hidden = self._run(piece, self.cos[at:end], self.sin[at:end], self._prefill_attention(row, at, end), 1)
        return F.linear(hidden, self.head)[0].float()

    def decode(self, ids: Tensor, positions: Tensor, hidden: Tensor) -> Tensor:
        self._rotations(max(hidden.shape[1], int(positions.max()) + 1))
        attention = self._decode_attention(positions, hidden)
        hidden_states = self._run(ids, self.cos[positions], self.sin[positions], attention, len(ids))
        return F.linear(hidden_states, self.head).float()

    def _rotations(self, length: int) -> None:
        if len(self.cos) >= length:
            return
        positions = torch.arange(whole_blocks(length * 2), device=self.device)
        angles = positions[:, None].float() * self.frequencies
        cos, sin = angles.cos() * self.rotation_scale, angles.sin() * self.rotation_scale
        dtype = self.embedding.dtype
        self.cos = torch.cat([cos, cos], dim=-1)[:, None].to(dtype)
        self.sin = torch.cat([-sin, sin], dim=-1)[:, None].to(dtype)

    def _run(self, ids: Tensor, cos: Tensor, sin: Tensor, attend: Attend, wanted: int) -> Tensor:
        """Hidden states [wanted, hidden] of the last tokens after the last norm.

        Of the other tokens, nothing reads more of the last layer than its keys and values.
        """
        x = self.embedding[ids]
        count, half, split = len(ids), self.width // 2, self.heads + self.key_heads
        last = len(self.layers) - 1
        for index, layer in enumerate(self.layers):
            h = F.rms_norm(x, x.shape[-1:], layer.norm_attention, self.eps)
            mixed = F.linear(h, layer.qkv, layer.qkv_bias).view(count, -1, self.width)
            turning, v = mixed[:, :split], mixed[:, split:]
            if layer.norm_turning is not None:
                turning = F.rms_norm(turning, (self.width,), None, self.eps) * layer.norm_turning
            turned = torch.cat([turning[..., half:], turning[..., :half]], dim=-1)
            turning = torch.addcmul(turning * cos, turned, sin)
            queries, keys = turning[:, : self.heads], turning[:, self.heads :]
            if index == last:
                x, queries = x[-wanted:], queries[-wanted:]
            mixed = attend(index, queries, keys, v)
            x = x + F.linear(mixed, layer.out, layer.out_bias)
            h = F.rms_norm(x, x.shape[-1:], layer.norm_mlp, self.eps)
            gate, up = F.linear(h, layer.gate_up, layer.gate_up_bias).chunk(2, dim=-1)
            x = x + F.linear(F.silu(gate).mul_(up), layer.down, layer.down_bias)
        return F.rms_norm(x, x.shape[-1:], self.norm, self.eps)

    def _prefill_attention(self, row: int, start: int, end: int) -> Attend:
        mask = causal_mask(start, end - start, self.device) if start else None

        def attend(index: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            keys, values = self.cache.layer(index, k, self.key_heads)
            keys[row, :, start:end] = k.transpose(0, 1)
            values[row, :, start:end] = v.transpose(0, 1)
            whole = len(q) == end - start
            out = F.scaled_dot_product_attention(
                q.transpose(0, 1)[None],
                keys[row : row + 1, :, :end],
                values[row : row + 1, :, :end],
                attn_mask=mask if whole else None,
                is_causal=mask is None and whole,
                enable_gqa=self.heads != self.key_heads,
            )
            return out[0].transpose(0, 1).reshape(len(q), -1)

        return attend

    def _decode_attention(self, positions: Tensor, hidden: Tensor) -> Attend:
        count, length = hidden.shape
        mask = torch.zeros(hidden.shape, dtype=self.embedding.dtype, device=self.device).masked_fill_(
            hidden, -torch.inf
        )
        rows = torch.arange(count, device=self.device)
        flat = (count * self.key_heads, self.heads // self.key_heads)

        def attend(index: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            keys, values = self.cache.layer(index, k, self.key_heads)
            keys[rows, :, positions] = k
            values[rows, :, positions] = v
            keys = keys[:count].flatten(0, 1)[:, :length]
            values = values[:count].flatten(0, 1)[:, :length]
            scores = torch.bmm((q * self.scale).reshape(*flat, self.width), keys.transpose(1, 2))
            scores.view(count, self.heads, length).add_(mask[:, None])
            weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(v.dtype)
            return torch.bmm(weights, values).view(count, -1)

        return attend


class _Layer:
    """The weights of one layer, fused."""

    def __init__(self, weights: Mapping[str, Tensor], prefix: str, heads: int, key_heads: int) -> None:
        attention, mlp = f"{prefix}self_attn.", f"{prefix}mlp."
        self.norm_attention = weights[f"{prefix}input_layernorm.weight"]
        self.norm_mlp = weights[f"{prefix}post_attention_layernorm.weight"]
        self.qkv, self.qkv_bias = _fuse(weights, [f"{attention}{part}_proj" for part in "qkv"])
        self.out, self.out_bias = _fuse(weights, [f"{attention}o_proj"])
        self.gate_up, self.gate_up_bias = _fuse(weights, [f"{mlp}gate_proj", f"{mlp}up_proj"])
        self.down, self.down_bias = _fuse(weights, [f"{mlp}down_proj"])
        self.norm_turning: Tensor | None = None
        if f"{attention}q_norm.weight" in weights:
            norms = [weights[f"{attention}q_norm.weight"]] * heads + [weights[f"{attention}k_norm.weight"]] * key_heads
            self.norm_turning = torch.stack(norms)


def _fuse(weights: Mapping[str, Tensor], names: Sequence[str]) -> tuple[Tensor, Tensor | None]:
    """One weight and bias for several projections of the same input."""
    weight = torch.cat([weights[f"{name}.weight"] for name in names])
    if f"{names[0]}.bias" not in weights:
        return weight, None
    return weight, torch.cat([weights[f"{name}.bias"] for name in names])


def _frequencies(config: PretrainedConfig, width: int) -> tuple[Tensor, float]:
    """Angles a position [width / 2], and the factor of sines and cosines; `default` is not in the library's table."""
    kind = config.rope_parameters["rope_type"]
    if kind != "default":
        return ROPE_INIT_FUNCTIONS[kind](config)
    return 1.0 / (config.rope_parameters["rope_theta"] ** (torch.arange(0, width, 2, dtype=torch.float) / width)), 1.0
