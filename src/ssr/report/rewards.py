"""Why an episode earned what it earned, in a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ssr.config import Scale
from ssr.selfplay.collect import SolveRate, injector_reward, reason_without_reward
from ssr.selfplay.held_out import HELD_OUT

Row = Mapping[str, Any]
EXITS = {
    "turn_limit": "its turns ran out",
    "context_limit": "its context was full",
    "format_error": "too many turns in a row held no well-formed tool call",
}


@dataclass(frozen=True)
class Reward:
    """A reward, None where an episode has none, and how it came about."""

    value: float | None
    why: str


def reward_of_injector(
    row: Row, artifact: Row | None, check: Row | None, rates: Mapping[str, SolveRate], scale: Scale
) -> Reward:
    """The reward of an injector episode, from the rows of what it handed in: artifacts.parquet and checks.parquet."""
    if row["exit_reason"] == "infrastructure":
        return Reward(None, "The machine failed, not the policy: no reward.")
    if artifact is not None and check is None:
        return Reward(None, "The artifact is not checked yet.")
    reason = reason_without_reward(row, check, rates)
    if reason == HELD_OUT:
        return Reward(None, "The bug touches a line that a held-out task asks for: neither played nor rewarded.")
    if reason:
        return Reward(None, "Valid, but no attempt on the bug has ended without a failure of the machine: no reward.")
    return Reward(injector_reward(row, check, rates, scale), _injection(row, check, rates, scale))


def _injection(row: Row, check: Row | None, rates: Mapping[str, SolveRate], scale: Scale) -> str:
    if check is None:
        return f"Nothing was handed in: {EXITS.get(row['exit_reason'], 'the submission could not be read')}."
    if not check["valid"]:
        return f"The artifact fails the check {check['check']}: {check['reason']}"
    if scale.game.injection_reward == "consistency":
        return "A valid bug; this run pays for nothing else."
    rate = rates[check["instance_id"]]
    share = f"{rate.solved} of {rate.attempts} attempts solved the bug"
    if rate.solved in (0, rate.attempts):
        return f"{share}: all or none, which costs alpha = {scale.game.alpha:g}."
    return f"{share}: the reward is 1 - (1 + {scale.game.alpha:g}) * {rate.solved}/{rate.attempts}."


def reward_of_solver(row: Row) -> Reward:
    """The reward of an attempt."""
    if row["exit_reason"] == "infrastructure":
        return Reward(None, "The machine failed, not the policy: no reward.")
    if row["solved"]:
        return Reward(row["reward"], "The patch makes every test of the oracle pass.")
    if row["exit_reason"] != "submitted":
        return Reward(row["reward"], f"Nothing was handed in: {EXITS[row['exit_reason']]}.")
    return Reward(row["reward"], f"Not solved: {row['verdict']}")


def training_of(row: Row, reward: Reward, trained: Row | None, batch_exists: bool, scale: Scale) -> str:
    """What training made of an episode; `trained` is its row of the batch, if it is there."""
    if trained is not None:
        return f"Trained on with advantage {trained['advantage']:+.3f}, in the group {trained['group']}."
    if not batch_exists:
        return "The generation's batch is not made yet."
    if row["role"] not in scale.selfplay.train_roles:
        return f"Not trained on: this run trains no {row['role']}."
    if reward.value is None:
        return "Not trained on: no reward."
    return "Not trained on: every reward of its group is the same, or it is too old or empty."
