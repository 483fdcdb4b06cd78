"""paper/REPRODUCTION.md, claim by claim: what the paper states, where the code does it, our number, agreement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from ssr.errors import EvaluationError
from ssr.evaluation.statistics import Estimate, change, gain
from ssr.game.reward import expected_injection_reward
from ssr.paper.cells import markdown
from ssr.paper.data import Data
from ssr.paper.figure10 import ALPHA, ATTEMPTS, maximum
from ssr.paper.playing import valid_episodes
from ssr.paper.scores import BOTH, Outcomes, Spot, panel, pooled
from ssr.paper.summary import Summary
from ssr.paper.table_game import is_one_line

Expected = Literal["above", "below", "about"]
NOT_RUN = "not run yet"
INTRODUCTION = """# Reproduction, claim by claim

Written by `ssr reproduction` from `paper/claims.yaml` and {source}; do not edit it by hand.
Our numbers are points of resolve rate on the built-in benchmarks, by a model of about a million parameters; the paper's
are of SWE-bench and a 32B model. Only the direction can be compared. In brackets stands the 95 % bootstrap interval
over tasks and seeds. *agrees*: the whole interval lies on the paper's side; *leans the same way*: the number does, the
interval does not; *leans the other way* and *disagrees*: the same on the other side.
"""


class Measure(BaseModel):
    """How our number for a claim is taken: exactly one of the kinds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gain: tuple[str, str] | None = None
    always: tuple[str, str] | None = None
    noise: tuple[str, str] | None = None
    untouched: tuple[str, str] | None = None
    one_line: tuple[str, str] | None = None
    valid: str | None = None
    maximum: bool | None = None
    benchmark: str = BOTH
    expect: Expected = "above"

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if len(self.model_fields_set - {"benchmark", "expect"}) != 1:
            raise ValueError("a measure is of exactly one kind")
        return self


