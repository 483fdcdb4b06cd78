"""Gibberish and repetition, and a run that stops when there is too much of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from numpy.typing import NDArray

from ssr.errors import RunCollapsed
from ssr.training.batch import read_batch
from ssr.training.generation import prepare_generation, read_statistics
from ssr.training.health import health_of, total

SOLVED = pa.schema({
    "episode_id": pa.string(), "role": pa.string(), "token_ids": pa.list_(pa.int32()),
    "loss_mask": pa.list_(pa.int8()), "logprobs": pa.list_(pa.float32()), "weight_version": pa.int32(),
    "exit_reason": pa.string(), "order": pa.int32(), "instance_id": pa.string(), "reward": pa.float64(),
})  # fmt: skip
Sampled = tuple[NDArray[np.int32], NDArray[np.float32]]


def code(length: int = 200) -> Sampled:
    random = np.random.default_rng(length)
    return random.integers(0, 4096, length).astype(np.int32), -random.exponential(0.5, length).astype(np.float32)


def gibberish(length: int = 200) -> Sampled:
    """As a model samples whose distribution has gone flat: all 4096 tokens about as likely."""
    return code(length)[0], np.full(length, -np.log(4096), np.float32)


def loop(length: int = 200) -> Sampled:
    """As a model samples that repeats three words and is sure of it."""
    return np.resize(np.array([5, 6, 7], np.int32), length), np.full(length, -0.01, np.float32)


def test_sound_text_is_neither() -> None:
    health = health_of(*code())
    assert (health.tokens, health.windows) == (200, 193)
    assert health.gibberish_rate == health.repetition_rate == 0


def test_a_flat_distribution_is_gibberish_and_a_loop_is_repetition() -> None:
    assert health_of(*gibberish()).gibberish_rate == 1
    looping = health_of(*loop())
    assert (looping.repeated, looping.gibberish) == (193 - 3, 0)


def test_gibberish_is_found_where_it_stands_and_counts_add_up() -> None:
    (tokens, good), (_, bad) = code(64), gibberish(32)
    half = health_of(tokens, np.concatenate([good[:32], bad]))
    assert half.gibberish_rate == 0.5
    both = total([half, health_of(*code())])
    assert (both.tokens, both.gibberish) == (264, 32)
    assert total([]).gibberish_rate == 0 == health_of(*code(3)).repetition_rate


@pytest.fixture
def generation(tmp_path: Path) -> Callable[..., Path]:
    """Writes a scale, a checkpoint's state and two attempts on a bug, and makes the batch from them."""

    def make(sampled: Sampled, **keys: float) -> Path:
        scale = {"name": "tiny", "repositories": "none.yaml", "model": {"base": "x"}, "runs": {"ssr": {}}}
        (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(scale | {"selfplay": keys}))
        (tmp_path / "000").mkdir(exist_ok=True)
        (tmp_path / "000" / "trainer.json").write_text('{"step": 0}')
        tokens, logprobs = sampled
        common = {
            "role": "solver", "token_ids": [1, *tokens], "loss_mask": [0] + [1] * len(tokens), "weight_version": 0,
            "logprobs": [0.0, *logprobs], "exit_reason": "submitted", "order": 1, "instance_id": "bug",
        }  # fmt: skip
        rows = [common | {"episode_id": f"a{n}", "reward": reward} for n, reward in enumerate((1.0, -1.0))]
        pq.write_table(pa.Table.from_pylist(rows, schema=SOLVED), tmp_path / "solved.parquet")
        out = tmp_path / "batch.parquet"
        solved = [tmp_path / "solved.parquet"]
        prepare_generation(tmp_path / "tiny.yaml", "ssr", [], [], solved, tmp_path / "000", out)
        return out

    return make


def test_a_sound_batch_says_its_rates(generation: Callable[..., Path]) -> None:
    batch = generation(code())
    statistics = read_statistics(batch)
    assert statistics["gibberish_rate"] == statistics["repetition_rate"] == 0
    assert len(read_batch(batch)) == 2


@pytest.mark.parametrize(("sampled", "name"), [(gibberish(), "gibberish"), (loop(), "repetition")])
def test_a_collapsed_batch_stops_the_run_by_name(
    generation: Callable[..., Path], tmp_path: Path, sampled: Sampled, name: str
) -> None:
    with pytest.raises(RunCollapsed, match=rf"of what the model samples is {name}.*selfplay.max_{name} .*lower"):
        generation(sampled)
    assert not (tmp_path / "batch.parquet").exists()
    rates = read_statistics(generation(sampled, **{f"max_{name}": 1}))
    assert rates[f"{name}_rate"] > 0.9
