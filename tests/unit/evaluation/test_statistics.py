"""Resolve rates and standard errors."""

from math import sqrt

import numpy as np
import pytest

from ssr.errors import EvaluationError
from ssr.evaluation.statistics import change, gain, mean_and_stderr, rate, sign_test


def outcomes(text: str) -> dict[str, bool]:
    return {f"task-{index}": mark == "1" for index, mark in enumerate(text)}


def test_mean_and_standard_error_of_a_share() -> None:
    mean, error = mean_and_stderr(outcomes("1" * 20 + "0" * 80))
    assert mean == pytest.approx(0.2)
    assert error == pytest.approx(sqrt(0.2 * 0.8 / 99))


def test_pairing_leaves_only_the_problems_that_differ() -> None:
    a, b = outcomes("1" * 50 + "0" * 50), outcomes("1" * 40 + "0" * 60)
    found = gain([a], [b])
    assert found.value == pytest.approx(0.1)
    assert found.stderr == pytest.approx(sqrt(0.1 * 0.9 / 99))
    assert found.noise is None
    same = gain([a], [a])
    assert (same.value, same.stderr, same.low, same.high) == (0, 0, 0, 0)


def test_gains_that_cancel_out_are_a_plain_zero() -> None:
    """Thirds add up to a little less than nothing, which a table would show as -0.0."""
    found = gain([outcomes("100"), outcomes("010"), outcomes("001")], [outcomes("001")])
    assert str(found.value) == "0.0"


def test_the_bootstrap_over_instances_agrees_with_the_binomial() -> None:
    found = rate([outcomes("1" * 60 + "0" * 140)])
    assert (found.value, found.n) == (0.3, 200)
    assert found.low == pytest.approx(0.3 - 1.96 * sqrt(0.3 * 0.7 / 200), abs=0.01)
    assert found.high == pytest.approx(0.3 + 1.96 * sqrt(0.3 * 0.7 / 200), abs=0.01)


def test_a_change_of_unpaired_shares_agrees_with_the_binomial() -> None:
    before, after = [1.0] * 60 + [0.0] * 140, [1.0] * 150 + [0.0] * 150
    found = change([before], [after])
    error = sqrt(0.3 * 0.7 / 200 + 0.5 * 0.5 / 300)
    assert (found.value, found.n, found.noise) == (0.2, 500, None)
    assert found.stderr is not None and found.stderr == pytest.approx(error, rel=0.06)
    assert found.low == pytest.approx(0.2 - 1.96 * error, abs=0.015)
    assert found.high == pytest.approx(0.2 + 1.96 * error, abs=0.015)
    assert change([before[::-1]], [after[::-1]]).value == found.value


def test_a_change_is_taken_within_each_seed() -> None:
    """Seeds that begin at 0.2 and 0.8 and gain a fifth each tell as much of the change as two that begin alike."""
    few, many = [1.0] * 20 + [0.0] * 80, [1.0] * 80 + [0.0] * 20
    found = change([few, many], [[1.0] * 40 + [0.0] * 60, [1.0] * 100])
    assert found.value == pytest.approx(0.2)
    assert found.low > 0.1
    apart = change([few, few], [few, [1.0] * 60 + [0.0] * 40])
    assert apart.value == pytest.approx(0.2)
    assert apart.low < 0.05
    for wrong in ([], [few], [few, []]):
        with pytest.raises(EvaluationError, match="of the same seeds"):
            change([few, few], wrong)


def test_a_seed_that_is_good_or_bad_as_a_whole_is_in_interval_and_standard_error() -> None:
    """The same means by instance; but where a whole seed is good or bad, a hundred instances are no more than one."""
    good, bad = outcomes("1" * 100), outcomes("0" * 100)
    halves = [outcomes("10" * 50), outcomes("01" * 50)]
    apart, mixed = rate([good, bad]), rate(halves)
    assert apart.value == mixed.value == 0.5
    assert (apart.low, apart.high) == (0, 1)
    assert 0.35 < mixed.low < mixed.high < 0.65
    assert apart.stderr == apart.noise == pytest.approx(sqrt(0.5 / 2))
    assert mixed.stderr == mixed.noise == pytest.approx(sqrt(0.25 / 99))
    assert rate([good, good]).noise == 0


def test_the_standard_error_is_the_spread_of_runs_made_anew() -> None:
    """Instances of different difficulty, seeds of different skill, and chance: told from one sample of each."""
    random = np.random.default_rng(7)
    values, errors, noises = [], [], []
    for _ in range(200):
        skill = {run: random.normal(0, 0.08, size=4) for run in "ab"}
        hard = random.uniform(0.2, 0.8, size=80)
        played = {run: random.random((4, 80)) < hard + skill[run][:, None] for run in "ab"}
        a, b = ([{str(i): bool(x) for i, x in enumerate(seed)} for seed in played[run]] for run in "ab")
        found = gain(a, b)
        assert found.stderr is not None and found.noise is not None and found.noise <= found.stderr
        values.append(found.value)
        errors.append(found.stderr**2)
        noises.append(found.noise**2)
    assert sqrt(np.mean(errors)) == pytest.approx(np.std(values), rel=0.1)
    assert np.mean(noises) == pytest.approx(np.mean(errors), rel=0.1)  # paired, so that difficulty cancels out


@pytest.mark.parametrize("spread", [0.0, 0.06])
def test_the_interval_of_three_seeds_holds_the_truth_as_often_as_it_says(spread: float) -> None:
    """Rather too wide than too narrow: three seeds say little of how much seeds differ."""
    random = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        hard = random.uniform(0.2, 0.7, size=175)
        better = random.random((3, 175)) < hard + 0.1 + random.normal(0, spread, size=(3, 1))
        before = random.random((3, 175)) < hard
        a, b = ([{str(i): bool(x) for i, x in enumerate(seed)} for seed in run] for run in (better, before))
        found = gain(a, b)
        held += found.low <= 0.1 <= found.high
    assert held >= 95


def test_a_gain_has_the_noise_of_both() -> None:
    ssr, base = [outcomes("1100"), outcomes("1010")], [outcomes("0000"), outcomes("0000")]
    found = gain(ssr, base)
    assert found.value == 0.5
    assert found.noise == pytest.approx(sqrt(2 * (2 * 0.25) / 3 / 8))
    assert found == gain(ssr, base)


def test_the_sign_test_by_hand() -> None:
    assert sign_test(0, 0) == 1
    assert sign_test(5, 0) == pytest.approx(2 / 32)
    assert sign_test(3, 1) == pytest.approx(2 * (1 + 4) / 16)
    assert sign_test(2, 2) == 1


def test_few_problems_have_the_same_formula_and_one_has_no_spread() -> None:
    assert mean_and_stderr(outcomes("1100")) == (0.5, pytest.approx(sqrt(1 / 3 / 4)))
    assert mean_and_stderr({"a": True}) == (1.0, None)
    one = rate([{"a": True}, {"a": False}])
    assert (one.value, one.stderr, one.noise) == (0.5, None, None)


def test_other_problems_and_none_are_refused() -> None:
    with pytest.raises(EvaluationError, match="2 problems"):
        gain([{"a": True}], [{"b": True}])
    with pytest.raises(EvaluationError, match="1 problems"):
        rate([{"a": True}, {"a": True, "b": False}])
    with pytest.raises(EvaluationError, match="no problem"):
        mean_and_stderr({})
    with pytest.raises(EvaluationError, match="no problem"):
        rate([{}])
