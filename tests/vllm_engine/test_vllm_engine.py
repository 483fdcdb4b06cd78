"""vLLM for real, on the CPU, with the released base model."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from serving import AGENT, RELEASED, ask, config, request, talk, with_other_weights
from transformers import AutoModelForCausalLM

from ssr.agent.episode import Episode
from ssr.agent.rollout import run_episodes
from ssr.bench.rollout import episode_specs
from ssr.config import Sampling, load_scale
from ssr.contracts import Engine
from ssr.engine.chat import ChatCodec
from ssr.engine.probe import write_probe
from ssr.engine.transformers_engine import TransformersEngine
from ssr.engine.vllm_engine import RESTARTS, VllmEngine
from ssr.errors import ContextFull, EngineError
from ssr.training.attention import enable_packed_attention, pack, packed_hidden_states
from ssr.training.logprobs import output_weight, token_logprobs

vllm = pytest.importorskip("vllm")
pytestmark = pytest.mark.vllm
SCALE = load_scale(Path(__file__).parents[2] / "workflow" / "config" / "mini.yaml")
GREEDY = Sampling(top_p=1e-6)


@pytest.fixture(scope="module")
def engine() -> Iterator[VllmEngine]:
    engine = VllmEngine(RELEASED, config())
    yield engine
    engine.close()


def trainer_logprobs(codec: ChatCodec, conversations: list[list[int]]) -> list[list[float]]:
    """What the trainer's code gives each token after the first."""
    model = AutoModelForCausalLM.from_pretrained(RELEASED, dtype=torch.float32).eval()
    enable_packed_attention(model)
    scores = []
    with torch.no_grad():
        for ids in conversations:
            hidden = packed_hidden_states(model, pack([ids]))
            found, _ = token_logprobs(hidden[:-1], output_weight(model), torch.tensor(ids[1:]), 64)
            scores.append(found.tolist())
    return scores


def test_logprobs_over_three_turns_equal_the_trainer_s(engine: VllmEngine) -> None:
    talks = [talk(engine, number) for number in range(8)]
    sampled: list[dict[int, float]] = [{} for _ in talks]
    for turn in range(3):
        answers = ask(engine, [request(ids, seed=10 * turn + i) for i, ids in enumerate(talks)])
        for ids, found, answer in zip(talks, sampled, answers, strict=True):
            assert answer.prompt_tokens == len(ids)
            assert 0 < answer.completion_tokens == len(answer.token_ids) == len(answer.logprobs)
            found |= {len(ids) + i - 1: value for i, value in enumerate(answer.logprobs)}
            ids += [*answer.token_ids, *engine.codec.observation(f"turn {turn}")]
    for scores, found in zip(trainer_logprobs(engine.codec, talks), sampled, strict=True):
        assert [scores[place] for place in found] == pytest.approx(list(found.values()), abs=1e-4)


def test_greedy_episodes_are_those_of_the_transformers_engine(engine: VllmEngine) -> None:
    specs = episode_specs(SCALE, AGENT, 12)

    def play(played: Engine) -> list[Episode]:
        return run_episodes(specs, played, AGENT, GREEDY, 12)

    ours, theirs = play(engine), play(TransformersEngine(RELEASED))
    for one, other in zip(ours, theirs, strict=True):
        assert one.token_ids == other.token_ids
        assert one.row() | {"logprobs": None} == other.row() | {"logprobs": None}
        assert one.messages == other.messages
    assert {len(episode.messages) for episode in ours} == {2 * AGENT.max_turns + 1}


