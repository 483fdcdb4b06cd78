"""vLLM's two ways to run, beside this process or in a thread of it. Imported only where vLLM is installed."""

import asyncio
import itertools
import queue
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Any, Protocol, TypeVar

from vllm import RequestOutput, SamplingParams
from vllm.engine.arg_utils import AsyncEngineArgs, EngineArgs
from vllm.inputs import tokens_input
from vllm.platforms import current_platform
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.engine.llm_engine import LLMEngine

T = TypeVar("T")


class Core(Protocol):
    """Answers requests in any order, many at a time."""

    @property
    def dead(self) -> bool:
        """Whether it will answer nothing more."""
        ...

    def submit(self, ids: Sequence[int], params: SamplingParams) -> "Future[RequestOutput]":
        """One request; the future raises what vLLM raises."""
        ...

    def close(self) -> None:
        """End its processes and threads, and free what it holds."""
        ...


def suited(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The engine arguments, with prompts read whole on a CPU.

    Where vLLM reads a seeded request's prompt in pieces it turns the random generator back, and dies on a CPU, whose
    generators cannot.
    """
    if not current_platform.is_cpu():
        return dict(arguments)
    tokens = max(arguments["max_model_len"], arguments.get("max_num_batched_tokens", 0))
    return {**arguments, "enable_chunked_prefill": False, "max_num_batched_tokens": tokens}


class Beside:
    """vLLM in processes of its own; a thread here talks to them, so that it outlives the event loops of its callers."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._names = map(str, itertools.count())
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="vllm", daemon=True)
        self._thread.start()
        try:
            self._engine = self._soon(self._started(arguments)).result()
        except BaseException:
            self._stop()
            raise

    @property
    def dead(self) -> bool:
        return bool(self._engine.errored)

    def submit(self, ids: Sequence[int], params: SamplingParams) -> "Future[RequestOutput]":
        return self._soon(self._answer(next(self._names), ids, params))

    def close(self) -> None:
        self._soon(self._ended()).result()
        del self._engine
        self._stop()

    def _soon(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _started(self, arguments: Mapping[str, Any]) -> AsyncLLM:
        return AsyncLLM.from_engine_args(AsyncEngineArgs(**suited(arguments)))

    async def _ended(self) -> None:
        """Without a pause, or the task that reads answers would find a dead engine and say so."""
        self._engine.shutdown()

    async def _answer(self, name: str, ids: Sequence[int], params: SamplingParams) -> RequestOutput:
        outputs = [o async for o in self._engine.generate(tokens_input(list(ids)), params, name)]
        return outputs[-1]


class Inside:
    """vLLM in a thread of this process: steps as long as there are requests, and takes new ones between two steps."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self.dead = False
        self._names = map(str, itertools.count())
        self._asked: queue.SimpleQueue[tuple[Sequence[int], SamplingParams, Future[RequestOutput]] | None]
        self._asked = queue.SimpleQueue()
        self._pending: dict[str, Future[RequestOutput]] = {}
        started: Future[None] = Future()
        self._thread = Thread(target=self._serve, args=(arguments, started), name="vllm", daemon=True)
        self._thread.start()
        started.result()

    def submit(self, ids: Sequence[int], params: SamplingParams) -> "Future[RequestOutput]":
        future: Future[RequestOutput] = Future()
        self._asked.put((ids, params, future))
        return future

    def close(self) -> None:
        self._asked.put(None)
        self._thread.join()

    def _serve(self, arguments: Mapping[str, Any], started: "Future[None]") -> None:
        try:
            engine = LLMEngine.from_engine_args(EngineArgs(**suited(arguments)))
        except BaseException as error:
            started.set_exception(error)
            return
        started.set_result(None)
        try:
            while self._take(engine):
                for output in engine.step():
                    self._pending.pop(output.request_id).set_result(output)
        except Exception as error:
            self._die(error)
        finally:
            engine.engine_core.shutdown()

    def _take(self, engine: LLMEngine) -> bool:
        """Hand the engine what was asked since its last step, waiting if it has nothing to do; False to end."""
        while not (self._pending and self._asked.empty()):
            if (asked := self._asked.get()) is None:
                return False
            ids, params, future = asked
            if future.set_running_or_notify_cancel():
                self._add(engine, ids, params, future)
        return True

    def _add(
        self, engine: LLMEngine, ids: Sequence[int], params: SamplingParams, future: "Future[RequestOutput]"
    ) -> None:
        name = next(self._names)
        try:
            engine.add_request(name, tokens_input(list(ids)), params)
        except ValueError as error:
            future.set_exception(error)
        else:
            self._pending[name] = future

    def _die(self, error: Exception) -> None:
        """Fail what is pending, and whatever is asked from now on until it is closed."""
        self.dead = True
        for future in self._pending.values():
            future.set_exception(error)
        while (asked := self._asked.get()) is not None:
            asked[2].set_exception(error)
