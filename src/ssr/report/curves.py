"""The curves of the overview: metrics over optimizer steps or generations, with intervals."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from urllib.parse import urlencode

from ssr.paper.metrics import Row
from ssr.paper.scores import BOTH

Z = 1.96
"""Standard errors in half a 95 % interval."""
FIRST_RUNS = ("base", "baseline", "ssr")
TITLES = {
    "valid": "Artifacts that pass every check",
    "valid/distinct": "The same, each bug counted once",
    "bugs/new": "Bugs the run had not made before",
    "solve_rate/order-1": "Solve rate, first order",
    "solve_rate/order-2": "Solve rate, second order",
    "mixed/order-1": "Bugs that only some attempts solve, first order",
    "mixed/order-2": "Bugs that only some attempts solve, second order",
    "reward/injector": "Mean reward, injector",
    "reward/solver": "Mean reward, solver",
    "length/injector": "Generated tokens an episode, injector",
    "length/solver": "Generated tokens an episode, solver",
    "turns/injector": "Turns an episode, injector",
    "turns/solver": "Turns an episode, solver",
    "gibberish/injector": "Gibberish tokens, injector",
    "gibberish/solver": "Gibberish tokens, solver",
    "repetition/injector": "Repeated tokens, injector",
    "repetition/solver": "Repeated tokens, solver",
    "training/entropy": "Entropy (nats a token)",
    "training/ratio_mean": "Importance ratio before truncation, mean",
    "training/ratio_max": "Importance ratio before truncation, largest",
    "training/grad_norm": "Gradient norm",
    "training/kl": "KL to the weights that played",
    "training/loss": "Loss",
    "training/clipped_share": "Share of truncated or clipped tokens",
    "training/learning_rate": "Learning rate",
    "training/sampled_tokens": "Sampled tokens a step",
}
SHARES = ("valid", "solve_rate/", "mixed/", "resolved", "gibberish/", "repetition/", "training/clipped_share")
"""Metrics that are fractions begin with one of these."""
NOT_DRAWN = (
    "exit/", "failed/", "errors", "resolved_difference", "valid/direct", "valid/removal", "valid/history",
    "bugs/distinct", "training/rows", "training/tokens", "training/packs",
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """A value with its 95 % interval, the place it was measured at, and a link to where it comes from."""

    x: float
    value: float
    low: float
    high: float
    n: int
    link: str


@dataclass(frozen=True)
class Curve:
    """The points of one run, in order."""

    run: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Panel:
    """One chart; with `percent`, values are in percent."""

    title: str
    metric: str
    axis: str
    percent: bool
    curves: tuple[Curve, ...]


def ordered(runs: Iterable[str]) -> list[str]:
    """Base, baseline and ssr first, then the others by name."""
    names = set(runs)
    return [run for run in FIRST_RUNS if run in names] + sorted(names - set(FIRST_RUNS))


def benchmarks_of(rows: Iterable[Row]) -> list[str]:
    """The benchmarks that were scored: the two of the paper's figures together, then verified before the others."""
    names = {row.benchmark for row in rows if row.metric == "resolved"}
    return sorted(names, key=lambda name: (name != BOTH, not name.endswith("verified"), name))


def link_of(row: Row) -> str:
    """The page that says where a number comes from."""
    wanted = {"run": row.run, "generation": row.generation, "metric": row.metric, "benchmark": row.benchmark}
    return "provenance.html#" + urlencode({name: value for name, value in wanted.items() if value != ""})


def resolve_panels(rows: Sequence[Row]) -> list[Panel]:
    """Resolve rates over optimizer steps, a panel a benchmark; seeds are pooled, every curve begins at the base."""
    panels = []
    for benchmark in benchmarks_of(rows):
        own = [row for row in rows if row.benchmark == benchmark and row.metric == "resolved" and row.seed is None]
        base = [row for row in own if row.run == "base"]
        curves = [
            Curve(run, _points([*base, *(row for row in own if row.run == run)], True))
            for run in ordered(row.run for row in own)
            if run != "base"
        ]
        curves = [Curve("base", _points(base, True)), *curves] if base else curves
        tasks = max(row.n for row in own)
        title = f"{benchmark}, {tasks} tasks"
        panels.append(Panel(title, "resolved", "optimizer steps", True, tuple(curves)))
    return panels


def selfplay_panels(rows: Sequence[Row]) -> list[Panel]:
    """Everything else that the game measures, over generations."""
    return _panels([row for row in rows if not row.metric.startswith("training/")], "generation")


def training_panels(rows: Sequence[Row]) -> list[Panel]:
    """The trainer's monitors, over optimizer steps."""
    return _panels([row for row in rows if row.metric.startswith("training/")], "optimizer steps")


def _panels(rows: Sequence[Row], axis: str) -> list[Panel]:
    drawn = [row for row in rows if not row.metric.startswith((*NOT_DRAWN, "resolved"))]
    names = {row.metric for row in drawn}
    metrics = [name for name in TITLES if name in names] + sorted(names - set(TITLES))
    panels = []
    for metric in metrics:
        own = [row for row in drawn if row.metric == metric and not row.against]
        curves = [_curve(run, own, axis, _is_share(metric)) for run in ordered(row.run for row in own)]
        panels.append(Panel(TITLES.get(metric, metric), metric, axis, _is_share(metric), tuple(curves)))
    return panels


def _is_share(metric: str) -> bool:
    return metric.startswith(SHARES)


def _curve(run: str, rows: Sequence[Row], axis: str, share: bool) -> Curve:
    """A run's points; where no row pools the seeds, their mean is taken."""
    own = [row for row in rows if row.run == run]
    pooled = [row for row in own if row.seed is None]
    return Curve(run, _points(pooled or own, share, by_step=axis != "generation"))


def _points(rows: Sequence[Row], share: bool, by_step: bool = True) -> tuple[Point, ...]:
    places: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        places[row.step if by_step else row.generation].append(row)
    return tuple(_point(x, places[x], share) for x in sorted(places))


def _point(x: int, rows: Sequence[Row], share: bool) -> Point:
    """The mean over rows, one a seed, with the interval that follows from their standard errors."""
    factor = 100 if share else 1
    value = sum(row.value for row in rows) / len(rows)
    low, high = interval(rows)
    if share:
        low, high = max(low, 0.0), min(high, 1.0)
    return Point(x, factor * value, factor * low, factor * high, sum(row.n for row in rows), link_of(rows[0]))


def interval(rows: Sequence[Row]) -> tuple[float, float]:
    """The 95 % interval of the mean over rows: a pooled row's own, else the normal one of the standard errors."""
    first = rows[0]
    if len(rows) == 1 and first.low is not None and first.high is not None:
        return first.low, first.high
    value = sum(row.value for row in rows) / len(rows)
    half = Z * sqrt(sum((row.stderr or 0.0) ** 2 for row in rows)) / len(rows)
    return value - half, value + half
