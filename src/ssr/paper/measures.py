"""How our number for a claim of the paper is taken from the results, and what its interval says of the claim."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from ssr.evaluation.statistics import Estimate, change, gain
from ssr.paper.data import Data
from ssr.paper.figure10 import expected, maximum
from ssr.paper.playing import injector_episodes, valid_episodes
from ssr.paper.scores import BOTH, by_seed, panel, pooled, rival_of
from ssr.paper.summary import Summary, different_bugs
from ssr.paper.table_game import is_one_line

Expected = Literal["above", "below", "about"]
NOT_RUN = "not run yet"
MARGIN = 0.02
"""Nearer to zero than this is no difference: the noise that the paper gives for its evaluations."""
ALL = 0.95
"""Two shares above this are both nearly all, and tell nothing apart."""


class Measure(BaseModel):
    """How our number for a claim is taken: exactly one of the kinds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gain: tuple[str, str] | None = None
    always: tuple[str, str] | None = None
    noise: tuple[str, str] | None = None
    untouched: tuple[str, str] | None = None
    one_line: tuple[str, str] | None = None
    valid: str | None = None
    distinct: str | None = None
    reward: str | None = None
    maximum: bool | None = None
    benchmark: str = BOTH
    expect: Expected = "above"

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if len(self.model_fields_set - {"benchmark", "expect"}) != 1:
            raise ValueError("a measure is of exactly one kind")
        return self

    @property
    def scored_on(self) -> str:
        """The benchmark that it is taken on, if any."""
        return self.benchmark if self.model_fields_set & {"gain", "always", "noise", "untouched"} else ""


@dataclass(frozen=True)
class Finding:
    """Our number for a claim, and whether it agrees."""

    number: str
    agreement: str


def finding(measure: Measure | None, data: Data) -> Finding:
    """Our number for a measure, `not run yet` where the results do not hold what it needs."""
    if measure is None:
        return Finding("", "by its tests")
    kinds: dict[str, Callable[[Measure, Data], Finding | None]] = {
        "gain": _gain,
        "always": _always,
        "noise": _noise,
        "untouched": _untouched,
        "one_line": _one_line,
        **{kind: partial(_of_injector, kind) for kind in ("valid", "distinct", "reward")},
        "maximum": _maximum,
    }
    kind = next(name for name in kinds if name in measure.model_fields_set)
    return kinds[kind](measure, data) or Finding(NOT_RUN, "")


def agreement(expect: Expected, value: float, low: float, high: float) -> str:
    """What an interval says of the side that is expected."""
    if -MARGIN <= low <= high <= MARGIN:
        return "agrees" if expect == "about" else "no difference"
    if expect == "about":
        return "disagrees" if low > MARGIN or high < -MARGIN else "undecided"
    sign = 1 if expect == "above" else -1
    nearest, farthest = sorted((sign * low, sign * high))
    if nearest > 0 or farthest < 0:
        return "agrees" if nearest > 0 else "disagrees"
    return "undecided" if value == 0 else f"leans {'the same' if sign * value > 0 else 'the other'} way"


def compared(data: Data, pair: tuple[str, str], benchmark: str, repos: Sequence[str] | None = None) -> list[Estimate]:
    """Gains of one run over another, at every generation that both were scored at; the base has but one."""
    outcomes = [row for row in data.outcomes() if repos is None or row["repo"] in repos]
    pools = pooled(outcomes)
    name = panel({row["benchmark"] for row in outcomes}, benchmark) or benchmark
    run, other = pair
    generations = sorted(generation for own, generation, of in pools if (own, of) == (run, name))
    spots = [(run, generation, name) for generation in generations]
    pairs = [(spot, rival_of(spot, other)) for spot in spots]
    return [gain(by_seed(pools[spot]), by_seed(pools[rival])) for spot, rival in pairs if rival in pools]


def _points(estimate: Estimate) -> str:
    value, low, high = (100 * number for number in (estimate.value, estimate.low, estimate.high))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def _of_estimates(measure: Measure, estimates: Sequence[Estimate]) -> Finding | None:
    if not estimates:
        return None
    return Finding(_points(estimates[-1]), _agreement(measure, estimates[-1]))


def _agreement(measure: Measure, estimate: Estimate) -> str:
    return agreement(measure.expect, estimate.value, estimate.low, estimate.high)


def _gain(measure: Measure, data: Data) -> Finding | None:
    assert measure.gain is not None
    return _of_estimates(measure, compared(data, measure.gain, measure.benchmark))


def _untouched(measure: Measure, data: Data) -> Finding | None:
    assert measure.untouched is not None
    repos = sorted({name for one in data.summaries for name in one.scale["selfplay"]["untouched"]})
    found = _of_estimates(measure, compared(data, measure.untouched, measure.benchmark, repos)) if repos else None
    return found and Finding(f"{', '.join(repos)}: {found.number}", found.agreement)


