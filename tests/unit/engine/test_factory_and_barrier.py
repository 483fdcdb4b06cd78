import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from tiny import tiny_checkpoint, tiny_qwen3

from ssr.config import EngineConfig
from ssr.contracts import CompletionRequest
from ssr.digests import write_digests
from ssr.engine.barrier import Barrier
from ssr.engine.factory import open_engine
from ssr.engine.openai_engine import OpenAIEngine
from ssr.engine.transformers_engine import TransformersEngine
from ssr.errors import ConfigError, EngineError


def test_engines_by_name(tmp_path: Path) -> None:
    checkpoint = tiny_checkpoint(tmp_path, tiny_qwen3())
    assert isinstance(open_engine(EngineConfig(), checkpoint, "float32"), TransformersEngine)
    config = EngineConfig(kind="openai", endpoint="http://127.0.0.1:1", model="m")
    assert isinstance(open_engine(config, checkpoint), OpenAIEngine)
    with pytest.raises(ConfigError, match="endpoint"):
        open_engine(EngineConfig(kind="openai"), checkpoint)


def test_a_checkpoint_with_a_flipped_byte_is_not_played(tmp_path: Path) -> None:
    checkpoint = tiny_checkpoint(tmp_path, tiny_qwen3())
    write_digests(checkpoint)
    open_engine(EngineConfig(), checkpoint).close()
    weights = checkpoint / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-7] ^= 1
    weights.write_bytes(data)
    with pytest.raises(EngineError, match=r"damaged or was changed: model\.safetensors; make it again"):
        open_engine(EngineConfig(), checkpoint)


def request(key: str) -> CompletionRequest:
    return CompletionRequest(key, [], [1], 1, 1.0, 1.0, 0)


def test_a_round_waits_for_every_joined_episode() -> None:
    rounds: list[list[str]] = []

    def answer(requests: Sequence[CompletionRequest]) -> dict[str, str]:
        rounds.append(sorted(r.key for r in requests))
        return {r.key: r.key.upper() for r in requests}

    async def episode(barrier: Barrier[str], name: str, turns: int) -> None:
        for turn in range(turns):
            await asyncio.sleep(0.001 * (hash((name, turn)) % 5))
            assert await barrier.ask(request(f"{name}/{turn}")) == f"{name}/{turn}".upper()
        barrier.leave()

    async def all_of_them() -> None:
        barrier = Barrier(answer)
        for _ in range(3):
            barrier.join()
        tasks = [episode(barrier, "a", 1), episode(barrier, "b", 3), episode(barrier, "c", 2)]
        await asyncio.wait_for(asyncio.gather(*tasks), 20)

    asyncio.run(all_of_them())
    assert rounds == [["a/0", "b/0", "c/0"], ["b/1", "c/1"], ["b/2"]]


def test_a_failed_round_fails_every_episode_of_it_and_not_the_next() -> None:
    calls = []

    def answer(requests: Sequence[CompletionRequest]) -> dict[str, int]:
        calls.append(len(requests))
        if len(calls) == 1:
            raise EngineError("died")
        return {r.key: 1 for r in requests}

    async def ask_twice() -> list[object]:
        barrier = Barrier(answer)
        barrier.join()
        barrier.join()
        first = await asyncio.gather(barrier.ask(request("a/0")), barrier.ask(request("b/0")), return_exceptions=True)
        second = await asyncio.wait_for(asyncio.gather(barrier.ask(request("a/0")), barrier.ask(request("b/0"))), 20)
        return [*first, *second]

    first, second, *answers = asyncio.run(ask_twice())
    assert isinstance(first, EngineError) and isinstance(second, EngineError) and answers == [1, 1]


def test_a_cancelled_request_is_forgotten() -> None:
    async def cancel_one() -> int:
        barrier = Barrier(lambda requests: {r.key: len(requests) for r in requests})
        barrier.join()
        barrier.join()
        lost = asyncio.create_task(barrier.ask(request("a/0")))
        await asyncio.sleep(0)
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)
        barrier.leave()
        return await asyncio.wait_for(barrier.ask(request("b/0")), 20)

    assert asyncio.run(cancel_one()) == 1
