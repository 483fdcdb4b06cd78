"""From the episodes of a generation to trajectories with rewards and groups, as the training room takes them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ssr.config import Scale
from ssr.errors import GameError
from ssr.game.reward import injection_reward
from ssr.selfplay.held_out import HELD_OUT

Row = Mapping[str, Any]
TRAJECTORY = ["episode_id", "role", "token_ids", "loss_mask", "logprobs", "weight_version", "exit_reason"]
INJECTED = [*TRAJECTORY, "repo", "strategy"]
"""Columns of an injector's episodes.parquet that are read."""
CHECKED = ["episode_id", "instance_id", "valid", "check", "fingerprint"]
"""Columns of checks.parquet that are read."""
SOLVED = [*TRAJECTORY, "order", "instance_id", "reward"]
"""Columns of a solver's episodes.parquet that are read."""


@dataclass(frozen=True)
class SolveRate:
    """How the first-order attempts on a bug ended, infrastructure failures left out."""

    solved: int
    attempts: int


def collect(
    injected: Sequence[Row], checked: Sequence[Row], solved: Sequence[Row], scale: Scale
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Fields of the trajectories of the roles that are trained, and counts of episodes without reward, by reason.

    Groups: solver attempts by bug, each order its own; injector episodes by repository and strategy. A second-order bug
    is a bug of its own, and does not count for the injector.
    """
    roles = scale.selfplay.train_roles
    unrewarded: Counter[str] = Counter()
    trajectories = []
    if "injector" in roles:
        checks = {check["episode_id"]: check for check in checked}
        rates = solve_rates(solved, checked, scale)
        for row in injected:
            check = checks.get(row["episode_id"])
            reason = reason_without_reward(row, check, rates)
            if reason:
                unrewarded[reason] += 1
            else:
                reward = injector_reward(row, check, rates, scale)
                trajectories.append(_trajectory(row, 1, f"injector/{row['repo']}/{row['strategy']}", reward))
    if "solver" in roles:
        for row in solved:
            group = f"solver/{row['instance_id']}/{row['order']}"
            trajectories.append(_trajectory(row, row["order"], group, row["reward"]))
    return trajectories, {f"unrewarded_{reason}": unrewarded[reason] for reason in (HELD_OUT, "no_attempt")}


def solve_rates(solved: Iterable[Row], checked: Iterable[Row], scale: Scale) -> dict[str, SolveRate]:
    """Solve rate of each first-order bug that was attempted at least once without an infrastructure failure, and with
    `selfplay.distinct` of the valid bugs that are the same, by the rows of checks.parquet."""
    outcomes: defaultdict[str, list[bool]] = defaultdict(list)
    for row in solved:
        if row["order"] == 1 and row["exit_reason"] != "infrastructure":
            outcomes[row["instance_id"]].append(row["reward"] > 0)
    rates = {name: SolveRate(sum(results), len(results)) for name, results in outcomes.items()}
    valid = [row for row in checked if row["valid"]] if scale.selfplay.distinct else []
    same = {row["fingerprint"]: rates[row["instance_id"]] for row in valid if row["instance_id"] in rates}
    return {row["instance_id"]: same[row["fingerprint"]] for row in valid if row["fingerprint"] in same} | rates


def reason_without_reward(row: Row, check: Row | None, rates: Mapping[str, SolveRate]) -> str:
    """Why a finished injector episode has no reward, or the empty string."""
    if check is None or row["exit_reason"] == "infrastructure":
        return ""
    if check["check"] == HELD_OUT:
        return HELD_OUT
    return "no_attempt" if check["valid"] and check["instance_id"] not in rates else ""


def injector_reward(row: Row, check: Row | None, rates: Mapping[str, SolveRate], scale: Scale) -> float:
    """-1 without a submission, too; an infrastructure failure is given 0 and leaves the batch with its reason."""
    if row["exit_reason"] == "infrastructure":
        return 0.0
    if check is None or not check["valid"]:
        return injection_reward(False, 0, 0, scale.game)
    rate = rates[check["instance_id"]]
    return injection_reward(True, rate.solved, rate.attempts, scale.game)


def _trajectory(row: Row, order: int, group: str, reward: float) -> dict[str, Any]:
    if row["token_ids"] is None:
        raise GameError(f"episode {row['episode_id']} holds no token ids; its engine is for playing without training")
    return {
        "episode_id": row["episode_id"],
        "role": row["role"],
        "order": order,
        "group": group,
        "token_ids": np.asarray(row["token_ids"], np.int32),
        "loss_mask": np.asarray(row["loss_mask"], np.int8),
        "logprobs": np.asarray(row["logprobs"], np.float32),
        "weight_version": row["weight_version"],
        "reward": reward,
        "exit_reason": row["exit_reason"],
    }
