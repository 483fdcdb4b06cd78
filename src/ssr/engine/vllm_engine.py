"""Inference by vLLM: continuous batching, each conversation's cache kept from turn to turn, on GPUs or a CPU."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssr.config import EngineConfig
from ssr.contracts import Completion, CompletionRequest
from ssr.engine.chat import ChatCodec
from ssr.engine.loading import load_codec, load_config, longest_context, room_after, weight_version
from ssr.engine.probe import compare, expected_logprobs, probe_ids
from ssr.errors import EngineError

if TYPE_CHECKING:
    from vllm import RequestOutput, SamplingParams

    from ssr.engine.vllm_cores import Core

PROBE_TOLERANCES = {"float32": 1e-3, "bfloat16": 0.05}
RESTARTS = 2
"""Times that an engine which died is started again."""


class VllmEngine:
    """Answers each request as soon as it can: nobody waits for the slowest episode, and tools run meanwhile.

    Token ids go in and come out. Log-probabilities are those of the distribution that was sampled from: at the
    temperature and, below top-p 1, over the nucleus alone. Requests carry their own seeds, so that what is sampled does
    not depend on what shares the batch, but for rounding. At its start the weights are checked on a fixed probe.
    Raises EngineError when vLLM is not installed or cannot start, and for a checkpoint that it cannot serve: no model,
    no tokenizer or chat template, or another tokenizer's; or weights that are not the checkpoint's.
    """

    def __init__(self, checkpoint: Path, config: EngineConfig, dtype: str = "float32") -> None:
        self._checkpoint, self._config = checkpoint, config
        self._codec = load_codec(checkpoint)
        model = load_config(checkpoint, self._codec)
        self._longest = config.vllm.context_tokens or longest_context(model)
        self._weight_version = weight_version(checkpoint)
        self._arguments = _arguments(checkpoint, config, dtype, self._longest)
        self._expected = expected_logprobs(checkpoint, self._codec, dtype)
        self._tolerance = config.vllm.probe_tolerance or PROBE_TOLERANCES[dtype]
        self._restarts, self._last = RESTARTS, ""
        self._core = self._started()

    @property
    def codec(self) -> ChatCodec:
        """How messages become ids."""
        return self._codec

    @property
    def weight_version(self) -> int:
        """Optimizer step of the checkpoint; 0 for one that this project did not train."""
        return self._weight_version

    def join(self) -> None:
        """Requests do not wait for each other."""

    def leave(self) -> None:
        """Requests do not wait for each other."""

    async def complete(self, request: CompletionRequest) -> Completion:
        """One sampled turn.

        Raises ContextFull for a prompt that leaves no room in the context. Raises EngineError when vLLM fails; one that
        died is started again for the next request, and checked on the probe again, RESTARTS times.
        """
        params = self._params(request, room_after(request, self._longest))
        if self._core.dead:
            self._restart()
        try:
            output = (await asyncio.wrap_future(self._core.submit(request.prompt_ids, params))).outputs[0]
        except Exception as error:
            self._last = _reason(error)
            raise EngineError(f"{request.key}: vLLM gave no completion: {self._last}") from error
        ids = tuple(output.token_ids)
        return Completion(
            text=self._codec.decode(ids),
            token_ids=ids,
            logprobs=tuple(output.logprobs.logprobs),
            stopped=ids[-1] in self._codec.stop_ids,
            prompt_tokens=len(request.prompt_ids),
            completion_tokens=len(ids),
        )

    def close(self) -> None:
        """End vLLM and free its memory."""
        self._core.close()

    def _params(self, request: CompletionRequest, max_tokens: int) -> "SamplingParams":
        """The end of text is one of the codec's stop tokens; what a model's own files name beside them is not."""
        return _sampling(
            temperature=request.temperature,
            top_p=request.top_p,
            seed=request.seed,
            max_tokens=max_tokens,
            logprobs=0,
            stop_token_ids=sorted(self._codec.stop_ids),
        )

    def _started(self) -> "Core":
        """A core that serves the checkpoint's weights."""
        core = _start(self._arguments, self._config)
        try:
            ids = probe_ids(self._codec)
            scored = core.submit(ids, _sampling(max_tokens=1, prompt_logprobs=0)).result()
            compare(_prompt_logprobs(scored), self._expected, self._tolerance, self._checkpoint)
        except BaseException:
            core.close()
            raise
        return core

    def _restart(self) -> None:
        if self._restarts == 0:
            raise EngineError(f"vLLM died {RESTARTS + 1} times; it is not started again. The last time: {self._last}")
        self._restarts -= 1
        self._core.close()
        self._core = self._started()


def _sampling(**settings: Any) -> "SamplingParams":  # noqa: ANN401
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        ignore_eos=True,
        detokenize=False,
        flat_logprobs=True,
        output_kind=RequestOutputKind.FINAL_ONLY,
        **settings,
    )


def _prompt_logprobs(output: "RequestOutput") -> list[float]:
    return [float(value) for value in output.prompt_logprobs.logprobs]


def _arguments(checkpoint: Path, config: EngineConfig, dtype: str, longest: int) -> dict[str, Any]:
    """vLLM's engine arguments, as far as they differ from its defaults."""
    own = config.vllm
    arguments: dict[str, Any] = {
        "model": str(checkpoint),
        "skip_tokenizer_init": True,
        "generation_config": "vllm",
        "dtype": dtype,
        "max_model_len": longest,
        "max_num_seqs": config.in_flight,
        "logprobs_mode": "processed_logprobs",
        "tensor_parallel_size": own.tensor_parallel,
        "data_parallel_size": own.data_parallel,
        "gpu_memory_utilization": own.memory_share,
        "enable_prefix_caching": own.prefix_caching,
        "enforce_eager": own.eager,
        "disable_log_stats": True,
    }
    if own.kv_cache_gb is not None:
        arguments["kv_cache_memory_bytes"] = int(own.kv_cache_gb * 2**30)
    if own.step_tokens is not None:
        arguments["max_num_batched_tokens"] = own.step_tokens
    if own.float32_head:
        arguments["hf_overrides"] = {"head_dtype": "float32"}
    return arguments


def _start(arguments: dict[str, Any], config: EngineConfig) -> "Core":
    """Start vLLM; what it reads from the environment is set unless the user set it."""
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = str(int(config.vllm.own_process))
    defaults = {
        "OMP_NUM_THREADS": str(config.threads),
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_NO_USAGE_STATS": "1",
        "TORCH_COMPILE_DISABLE": str(int(config.vllm.eager)),
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    try:
        from ssr.engine.vllm_cores import Beside, Inside
    except ImportError as error:
        raise EngineError(
            f"vLLM cannot be imported ({error}): install the extra `vllm`, or on a machine without GPU run the command "
            "in the environment of envs/vllm"
        ) from error
    try:
        return Beside(arguments) if config.vllm.own_process else Inside(arguments)
    except (RuntimeError, ValueError, OSError, MemoryError) as error:
        raise EngineError(
            f"vLLM cannot start: {_reason(error)} (if memory is short: lower engine.vllm.context_tokens or "
            "engine.in_flight, or raise engine.vllm.memory_share or engine.vllm.kv_cache_gb)"
        ) from error


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