class Claim(BaseModel):
    """One statement of the paper."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str
    paper: str
    code: list[str]
    measure: Measure | None = None


@dataclass(frozen=True)
class Finding:
    """Our number for a claim, and whether it agrees."""

    number: str
    agreement: str


def read_claims(path: Path) -> dict[str, list[Claim]]:
    """Claims by section. Raises EvaluationError."""
    try:
        sections = yaml.safe_load(path.read_text())
        return {name: [Claim.model_validate(claim) for claim in claims] for name, claims in sections.items()}
    except (OSError, ValidationError) as error:
        raise EvaluationError(f"{path} is no list of claims: {error}") from error


def reproduction(claims: dict[str, list[Claim]], data: Data, source: str) -> str:
    """The text of paper/REPRODUCTION.md; `source` says in words what the numbers are of."""
    parts = [INTRODUCTION.format(source=source)]
    for title, members in claims.items():
        lines = []
        for claim in members:
            found = finding(claim.measure, data)
            code = ", ".join(f"[{Path(path).name}](../{path})" for path in claim.code)
            lines.append([claim.claim, claim.paper, code, found.number, found.agreement])
        header = ["the paper's statement", "its number", "the code", "our number", "agreement"]
        parts.append(f"## {title}\n\n{markdown(header, lines)}")
    return "\n".join(parts)


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
        "valid": _valid,
        "maximum": _maximum,
    }
    kind = next(name for name in kinds if name in measure.model_fields_set)
    return kinds[kind](measure, data) or Finding(NOT_RUN, "")


def agreement(expect: Expected, value: float, low: float, high: float) -> str:
    """What an interval says of the side that is expected."""
    if expect == "about":
        return "agrees: no difference found" if low <= 0 <= high else "disagrees"
    sign = 1 if expect == "above" else -1
    nearest, farthest = sorted((sign * low, sign * high))
    if nearest > 0 or farthest < 0:
        return "agrees" if nearest > 0 else "disagrees"
    return "no difference" if value == 0 else f"leans {'the same' if sign * value > 0 else 'the other'} way"


def compared(data: Data, pair: tuple[str, str], benchmark: str, repos: Sequence[str] | None = None) -> list[Estimate]:
    """Gains of one run over another, at every generation that both were scored at; the base has but one."""
    outcomes = [row for row in data.outcomes() if repos is None or row["repo"] in repos]
    pools = pooled(outcomes)
    name = panel({row["benchmark"] for row in outcomes}, benchmark) or benchmark
    run, other = pair
    generations = sorted(generation for own, generation, of in pools if (own, of) == (run, name))
    spots: list[tuple[Spot, Spot]] = [
        ((run, generation, name), (other, 0 if other == "base" else generation, name)) for generation in generations
    ]
    return [gain(_seeds(pools[a]), _seeds(pools[b])) for a, b in spots if b in pools]


def _seeds(outcomes: Outcomes) -> list[dict[str, float]]:
    return [{name: float(value) for name, value in tasks.items()} for _, tasks in sorted(outcomes.items())]


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
    sign = 1 if measure.expect == "above" else -1
    fitting = sum(sign * estimate.value > 0 for estimate in estimates)
    verdict = "agrees" if fitting == len(estimates) else "disagrees"
    return Finding(f"at {fitting} of {len(estimates)} points", verdict) if estimates else None


def _noise(measure: Measure, data: Data) -> Finding | None:
    assert measure.noise is not None
    estimates = compared(data, measure.noise, measure.benchmark)
    return Finding(f"{100 * estimates[-1].stderr:.1f} points on {estimates[-1].n} tasks", "") if estimates else None


def _one_line(measure: Measure, data: Data) -> Finding | None:
    """Share of valid bugs of one line, of the first run minus that of the second, over the seeds that both have."""
    assert measure.one_line is not None
    run, other = ({one.seed: _lines_of(one) for one in data.summaries if one.run == name} for name in measure.one_line)
    seeds = [seed for seed in sorted(run.keys() & other.keys()) if run[seed] and other[seed]]
    return _of_shares(measure, [other[seed] for seed in seeds], [run[seed] for seed in seeds]) if seeds else None


def _lines_of(summary: Summary) -> list[float]:
    """1 for each valid bug of a single line, 0 for each larger one."""
    return [float(is_one_line(row)) for row in summary.artifacts if row["valid"]]


def _of_shares(measure: Measure, before: Sequence[Sequence[float]], after: Sequence[Sequence[float]]) -> Finding:
    """The difference of two shares, values by seed."""
    estimate = change(before, after)
    shares = " to ".join(f"{100 * fmean(map(fmean, part)):.0f} %" for part in (before, after))
    return Finding(f"{_points(estimate)} ({shares})", _agreement(measure, estimate))


def _valid(measure: Measure, data: Data) -> Finding | None:
    """Share of injector episodes with a valid artifact, in the last quarter of the generations minus in the first."""
    own = [summary for summary in data.summaries if summary.run == measure.valid]
    if not any(row["role"] == "injector" for summary in own for row in summary.episodes):
        return None
    last = max(row["generation"] for summary in own for row in summary.episodes)
    quarter = max(1, last // 4)
    early = [_valid_between(summary, 1, quarter) for summary in own]
    late = [_valid_between(summary, last - quarter + 1, last) for summary in own]
    return _of_shares(measure, early, late)


def _valid_between(summary: Summary, first: int, last: int) -> list[float]:
    """1 or 0 for each injector episode of these generations."""
    episodes, artifacts = (
        [row for row in rows if first <= row["generation"] <= last] for rows in (summary.episodes, summary.artifacts)
    )
    return [float(valid) for valid in valid_episodes(episodes, artifacts).values()]


def _maximum(measure: Measure, data: Data) -> Finding:
    place, value = maximum(lambda p: expected_injection_reward(p, ATTEMPTS, ALPHA))
    same = (f"{value:.4f}", f"{place:.3f}") == ("0.3702", "0.257")
    return Finding(f"{value:.4f} at {place:.3f}", "agrees" if same else "disagrees")