def _always(measure: Measure, data: Data) -> Finding | None:
    assert measure.always is not None
    estimates = compared(data, measure.always, measure.benchmark)
    if not estimates:
        return None
    said = {_agreement(measure, estimate) for estimate in estimates}
    mixed = "leans the same way" if said == {"agrees", "leans the same way"} else "undecided"
    verdict = "disagrees" if "disagrees" in said else said.pop() if len(said) == 1 else mixed
    return Finding("; ".join(map(_points, estimates)), verdict)


def _noise(measure: Measure, data: Data) -> Finding | None:
    assert measure.noise is not None
    estimates = compared(data, measure.noise, measure.benchmark)
    if not estimates or estimates[-1].stderr is None:
        return None
    seeds = "" if estimates[-1].noise is None else ", with the seeds' spread"
    return Finding(f"{100 * estimates[-1].stderr:.1f} points on {estimates[-1].n} tasks{seeds}", "")


def _one_line(measure: Measure, data: Data) -> Finding | None:
    """Share of bugs of one line, of the first run minus that of the second, over the seeds that both have."""
    assert measure.one_line is not None
    run, other = ({one.seed: _lines_of(one) for one in data.summaries if one.run == name} for name in measure.one_line)
    seeds = [seed for seed in sorted(run.keys() & other.keys()) if run[seed] and other[seed]]
    return _of_shares(measure, [other[seed] for seed in seeds], [run[seed] for seed in seeds]) if seeds else None


def _lines_of(summary: Summary) -> list[float]:
    """1 for each bug of a single line, 0 for each larger one; those of a generation that are the same count once."""
    return [float(is_one_line(row)) for row in different_bugs(summary.artifacts)]


def _of_shares(measure: Measure, before: Sequence[Sequence[float]], after: Sequence[Sequence[float]]) -> Finding:
    """The difference of two shares, values by seed."""
    estimate = change(before, after)
    first, second = (fmean(map(fmean, part)) for part in (before, after))
    said = "undecided: nearly all in both" if min(first, second) > ALL else _agreement(measure, estimate)
    return Finding(f"{_points(estimate)} ({100 * first:.0f} % to {100 * second:.0f} %)", said)


def _of_injector(kind: str, measure: Measure, data: Data) -> Finding | None:
    """What injector episodes bring on average, in the last quarter of the generations minus in the first."""
    own = [summary for summary in data.summaries if summary.run == getattr(measure, kind)]
    if not any(row["role"] == "injector" for summary in own for row in summary.episodes):
        return None
    last = max(row["generation"] for summary in own for row in summary.episodes)
    quarter = max(1, last // 4)
    early = [_brought(kind, summary, 1, quarter) for summary in own]
    late = [_brought(kind, summary, last - quarter + 1, last) for summary in own]
    if kind != "reward":
        return _of_shares(measure, early, late)
    estimate = change(early, late)
    value, low, high = (round(number, 3) + 0.0 for number in (estimate.value, estimate.low, estimate.high))
    first, second = (fmean(map(fmean, part)) for part in (early, late))
    number = f"{value:+.3f} [{low:+.3f}, {high:+.3f}] ({first:.3f} to {second:.3f})"
    return Finding(number, _agreement(measure, estimate))


def _brought(kind: str, summary: Summary, first: int, last: int) -> list[float]:
    """Of each injector episode of these generations: its reward; or 1 where it handed in a valid artifact, of
    `distinct` one that no other episode of its generation had handed in before, and 0 elsewhere. That makes episodes
    depend on each other, which the bootstrap does not know: its interval is approximate there.
    """
    episodes, artifacts = (
        [row for row in rows if first <= row["generation"] <= last] for rows in (summary.episodes, summary.artifacts)
    )
    if kind == "reward":
        return [row["reward"] for row in injector_episodes(episodes) if row["reward"] is not None]
    counted = different_bugs(artifacts) if kind == "distinct" else artifacts
    return [float(valid) for valid in valid_episodes(episodes, counted).values()]


def _maximum(measure: Measure, data: Data) -> Finding:
    """Place and height of the maximum, and that a fine grid rises before it and falls after it."""
    place, value = maximum(expected)
    before, after = ([expected(start + step / 1000 * width) for step in range(1001)]
                     for start, width in ((0, place), (place, 1 - place)))  # fmt: skip
    single = before == sorted(before) and after == sorted(after, reverse=True)
    same = (f"{value:.4f}", f"{place:.3f}") == ("0.3702", "0.257")
    return Finding(f"{value:.4f} at {place:.3f}", "agrees" if same and single else "disagrees")
