"""Rewards and groups of a generation's episodes (sections 2.2 and 2.5)."""

from typing import Any

import pytest

from ssr.config import Scale
from ssr.selfplay.collect import collect

SCALE = Scale.model_validate(
    {
        "name": "unit",
        "repositories": "none.yaml",
        "model": {"base": "none"},
        "runs": {"ssr": {}},
        "game": {"alpha": 0.8},
    }
)


def episode(name: str, role: str, exit_reason: str = "submitted", **more: object) -> dict[str, Any]:
    tokens = {"token_ids": [1, 2, 3], "loss_mask": [0, 1, 1], "logprobs": [0.0, -0.5, -0.25], "weight_version": 4}
    return {"episode_id": name, "role": role, "exit_reason": exit_reason, **tokens, **more}


def injector(name: str, exit_reason: str = "submitted", strategy: str = "removal") -> dict[str, Any]:
    return episode(name, "injector", exit_reason, repo="toolz", strategy=strategy)


def attempt(bug: str, number: int, reward: float, exit_reason: str = "submitted", order: int = 1) -> dict[str, Any]:
    name = f"{bug}-{order}-a{number}"
    return episode(name, "solver", exit_reason, order=order, instance_id=bug, reward=reward)


def verdict(name: str, valid: bool = True, check: str = "", same: str = "") -> dict[str, Any]:
    """A row of checks.parquet; bugs with one `same` are the same."""
    mark = (same or name) if valid else ""
    return {"episode_id": name, "instance_id": name, "valid": valid, "check": check, "fingerprint": mark}


def rewards_of(injected: list[Any], checked: list[Any], solved: list[Any], scale: Scale = SCALE) -> dict[str, float]:
    return {row["episode_id"]: row["reward"] for row in collect(injected, checked, solved, scale)[0]}


def test_a_valid_bug_is_rewarded_by_its_solve_rate() -> None:
    solved = [attempt("i0", k, 1.0 if k == 0 else -1.0) for k in range(4)]
    rewards = rewards_of([injector("i0")], [verdict("i0")], solved)
    assert rewards["i0"] == pytest.approx(1 - 1.8 * 0.25)
    assert [rewards[f"i0-1-a{k}"] for k in range(4)] == [1.0, -1.0, -1.0, -1.0]


def test_bugs_that_all_or_none_solve_cost_alpha() -> None:
    for outcome in (1.0, -1.0):
        solved = [attempt("i0", k, outcome) for k in range(4)]
        assert rewards_of([injector("i0")], [verdict("i0")], solved)["i0"] == -0.8


@pytest.mark.parametrize("reason", ["turn_limit", "context_limit", "format_error"])
def test_no_submission_costs_one(reason: str) -> None:
    assert rewards_of([injector("i0", reason)], [], []) == {"i0": -1.0}


def test_an_invalid_artifact_costs_one() -> None:
    assert rewards_of([injector("i0")], [verdict("i0", False, "bug_validity")], []) == {"i0": -1.0}


def test_infrastructure_attempts_are_no_part_of_the_solve_rate() -> None:
    solved = [attempt("i0", 0, 1.0), attempt("i0", 1, -1.0), attempt("i0", 2, -1.0, "infrastructure")]
    assert rewards_of([injector("i0")], [verdict("i0")], solved)["i0"] == pytest.approx(1 - 1.8 * 0.5)


def test_a_bug_without_a_sound_attempt_has_no_reward() -> None:
    rows, counts = collect([injector("i0")], [verdict("i0")], [attempt("i0", 0, -1.0, "infrastructure")], SCALE)
    assert [row["role"] for row in rows] == ["solver"]
    assert counts == {"unrewarded_held_out": 0, "unrewarded_no_attempt": 1}


def test_bugs_that_are_the_same_share_the_solve_rate_of_the_one_that_was_attempted() -> None:
    names = ("i0", "i1", "i2", "i3")
    checked = [verdict("i0", same="a"), verdict("i1", same="a"), verdict("i2", same="b"), verdict("i3", False)]
    injected, solved = [injector(name) for name in names], [attempt("i0", k, 1.0 if k else -1.0) for k in range(4)]
    distinct = SCALE.model_copy(update={"selfplay": SCALE.selfplay.model_copy(update={"distinct": True})})
    rewards = rewards_of(injected, checked, solved, distinct)
    assert {name: rewards.get(name) for name in names} == {
        "i0": pytest.approx(1 - 1.8 * 0.75),
        "i1": pytest.approx(1 - 1.8 * 0.75),
        "i2": None,
        "i3": -1.0,
    }
    assert "i1" not in rewards_of(injected, checked, solved)


def test_a_held_out_bug_is_neither_rewarded_nor_punished() -> None:
    rows, counts = collect([injector("i0")], [verdict("i0", False, "held_out")], [], SCALE)
    assert rows == []
    assert counts["unrewarded_held_out"] == 1


def test_second_order_attempts_are_a_group_of_their_own_and_do_not_pay_the_injector() -> None:
    solved = [attempt("i0", 0, 1.0), attempt("i0", 1, -1.0), *(attempt("i0-o2", k, 1.0, order=2) for k in range(2))]
    rows, _ = collect([injector("i0")], [verdict("i0")], solved, SCALE)
    assert {row["episode_id"]: row["reward"] for row in rows}["i0"] == pytest.approx(1 - 1.8 * 0.5)
    assert {row["group"] for row in rows} == {"injector/toolz/removal", "solver/i0/1", "solver/i0-o2/2"}


def test_injector_groups_are_repository_and_strategy() -> None:
    rows, _ = collect([injector("i0"), injector("i1"), injector("i2", strategy="history")], [], [], SCALE)
    assert [row["group"] for row in rows] == ["injector/toolz/removal"] * 2 + ["injector/toolz/history"]


def test_only_the_roles_that_are_trained_are_collected() -> None:
    solved = [attempt("i0", 0, 1.0), attempt("i0", 1, -1.0)]
    for role in ("injector", "solver"):
        scale = SCALE.model_copy(update={"selfplay": SCALE.selfplay.model_copy(update={"train_roles": [role]})})
        assert {row["role"] for row in collect([injector("i0")], [verdict("i0")], solved, scale)[0]} == {role}


def test_the_consistency_reward_looks_at_no_attempt() -> None:
    scale = SCALE.model_copy(update={"game": SCALE.game.model_copy(update={"injection_reward": "consistency"})})
    solved = [attempt("i0", k, -1.0) for k in range(2)]
    assert rewards_of([injector("i0"), injector("i1")], [verdict("i0")], solved, scale) | {} == {
        "i0": 1.0,
        "i1": -1.0,
        "i0-1-a0": -1.0,
        "i0-1-a1": -1.0,
    }


def test_tokens_pass_through_untouched() -> None:
    row = collect([injector("i0", "turn_limit")], [], [], SCALE)[0][0]
    assert (row["token_ids"].tolist(), row["loss_mask"].tolist()) == ([1, 2, 3], [0, 1, 1])
    assert (row["logprobs"].tolist(), row["weight_version"]) == ([0.0, -0.5, -0.25], 4)
