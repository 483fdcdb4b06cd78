"""Inference in this process: any Hugging Face causal model, decoded in lockstep rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from transformers import PretrainedConfig

from ssr.contracts import Completion, CompletionRequest
from ssr.engine.barrier import Barrier
from ssr.engine.chat import ChatCodec
from ssr.engine.decoding import Decoder, Row
from ssr.engine.forward import CachedModel, FusedModel
from ssr.engine.loading import load_codec, load_config, longest_context, room_after, weight_version
from ssr.engine.weights import read_weights, weight_files
from ssr.errors import EngineError


class TransformersEngine:
    """Decodes every joined episode's turn in one batch, on a GPU if there is one.

    Log-probabilities are those of the full distribution at the sampling temperature, from float32 logits.
    Raises EngineError for a folder that holds no model or tokenizer, a tokenizer without a chat template or with more
    ids than the model, and a model whose layers do not all attend to the whole context.
    """

    def __init__(self, checkpoint: Path, dtype: str = "float32", threads: int = 1, fused: bool = True) -> None:
        """Without `fused` the library's own code decodes, even where FusedModel could; `ssr bench rollout` times it."""
        torch.set_num_threads(threads)
        self._codec = load_codec(checkpoint)
        config = load_config(checkpoint, self._codec)
        _check(config, checkpoint)
        self._weight_version = weight_version(checkpoint)
        self._longest = longest_context(config)
        self._decoder = Decoder(_model(checkpoint, config, dtype, fused), self._codec.stop_ids)
        self._barrier: Barrier[Row] = Barrier(self._round)

    @property
    def codec(self) -> ChatCodec:
        """How messages become ids."""
        return self._codec

    @property
    def weight_version(self) -> int:
        """Optimizer step of the checkpoint; 0 for one that this project did not train."""
        return self._weight_version

    def join(self) -> None:
        """One more episode is in flight."""
        self._barrier.join()

    def leave(self) -> None:
        """An episode that joined has ended."""
        self._barrier.leave()

    async def complete(self, request: CompletionRequest) -> Completion:
        """One sampled turn, when every joined episode has asked for one.

        Raises ContextFull for a prompt that leaves no room in the model's context, EngineError when memory runs out.
        """
        room = room_after(request, self._longest)
        row = await self._barrier.ask(replace(request, max_tokens=room))
        return Completion(
            text=self._codec.decode(row.tokens),
            token_ids=tuple(row.tokens),
            logprobs=tuple(row.logprobs),
            stopped=row.tokens[-1] in self._codec.stop_ids,
            prompt_tokens=len(request.prompt_ids),
            completion_tokens=len(row.tokens),
        )

    def close(self) -> None:
        """Free the cache of conversations."""
        self._decoder.clear()

    def _round(self, requests: Sequence[CompletionRequest]) -> Mapping[str, Row]:
        try:
            return self._decoder.round(requests)
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise EngineError(f"no memory for a round of {len(requests)} episodes; lower engine.in_flight") from error


def _check(config: PretrainedConfig, checkpoint: Path) -> None:
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"}:
        raise EngineError(
            f"{checkpoint} has layers of kind {', '.join(sorted(kinds))}; this engine knows full attention"
        )


def _model(checkpoint: Path, config: PretrainedConfig, dtype: str, fused: bool) -> CachedModel:
    """The model on its device; the library's modelling code is imported only where it is needed."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    files = weight_files(checkpoint)
    if fused and FusedModel.fits(config) and any("model.embed_tokens.weight" in names for names in files.values()):
        weights = read_weights(checkpoint, files, dtype, device)
        try:
            return FusedModel(config, weights)
        except KeyError as error:
            raise EngineError(f"cannot read the model of {checkpoint}: it has no weight {error}") from error
    from ssr.engine.plain import PlainModel, load_model

    model = load_model(checkpoint, dtype)
    torch.nn.Module.to(model, device)
    return PlainModel(model)
