"""Resolve rates, their paired standard errors (section 3) and bootstrap intervals over instances and seeds.

The ways are Eval Arena's: runs are compared instance by instance, and what the choice of instances and what
training and sampling by another seed add to the noise are told apart. An evaluation is one or more seeds, each a
mapping of instances to 0 or 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray

from ssr.errors import EvaluationError
from ssr.seeds import seed_of

SAMPLES = 2000
LEVEL = 0.95
INTERVAL = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
DIGITS = 12
"""Of what is reported: the order in which a processor adds up is not seen."""
Seeds = Sequence[Mapping[str, float]]
"""Outcomes of one run: by seed, then by instance."""


@dataclass(frozen=True)
class Estimate:
    """A mean over instances and seeds, in [-1, 1].

    `stderr` is the standard error over instances and seeds, paired by instance if it is a difference, None for a
    single instance; `low` and `high` bound the 95 % bootstrap interval over instances and seeds; `noise` is the part of
    `stderr` that other seeds on the same instances would show, None where one seed cannot tell. What the seeds of a
    run with a single one would add is in none of them.
    """

    value: float
    stderr: float | None
    low: float
    high: float
    n: int
    noise: float | None


def rate(run: Seeds) -> Estimate:
    """Resolve rate of a run: pass@1, the mean over its seeds. Raises EvaluationError for no instance or unlike ones."""
    return _estimate([_matrix(run, sorted(run[0]))])


def gain(a: Seeds, b: Seeds) -> Estimate:
    """Resolve rate of `a` minus that of `b`, paired by instance. Raises EvaluationError for unlike instances."""
    names = sorted(a[0])
    return _estimate([_matrix(a, names), _matrix(b, names)])


def change(before: Sequence[Sequence[float]], after: Sequence[Sequence[float]]) -> Estimate:
    """Mean of `after` minus that of `before`, values by seed; only the seed is shared, so nothing else is paired.

    The bootstrap draws seeds, and the values of each part and seed by themselves. Raises EvaluationError for no value.
    """
    if not before or len(before) != len(after) or not all([*before, *after]):
        raise EvaluationError("a change needs values before and after, of the same seeds")
    value = np.mean([np.mean(late) - np.mean(early) for early, late in zip(before, after, strict=True)])
    resampled = (_weights("seeds", len(before)) * (_drawn("after", after) - _drawn("before", before))).sum(axis=1)
    low, high = np.quantile(resampled, INTERVAL, method="nearest")
    return _rounded(float(value), resampled.std(ddof=1), low, high, sum(map(len, [*before, *after])))


def sign_test(gained: int, lost: int) -> float:
    """Two-sided p-value of so many gained and lost instances if each were as likely; 1 for none."""
    n, tail = gained + lost, min(gained, lost)
    return min(1.0, float(2 * sum(comb(n, k) for k in range(tail + 1)) / 2**n))


def mean_and_stderr(values: Mapping[str, float]) -> tuple[float, float | None]:
    """Mean of named values and its standard error, None for a single value. Raises EvaluationError for no value."""
    if not values:
        raise EvaluationError("an evaluation of no problem has no resolve rate")
    ordered = np.array([float(values[key]) for key in sorted(values)])
    return float(ordered.mean()), sqrt(_variance_of_mean(ordered)) if len(ordered) > 1 else None


def _matrix(run: Seeds, names: Sequence[str]) -> NDArray[np.float64]:
    """[seeds, instances]."""
    wanted = set(names)
    for seed in run:
        if seed.keys() != wanted:
            raise EvaluationError(
                f"{len(seed.keys() ^ wanted)} problems are in one of the two evaluations only: compare runs and seeds"
                " that were scored on one benchmark file"
            )
    return np.array([[float(seed[name]) for name in names] for seed in run])


def _estimate(parts: Sequence[NDArray[np.float64]]) -> Estimate:
    """Of one matrix its mean, of two the difference of their means."""
    signs = (1, -1)[: len(parts)]
    means = [sign * part.mean(axis=0) for sign, part in zip(signs, parts, strict=True)]
    values = np.sum(means, axis=0)
    if not len(values):
        raise EvaluationError("an evaluation of no problem has no resolve rate")
    stderr, noise = _errors(parts, values)
    low, high = np.quantile(_resampled(parts, signs), INTERVAL, method="nearest")
    return _rounded(float(values.mean()), stderr, low, high, len(values), noise)


def _rounded(
    value: float, stderr: float | None, low: float, high: float, n: int, noise: float | None = None
) -> Estimate:
    """The numbers as they are reported; no zero is negative."""
    value, low, high = (round(float(number), DIGITS) + 0.0 for number in (value, low, high))
    stderr, noise = (None if error is None else round(float(error), DIGITS) for error in (stderr, noise))
    return Estimate(value, stderr, low, high, n, noise)


def _errors(parts: Sequence[NDArray[np.float64]], values: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Standard error of the mean of `values` over instances and seeds, and the part of it that is the seeds'.

    The components of a layout of two random factors: the spread over instances holds what single attempts add, but not
    what a whole seed shares, which is added where it is seen above them. No component is negative, so the error is
    rather too large than too small where seeds share nothing.
    """
    if len(values) == 1:
        return None, None
    several = [part for part in parts if len(part) > 1]
    alone = sum(map(_residual, several))
    shared = sum(max(0.0, _variance_of_mean(part.mean(axis=1)) - _residual(part)) for part in several)
    stderr = sqrt(max(_variance_of_mean(values), alone) + shared)
    return stderr, sqrt(alone + shared) if len(several) == len(parts) else None


def _residual(part: NDArray[np.float64]) -> float:
    """Variance of the mean of [seeds, instances] by what neither a seed nor an instance explains: single attempts."""
    rest = part - part.mean(axis=0) - part.mean(axis=1, keepdims=True) + part.mean()
    freedom = (part.shape[0] - 1) * (part.shape[1] - 1)
    return float((rest**2).sum() / freedom / part.size)


def _variance_of_mean(values: NDArray[np.float64]) -> float:
    return float(values.var(ddof=1)) / len(values)


def _resampled(parts: Sequence[NDArray[np.float64]], signs: Sequence[int]) -> NDArray[np.float64]:
    """The value over resamples, [SAMPLES]: the same instances for both parts, seeds for each by themselves."""
    instances = _weights("instances", parts[0].shape[1])
    total = np.zeros(SAMPLES)
    for position, (sign, part) in enumerate(zip(signs, parts, strict=True)):
        seeds = _weights(f"seeds {position}", len(part))
        total += sign * (seeds * (instances @ part.T)).sum(axis=1)
    return total


def _drawn(part: str, values: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Each seed's mean over resamples of its values, [SAMPLES, seeds]."""
    means = [_weights(f"{part} {seed}", len(own)) @ np.asarray(own, float) for seed, own in enumerate(values)]
    return np.stack(means, axis=1)


@cache
def _weights(of: str, count: int) -> NDArray[np.float64]:
    """Shares of each of `count` things in each resample, [SAMPLES, count]; the same every time.

    One thing less is drawn than there are: the mean of so many draws varies as much as the mean of all things does,
    which as many draws as things underrate, of three seeds by a third of the variance.
    """
    random = np.random.default_rng(seed_of("bootstrap", of, count))
    drawn = max(1, count - 1)
    return random.multinomial(drawn, [1 / count] * count, size=SAMPLES) / drawn
