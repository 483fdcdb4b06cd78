"""The batch of a generation: trajectories with rewards go in, trajectories with advantages and counts come out."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ssr.config import TrainingConfig
from ssr.errors import TrainingError
from ssr.files import written
from ssr.training.health import health_of, total
from ssr.training.trajectory import Trajectory as Trajectory

_FIELDS: dict[str, pa.DataType] = {
    "episode_id": pa.string(),
    "role": pa.string(),
    "order": pa.int32(),
    "group": pa.string(),
    "token_ids": pa.list_(pa.int32()),
    "loss_mask": pa.list_(pa.int8()),
    "logprobs": pa.list_(pa.float32()),
    "weight_version": pa.int64(),
    "reward": pa.float64(),
    "exit_reason": pa.string(),
    "advantage": pa.float64(),
}
SCHEMA = pa.schema(_FIELDS)
STATISTICS = b"ssr.statistics"
Statistics = dict[str, int | float]


def write_batch(path: Path, rows: Sequence[Trajectory], statistics: Statistics | None = None) -> None:
    """Write trajectories to parquet (zstd), in the given order, with statistics as the file's metadata."""
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in SCHEMA}
    schema = SCHEMA.with_metadata({STATISTICS: json.dumps(statistics or {})})
    with written(path) as partial:
        pq.write_table(pa.table(columns, schema=schema), partial, compression="zstd")


def read_batch(path: Path) -> list[Trajectory]:
    """Read trajectories. Raises TrainingError for a file that is no batch, or a row that contradicts itself."""
    try:
        table = pq.read_table(path).select(SCHEMA.names).cast(SCHEMA)
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise TrainingError(f"{path} is no batch: {error}") from error
    columns: dict[str, list[Any]] = {
        "token_ids": _arrays(table, "token_ids", np.int32),
        "loss_mask": _arrays(table, "loss_mask", np.int8),
        "logprobs": _arrays(table, "logprobs", np.float32),
    }
    columns |= {name: table.column(name).to_pylist() for name in SCHEMA.names if name not in columns}
    rows = [Trajectory(**{name: columns[name][i] for name in SCHEMA.names}) for i in range(table.num_rows)]
    for row in rows:
        _check(row, path)
    return rows


def _arrays(table: pa.Table, name: str, kind: type[np.generic]) -> list[NDArray[Any]]:
    """The lists of a column as views of one array; lists of Python numbers would cost tens of bytes a token."""
    lists = cast("pa.ListArray[Any]", table.column(name).combine_chunks())
    if not len(lists):
        return []
    return np.split(lists.flatten().to_numpy().astype(kind, copy=False), np.cumsum(lists.value_lengths())[:-1])


def _check(row: Trajectory, path: Path) -> None:
    name, mask = f"{path}: episode {row.episode_id!r}", row.loss_mask
    if not len(row.token_ids) == len(mask) == len(row.logprobs):
        raise TrainingError(f"{name}: token ids, loss mask and log-probabilities differ in length")
    if len(mask) and mask[0]:
        raise TrainingError(f"{name}: the first token is masked as sampled, but nothing stands before it")
    if not np.isfinite(row.logprobs).all() or (row.logprobs > 0).any() or row.logprobs[mask == 0].any():
        raise TrainingError(f"{name}: a log-probability is infinite, above 0, or on a token that was not sampled")


def prepare(rows: Iterable[Trajectory], config: TrainingConfig, step: int) -> tuple[list[Trajectory], Statistics]:
    """Filter a generation's trajectories and give each its advantage: reward minus its group's baseline (CWM's choice).

    `step` is the optimizer step that training starts from. Left out, in this order and counted by reason:
    infrastructure failures, trajectories older than `max_off_policy_steps`, trajectories without a sampled token (none
    of these enter a baseline), and groups whose rewards are all equal. The order of rows is kept.
    """
    dropped: Counter[str] = Counter()
    groups: dict[str, list[Trajectory]] = defaultdict(list)
    usable = []
    number = 0
    for row in rows:
        number += 1
        reason = _reason_to_drop(row, config, step)
        if reason:
            dropped[reason] += 1
        else:
            usable.append(row)
            groups[row.group].append(row)
    advantages = {name: _advantages(members, config) for name, members in groups.items()}
    kept = [replace(row, advantage=advantages[row.group][row.episode_id]) for row in usable if advantages[row.group]]
    dropped["equal_rewards"] = len(usable) - len(kept)
    return kept, _statistics(number, usable, kept, dropped, advantages, step)


def _reason_to_drop(row: Trajectory, config: TrainingConfig, step: int) -> str | None:
    if row.exit_reason == "infrastructure":
        return "infrastructure"
    if step - row.weight_version > config.max_off_policy_steps:
        return "stale"
    return None if row.sampled_tokens else "no_tokens"


def _advantages(group: Sequence[Trajectory], config: TrainingConfig) -> dict[str, float]:
    """Advantage by episode; empty for a group whose rewards are all equal, which teaches nothing."""
    rewards = [row.reward for row in group]
    if len(set(rewards)) == 1:
        return {}
    baselines = _baselines(rewards, [row.sampled_tokens for row in group], config)
    advantages = {row.episode_id: row.reward - baseline for row, baseline in zip(group, baselines, strict=True)}
    if len(advantages) != len(group):
        raise TrainingError(f"group {group[0].group!r} holds an episode twice")
    return advantages


def _baselines(rewards: Sequence[float], tokens: Sequence[int], config: TrainingConfig) -> list[float]:
    total, count = math.fsum(rewards), len(rewards)
    if config.baseline == "length_weighted_mean":
        weighted = math.fsum(reward * length for reward, length in zip(rewards, tokens, strict=True))
        return [weighted / sum(tokens)] * count
    if config.baseline == "mean":
        return [total / count] * count
    return [(total - reward) / (count - 1) for reward in rewards]


def _statistics(
    number: int,
    usable: Sequence[Trajectory],
    kept: Sequence[Trajectory],
    dropped: Counter[str],
    advantages: dict[str, dict[str, float]],
    step: int,
) -> Statistics:
    reasons = ("infrastructure", "stale", "no_tokens", "equal_rewards")
    health = total(health_of(row.token_ids[row.loss_mask != 0], row.logprobs[row.loss_mask != 0]) for row in usable)
    return {
        "rows": number,
        "rows_kept": len(kept),
        **{f"dropped_{reason}": dropped[reason] for reason in reasons},
        "groups": len(advantages),
        "groups_kept": sum(bool(members) for members in advantages.values()),
        "sampled_tokens": sum(row.sampled_tokens for row in kept),
        "tokens": sum(len(row.token_ids) for row in kept),
        "repetition_rate": health.repetition_rate,
        "gibberish_rate": health.gibberish_rate,
        "oldest_steps": max((step - row.weight_version for row in kept), default=0),
        "advantage_spread": float(np.std([row.advantage or 0.0 for row in kept])) if kept else 0.0,
    }
