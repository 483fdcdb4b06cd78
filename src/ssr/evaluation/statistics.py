"""Resolve rates, their paired standard errors (section 3) and bootstrap intervals over instances and seeds.

The ways are Eval Arena's: runs are compared instance by instance, and what the choice of instances and what the model's
own sampling add to the noise are told apart. An evaluation is one or more seeds, each a mapping of instances to 0 or 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray

from ssr.errors import EvaluationError
from ssr.seeds import seed_of

FEW = 30
"""Below this many problems the normal standard error gives way to the bootstrap."""
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

    `stderr` is the standard error over instances, paired if it is a difference, of the mean over seeds; `low` and
    `high` bound the 95 % bootstrap interval over instances and seeds; `noise` is the part of `stderr` that comes from
    seeds differing on the same instance, None where one seed cannot tell.
    """

    value: float
    stderr: float
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
    count = sum(map(len, [*before, *after]))
    return Estimate(*_rounded(value, resampled.std(ddof=1), low, high), n=count, noise=None)


def sign_test(gained: int, lost: int) -> float:
    """Two-sided p-value of so many gained and lost instances if each were as likely; 1 for none."""
    n, tail = gained + lost, min(gained, lost)
    return min(1.0, float(2 * sum(comb(n, k) for k in range(tail + 1)) / 2**n))


def mean_and_stderr(resolved: Mapping[str, float]) -> tuple[float, float]:
    """Share of resolved problems and its standard error, both in [0, 1]. Raises EvaluationError for no problem."""
    return _mean_and_stderr([float(resolved[key]) for key in sorted(resolved)])


def bootstrap_stderr(values: Sequence[float], samples: int = 2000) -> float:
    """Standard deviation of the mean over resamples with replacement; seeded by the number of values."""
    random = np.random.default_rng(seed_of("bootstrap", len(values)))
    drawn = random.choice(np.asarray(values), size=(samples, len(values)))
    return float(drawn.mean(axis=1).std(ddof=1))


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
    values = sum(sign * part.mean(axis=0) for sign, part in zip(signs, parts, strict=True))
    value, stderr = _mean_and_stderr(list(values))
    low, high = np.quantile(_resampled(parts, signs), INTERVAL, method="nearest")
    return Estimate(*_rounded(value, stderr, low, high), n=len(values), noise=_noise(parts))


def _rounded(value: float, stderr: float, low: float, high: float) -> tuple[float, float, float, float]:
    """The numbers of an estimate as they are reported; no zero is negative."""
    a, b, c, d = (round(float(number), DIGITS) + 0.0 for number in (value, stderr, low, high))
    return a, b, c, d


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
    """How often each of `count` things is drawn in each resample, as shares, [SAMPLES, count]; the same every time."""
    random = np.random.default_rng(seed_of("bootstrap", of, count))
    return random.multinomial(count, [1 / count] * count, size=SAMPLES) / count


def _noise(parts: Sequence[NDArray[np.float64]]) -> float | None:
    if any(len(part) < 2 for part in parts):
        return None
    variances = sum(part.var(axis=0, ddof=1) / len(part) for part in parts)
    return round(sqrt(float(np.mean(variances)) / parts[0].shape[1]), DIGITS)


def _mean_and_stderr(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        raise EvaluationError("an evaluation of no problem has no resolve rate")
    if len(values) < FEW:
        return float(np.mean(values)), bootstrap_stderr(values) if len(values) > 1 else 0.0
    return float(np.mean(values)), float(np.std(values, ddof=1)) / sqrt(len(values))
