import asyncio
import functools
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import CHATML, tiny_checkpoint, tiny_qwen3, tiny_tokenizer
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    PretrainedConfig,
    PreTrainedModel,
    Qwen2Config,
)

from ssr.contracts import Completion, CompletionRequest
from ssr.engine.forward import FusedModel
from ssr.engine.plain import PlainModel
from ssr.engine.transformers_engine import TransformersEngine
from ssr.errors import EngineError

SMALL = {
    "vocab_size": 403, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 48, "max_position_embeddings": 1024,
}  # fmt: skip
CONFIGS: dict[str, PretrainedConfig] = {
    "qwen3": tiny_qwen3(),
    "qwen3-untied": tiny_qwen3(tie_word_embeddings=False, num_key_value_heads=4),
    "qwen2": Qwen2Config(**SMALL),
    "llama": LlamaConfig(**SMALL, attention_bias=True, mlp_bias=True),
    "mistral": MistralConfig(**SMALL, sliding_window=None),
    "llama3-rotations": LlamaConfig(
        **SMALL,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 10000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    ),
    "yarn-rotations": tiny_qwen3(
        rope_parameters={
            "rope_type": "yarn",
            "rope_theta": 10000.0,
            "factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    ),
    "gpt2": GPT2Config(vocab_size=403, n_embd=32, n_layer=2, n_head=4, n_positions=1024),
}
PLAIN = {"gpt2"}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("qwen3"), tiny_qwen3(), step=7)


def request(
    key: str, ids: Sequence[int], seed: int = 0, max_tokens: int = 24, temperature: float = 1.0, top_p: float = 1.0
) -> CompletionRequest:
    return CompletionRequest(key, [], ids, max_tokens, temperature, top_p, seed)


def prompts(count: int) -> list[list[int]]:
    """Prompts of varied lengths."""
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(3, 400, (5 + 37 * (i % 5) + i,), generator=generator).tolist() for i in range(count)]


def ask(engine: TransformersEngine, requests: Sequence[CompletionRequest]) -> list[Completion]:
    """One lockstep round."""

    async def together() -> list[Completion]:
        for _ in requests:
            engine.join()
        answers = await asyncio.wait_for(asyncio.gather(*(engine.complete(r) for r in requests)), 60)
        for _ in requests:
            engine.leave()
        return answers

    return asyncio.run(together())


@functools.cache
def loaded(checkpoint: Path) -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()


def reference(checkpoint: Path, ids: Sequence[int], start: int, temperature: float = 1.0) -> list[float]:
    """Log-probabilities of ids[start:] by a plain forward pass."""

    with torch.inference_mode():
        logits = loaded(checkpoint)(torch.tensor([list(ids)])).logits[0, start - 1 : -1].float()
    logprobs = torch.log_softmax(logits / temperature, dim=-1)
    return [float(row[token]) for row, token in zip(logprobs, ids[start:], strict=True)]


@pytest.mark.parametrize("name", CONFIGS)
def test_logprobs_over_three_turns_equal_a_plain_forward_pass(name: str, tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path, CONFIGS[name])
    engine = TransformersEngine(folder)
    assert isinstance(engine._decoder.model, PlainModel if name in PLAIN else FusedModel)
    talks = prompts(5)
    for turn in range(3):
        answers = ask(engine, [request(f"e{i}/{turn}", ids, seed=9 * i + turn) for i, ids in enumerate(talks)])
        for ids, answer in zip(talks, answers, strict=True):
            start = len(ids)
            ids += answer.token_ids
            assert answer.completion_tokens == len(answer.token_ids) == len(answer.logprobs) > 0
            assert answer.prompt_tokens == start
            assert answer.logprobs == pytest.approx(reference(folder, ids, start), abs=1e-5)
            ids += engine.codec.observation(f"turn {turn}")


