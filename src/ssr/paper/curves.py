"""Curves over optimizer steps: resolve rates of runs with the paper's values beside, and means over seeds."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ssr.paper.metrics import Row
from ssr.paper.style import in_order, style_of

PAPER_LABEL = "the paper's values"
BELOW_ZERO = 0.04
"""How far an axis of rates reaches below zero at most, as a share of its height: room for a marker, not for a bar."""
BAR_LABEL = "95 % interval, gain over base"


@dataclass(frozen=True)
class Point:
    """A value after some optimizer steps, and the bounds of its bar or band."""

    step: int
    value: float
    low: float
    high: float


def rate_curve(rows: Sequence[Row], run: str, benchmark: str) -> list[Point]:
    """A run's resolve rates in percent in order of steps, all seeds pooled; the base is the first point of every curve.

    Bars are bootstrap intervals of the gain over the base, paired by task, about the base's rate.
    """
    pooled = [row for row in rows if row.benchmark == benchmark and row.seed is None and row.run in ("base", run)]
    rates = [row for row in pooled if row.metric == "resolved"]
    gains = {row.generation: row for row in pooled if row.metric == "resolved_difference" and row.against == "base"}
    base = next((row.value for row in rates if row.run == "base"), 0.0)
    points = []
    for row in rates:
        gain = gains.get(row.generation) if row.run == run else None
        low, high = (gain.low or 0.0, gain.high or 0.0) if gain else (row.value - base, row.value - base)
        points.append(Point(row.step, *(100 * number for number in (row.value, base + low, base + high))))
    return sorted(points, key=lambda point: point.step)


def seed_curve(rows: Iterable[Row], run: str, metric: str) -> list[Point]:
    """A metric's mean over seeds by step, with the lowest and highest seed as bounds."""
    values: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
    steps: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    seen: defaultdict[tuple[int, int | None], int] = defaultdict(int)
    for row in rows:
        if row.run == run and row.metric == metric and row.seed is not None:
            key = (row.generation, seen[row.generation, row.seed])
            seen[row.generation, row.seed] += 1
            values[key].append(row.value)
            steps[key].append(row.step)
    return [Point(max(steps[k]), sum(v) / len(v), min(v), max(v)) for k, v in sorted(values.items())]


def draw_rates(
    axes: Axes, rows: Sequence[Row], benchmark: str, runs: Sequence[str], title: str, with_bars: Sequence[str]
) -> None:
    """Resolve rates of the runs that there are, over optimizer steps; the base is a level line."""
    base = rate_curve(rows, "base", benchmark)
    last = max(1, *(row.step for row in rows if row.benchmark == benchmark))
    others = [run for run in runs if run != "base"]
    for position, run in enumerate(runs):
        style, points = style_of(run), rate_curve(rows, run, benchmark)
        if run == "base" and base:
            axes.axhline(base[0].value, color=style.colour, linestyle=style.line, linewidth=1)
            axes.plot([0], [base[0].value], color=style.colour, marker=style.marker, zorder=4 + len(runs))
        elif len(points) > 1:
            shift = 0.012 * last * (others.index(run) - (len(others) - 1) / 2)
            spans = [[p.value - p.low for p in points], [p.high - p.value for p in points]]
            bars = spans if run in with_bars else None
            places = [p.step and p.step + shift for p in points]
            axes.errorbar(
                places, [p.value for p in points], bars, color=style.colour, marker=style.marker,
                linestyle=style.line, elinewidth=0.8, zorder=3 + position,
            )  # fmt: skip
    axes.set_title(title, loc="left")
    axes.set(xlabel="optimizer steps", ylabel="resolve rate (%)", xlim=(-0.05 * last, 1.07 * last))
    low, high = axes.get_ylim()
    axes.set_ylim(bottom=max(low, -BELOW_ZERO * high))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def draw_paper(axes: Axes, values: dict[str, float], title: str) -> None:
    """The paper's values of the last step, apart from ours."""
    runs = in_order(values)
    for position, run in enumerate(runs):
        style = style_of(run)
        axes.plot([position], [values[run]], color=style.colour, marker=style.marker, markerfacecolor="white")
        axes.annotate(
            f"{values[run]:.1f}", (position, values[run]), (0, 5), textcoords="offset points", ha="center", fontsize=7
        )
    axes.set_facecolor("#F0F0F0")
    axes.set(xlim=(-0.8, len(runs) - 0.2), xticks=[], xlabel="32B model,\n150 steps")
    axes.set_title(title, fontsize=7)
    axes.spines["right"].set_visible(True)
    axes.spines["left"].set_visible(False)
    axes.yaxis.tick_right()


def same_units(own: Axes, beside: Axes) -> None:
    """Give both the same percentage points an inch, each about its own middle, so that gains can be compared."""
    limits = [axes.get_ylim() for axes in (own, beside)]
    span = max(high - low for low, high in limits) * 1.12
    for axes, (low, high) in zip((own, beside), limits, strict=True):
        bottom = max((low + high - span) / 2, -BELOW_ZERO * span)
        axes.set_ylim(bottom, bottom + span)
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def draw_means(axes: Axes, rows: Sequence[Row], metric: str, runs: Sequence[str], scale: float = 1.0) -> None:
    """Means over seeds of a metric of the runs that have it, the seeds' range as a band."""
    for run in runs:
        style, points = style_of(run), seed_curve(rows, run, metric)
        if points:
            steps = [p.step for p in points]
            axes.plot(
                steps, [scale * p.value for p in points], color=style.colour, linestyle=style.line,
                marker=style.marker if len(points) < 13 else "", markersize=3, linewidth=1,
            )  # fmt: skip
            low, high = [scale * p.low for p in points], [scale * p.high for p in points]
            axes.fill_between(steps, low, high, color=style.colour, alpha=0.15, linewidth=0)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))


def handles(runs: Iterable[str], *, paper: bool = False, bars: bool = False) -> list[Line2D]:
    """Entries of a legend."""
    styles = [style_of(run) for run in in_order(runs)]
    lines = [Line2D([], [], color=s.colour, marker=s.marker, linestyle=s.line, label=s.label) for s in styles]
    if paper:
        lines.append(
            Line2D([], [], color="black", marker="o", markerfacecolor="white", linestyle="none", label=PAPER_LABEL)
        )
    if bars:
        lines.append(Line2D([], [], color="black", marker="|", markersize=9, linestyle="none", label=BAR_LABEL))
    return lines