def test_seeds_alone_decide_whatever_shares_the_batch(engine: VllmEngine) -> None:
    asked = [request(talk(engine, i % 5), seed=2**62 + i) for i in range(12)]
    together = ask(engine, asked)
    backwards = ask(engine, asked[::-1])[::-1]
    alone = [ask(engine, [one])[0] for one in asked[:4]]
    assert [a.token_ids for a in together] == [a.token_ids for a in backwards]
    assert [a.token_ids for a in together[:4]] == [a.token_ids for a in alone]
    assert len({a.token_ids for a in together}) > 6
    for one, other in zip(together, backwards, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_more_new_prompts_than_one_step_reads(engine: VllmEngine) -> None:
    """On a CPU vLLM dies of a seeded prompt that it reads in pieces."""
    asked = [request([300 + i, *range(400, 900)], seed=i, max_tokens=2) for i in range(12)]
    together = ask(engine, asked)
    assert [a.token_ids for a in together[:2]] == [ask(engine, [one])[0].token_ids for one in asked[:2]]


def test_a_turn_ends_at_a_stop_token_or_at_its_budget(engine: VllmEngine) -> None:
    answers = ask(engine, [request(talk(engine, i), seed=i, max_tokens=24) for i in range(24)])
    stops = engine.codec.stop_ids
    assert {a.stopped for a in answers} == {True, False}
    for answer in answers:
        assert not stops & set(answer.token_ids[:-1])
        assert answer.stopped == (answer.token_ids[-1] in stops)
        assert answer.stopped or answer.completion_tokens == 24
        assert answer.text == engine.codec.decode(answer.token_ids)


def test_nobody_waits_for_an_episode_that_uses_its_tools(engine: VllmEngine) -> None:
    engine.join()
    assert ask(engine, [request(talk(engine, 1))])[0].token_ids


def test_a_full_context_ends_a_turn_and_then_the_episode(engine: VllmEngine) -> None:
    longest = 2048
    (answer,) = ask(engine, [request([300] * (longest - 3), max_tokens=99)])
    assert answer.stopped or answer.completion_tokens == 3
    with pytest.raises(ContextFull, match="2048"):
        ask(engine, [request([300] * longest)])
    wide = AGENT.model_copy(update={"context_tokens": 131_072, "max_turns": 99, "max_format_errors": 99})
    (episode,) = run_episodes(episode_specs(SCALE, wide, 1), engine, wide, Sampling(), 1)
    assert episode.exit_reason == "context_limit" and len(episode.token_ids or ()) > 1500


def test_a_cancelled_request_does_not_disturb_the_others(engine: VllmEngine) -> None:
    async def cancel_one() -> tuple[int, ...]:
        lost = asyncio.create_task(engine.complete(request(talk(engine, 1), seed=1, max_tokens=500)))
        kept = asyncio.create_task(engine.complete(request(talk(engine, 2), seed=2)))
        await asyncio.sleep(0)
        lost.cancel()
        return (await kept).token_ids

    assert asyncio.run(cancel_one()) == ask(engine, [request(talk(engine, 2), seed=2)])[0].token_ids


def test_without_prefix_caching_the_same_is_sampled(engine: VllmEngine) -> None:
    plain = VllmEngine(RELEASED, config(prefix_caching=False))
    asked = [request(talk(plain, i) + talk(plain, i + 1), seed=i) for i in range(6)]
    once, cached, bare = ask(engine, asked), ask(engine, asked), ask(plain, asked)
    plain.close()
    assert [a.token_ids for a in once] == [a.token_ids for a in cached] == [a.token_ids for a in bare]
    for one, other in zip(cached, bare, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_an_engine_that_dies_is_started_again_and_loses_no_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    from vllm.v1.engine.llm_engine import LLMEngine

    real, steps, deadly = LLMEngine.step, [], {20, 30}

    def step(self: LLMEngine) -> object:
        steps.append(1)
        if len(steps) in deadly:
            raise RuntimeError("the GPU fell off the bus")
        return real(self)

    specs = episode_specs(SCALE, AGENT, 4)
    engine = VllmEngine(RELEASED, config())
    calm = run_episodes(specs, engine, AGENT, GREEDY, 4)
    monkeypatch.setattr(LLMEngine, "step", step)
    shaken = run_episodes(specs, engine, AGENT, GREEDY, 4)
    assert [e.token_ids for e in shaken] == [e.token_ids for e in calm]
    assert max(e.timing.retries for e in shaken) == RESTARTS
    assert "the GPU fell off the bus" in shaken[0].timing.failure
    deadly |= {len(steps) + 3}
    lost = run_episodes(specs, engine, AGENT, GREEDY, 4)
    assert [e.exit_reason for e in lost] == ["infrastructure"] * 4
    assert {e.timing.failure.partition(";")[0] for e in lost} == {f"vLLM died {RESTARTS + 1} times"}
    engine.close()


def test_weights_that_are_not_the_trainer_s_stop_the_job(tmp_path: Path, engine: VllmEngine) -> None:
    stale = with_other_weights(tmp_path / "stale")
    write_probe(stale, engine.codec, AutoModelForCausalLM.from_pretrained(RELEASED))
    with pytest.raises(EngineError, match=r"does not serve the weights of .*stale"):
        VllmEngine(stale, config())


def test_no_memory_for_one_conversation_is_a_named_error() -> None:
    with pytest.raises(EngineError, match=r"vLLM cannot start: .*lower engine\.vllm\.context_tokens"):
        VllmEngine(RELEASED, config(kv_cache_gb=0.001))


def test_a_context_beyond_the_model_s_is_a_named_error() -> None:
    with pytest.raises(EngineError, match="vLLM cannot start"):
        VllmEngine(RELEASED, config(context_tokens=4096))