def test_a_model_of_the_llama_family_needs_no_modelling_code_of_the_library(checkpoint: Path) -> None:
    program = """
import sys
from pathlib import Path
from ssr.engine.transformers_engine import TransformersEngine
TransformersEngine(Path(sys.argv[1]))
print("torch" in sys.modules, "transformers.modeling_utils" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", program, str(checkpoint)], capture_output=True, text=True, check=True)
    assert ran.stdout == "True False\n"


def test_weights_in_several_files_or_under_other_names_are_the_same_model(checkpoint: Path, tmp_path: Path) -> None:
    asked = [request(f"e{i}/0", ids, seed=i) for i, ids in enumerate(prompts(4))]
    whole = ask(TransformersEngine(checkpoint), asked)
    parts, inner = (shutil.copytree(checkpoint, tmp_path / name) for name in ("parts", "inner"))
    for folder in (parts, inner):
        (folder / "model.safetensors").unlink()
    loaded(checkpoint).save_pretrained(parts, max_shard_size="20KB")
    assert len(list(parts.glob("*.safetensors"))) > 1
    assert ask(TransformersEngine(parts), asked) == whole
    loaded(checkpoint).model.save_pretrained(inner)
    for one, other in zip(ask(TransformersEngine(inner), asked), whole, strict=True):
        assert one.token_ids == other.token_ids


def test_logprobs_are_those_of_the_whole_distribution_at_the_temperature(checkpoint: Path) -> None:
    engine = TransformersEngine(checkpoint)
    ids = prompts(1)[0]
    (answer,) = ask(engine, [request("e/0", ids, temperature=0.7, top_p=0.5)])
    assert answer.logprobs == pytest.approx(reference(checkpoint, [*ids, *answer.token_ids], len(ids), 0.7), abs=1e-5)


def test_a_row_is_the_same_to_the_bit_whatever_shares_its_batch(checkpoint: Path) -> None:
    asked = [request(f"e{i}/0", ids, seed=i) for i, ids in enumerate(prompts(20))]
    together = ask(TransformersEngine(checkpoint), asked)
    alone = [ask(TransformersEngine(checkpoint), [one])[0] for one in asked]
    backwards = ask(TransformersEngine(checkpoint), asked[::-1])[::-1]
    for answers in (alone, backwards):
        assert [a.token_ids for a in answers] == [a.token_ids for a in together]
        for one, other in zip(answers, together, strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-5)
    assert alone == backwards == together


def test_a_shared_first_prompt_is_read_once_and_changes_nothing(checkpoint: Path) -> None:
    ids = prompts(4)[3]
    engine = TransformersEngine(checkpoint)
    model = engine._decoder.model
    reads: list[int] = []
    prefill = model.prefill
    model.prefill = lambda row, start, new: reads.append(len(new)) or prefill(row, start, new)  # type: ignore[method-assign]
    together = ask(engine, [request(f"e{i}/0", ids, seed=i) for i in range(4)])
    later = ask(engine, [request("e0/1", [*ids, *together[0].token_ids, 9], seed=0), request("late/0", ids, seed=2)])
    assert reads == [len(ids), 2]
    alone = ask(TransformersEngine(checkpoint), [request("e2/0", ids, seed=2)])[0]
    assert together[2] == later[1] == alone
    assert len({a.token_ids for a in together}) > 1


def test_cached_turns_equal_turns_read_anew(checkpoint: Path) -> None:
    """Episodes end, others begin and rows move; every turn is as if its conversation had been read at once."""
    engine = TransformersEngine(checkpoint)
    talks = {f"e{i}": ids for i, ids in enumerate(prompts(23))}
    alive = [f"e{i}" for i in range(19)]
    for turn, change in enumerate([[], ["e19", "e20"], ["e21", "e22"], []]):
        alive = sorted(alive[len(change) :] + change)
        asked = [
            request(f"{name}/{turn}", talks[name], seed=turn, max_tokens=4 + 5 * (i % 9))
            for i, name in enumerate(alive)
        ]
        for one, answer in zip(asked, ask(engine, asked), strict=True):
            whole = [*one.prompt_ids, *answer.token_ids]
            assert answer.logprobs == pytest.approx(reference(checkpoint, whole, len(one.prompt_ids)), abs=1e-5)
            talks[one.key.partition("/")[0]] = whole + engine.codec.observation("x" * turn)


def test_a_conversation_that_starts_again_is_read_anew(checkpoint: Path) -> None:
    engine = TransformersEngine(checkpoint)
    ids = prompts(1)[0]
    first = ask(engine, [request("e/0", ids, seed=3)])
    ask(engine, [request("e/1", [*ids, *first[0].token_ids, 5, 6], seed=4)])
    assert ask(engine, [request("e/0", ids, seed=3)]) == first


def test_long_prompts_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssr.engine.forward.PIECE", 7)
    for name in ("qwen3", "gpt2"):
        folder = tiny_checkpoint(tmp_path / name, CONFIGS[name])
        ids = prompts(3)[2]
        (answer,) = ask(TransformersEngine(folder), [request("e/0", ids)])
        assert answer.logprobs == pytest.approx(reference(folder, [*ids, *answer.token_ids], len(ids)), abs=1e-5)


def test_a_turn_ends_at_a_stop_token_or_at_its_budget(checkpoint: Path) -> None:
    engine = TransformersEngine(checkpoint)
    answers = ask(engine, [request(f"e{i}/0", ids, seed=i, max_tokens=40) for i, ids in enumerate(prompts(40))])
    stops = engine.codec.stop_ids
    assert any(a.stopped for a in answers) and any(not a.stopped for a in answers)
    for answer in answers:
        assert not stops & set(answer.token_ids[:-1])
        assert answer.stopped == (answer.token_ids[-1] in stops)
        assert answer.stopped or len(answer.token_ids) == 40
        assert answer.text == engine.codec.decode(answer.token_ids)


def test_the_model_s_context_cuts_a_turn_off(checkpoint: Path) -> None:
    engine = TransformersEngine(checkpoint)
    (answer,) = ask(engine, [request("e/0", [5] * 1021, max_tokens=99)])
    assert answer.stopped or answer.completion_tokens == 3


def test_a_closed_engine_holds_no_cache_and_may_go_on(checkpoint: Path) -> None:
    engine = TransformersEngine(checkpoint)
    first = ask(engine, [request("e/0", [5, 6, 7])])
    engine.close()
    assert not any(tensor is not None for tensor in engine._decoder.model.cache.keys)
    assert ask(engine, [request("e/0", [5, 6, 7])]) == first


def test_small_top_p_is_greedy(checkpoint: Path) -> None:
    engine = TransformersEngine(checkpoint)
    ids = prompts(1)[0]
    greedy = {a.token_ids for s in range(3) for a in ask(engine, [request("e/0", ids, seed=s, top_p=1e-6)])}
    assert len(greedy) == 1


def test_weight_version_is_the_optimizer_step(checkpoint: Path, tmp_path: Path) -> None:
    assert TransformersEngine(checkpoint).weight_version == 7
    assert TransformersEngine(tiny_checkpoint(tmp_path, tiny_qwen3())).weight_version == 0


def test_bfloat16_follows_the_model_closely(checkpoint: Path) -> None:
    engine = TransformersEngine(checkpoint, "bfloat16")
    ids = prompts(1)[0]
    (answer,) = ask(engine, [request("e/0", ids)])
    assert answer.logprobs == pytest.approx(reference(checkpoint, [*ids, *answer.token_ids], len(ids)), abs=0.2)


def test_named_errors(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(EngineError, match=r"no config\.json"):
        TransformersEngine(tmp_path / "nowhere")
    with pytest.raises(EngineError, match="no chat template"):
        TransformersEngine(tiny_checkpoint(tmp_path / "mute", tiny_qwen3(), template=None))
    with pytest.raises(EngineError, match="do not belong together"):
        TransformersEngine(tiny_checkpoint(tmp_path / "few", tiny_qwen3(vocab_size=300)))
    with pytest.raises(EngineError, match="sliding_attention"):
        config = MistralConfig(**SMALL, sliding_window=16)
        config.layer_types = ["sliding_attention", "full_attention"]
        TransformersEngine(tiny_checkpoint(tmp_path / "sliding", config))
    with pytest.raises(EngineError, match="does not fit"):
        asyncio.run(TransformersEngine(checkpoint).complete(request("e/0", [5] * 1024)))
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "config.json").write_text((checkpoint / "config.json").read_text())
    with pytest.raises(EngineError, match="half"):
        TransformersEngine(tmp_path / "half")
    tiny_tokenizer(CHATML).save_pretrained(tmp_path / "half")
    with pytest.raises(EngineError, match="cannot read the model"):
        TransformersEngine(tmp_path / "half")
    cut, incomplete = (shutil.copytree(checkpoint, tmp_path / name) for name in ("cut", "incomplete"))
    (cut / "model.safetensors").write_bytes((checkpoint / "model.safetensors").read_bytes()[:5000])
    with pytest.raises(EngineError, match="cannot read the model"):
        TransformersEngine(cut)
    weights = load_file(checkpoint / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, incomplete / "model.safetensors")
    with pytest.raises(EngineError, match=r"no weight 'model\.norm\.weight'"):
        TransformersEngine(incomplete)


def test_a_turn_that_ends_at_a_blocks_end_does_not_stop_the_others(checkpoint: Path) -> None:
    engine = TransformersEngine(checkpoint)
    long, short = list(range(3, 35)), list(range(40, 45))
    ask(engine, [request("long/0", long, max_tokens=1), request("short/0", short, max_tokens=4)])
    table = len(engine._decoder.model.cos)  # type: ignore[attr-defined]
    ended = [*long, *[3] * (table - len(long))]
    answers = ask(engine, [request("a/0", ended, max_tokens=1), request("b/0", short, max_tokens=6)])
    assert answers[0].completion_tokens == 1
    engine.close()
    alone = TransformersEngine(checkpoint)
    assert ask(alone, [request("b/0", short, max_tokens=6)])[0].token_ids == answers[1].token_ids
