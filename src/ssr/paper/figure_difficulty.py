"""How hard the self-made bugs are: solve rates over generations, beside figure 10's reward, and the bugs' sizes."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ssr.game.reward import expected_injection_reward, solve_rate_reward
from ssr.paper.data import Data
from ssr.paper.style import DOUBLE
from ssr.paper.summary import TableRow, different_bugs

CLASSES = (("none", "#D55E00"), ("some, up to half", "#E69F00"), ("over half", "#56B4E9"), ("all", "#0072B2"))
"""Of a bug's attempts that solve it."""
STRATEGIES = {"removal": ("#0072B2", "-"), "history": ("#009E73", "--"), "direct": ("#CC79A7", ":")}
RUN = "ssr"


def draw(data: Data) -> Figure:
    """Solve rates of the run `ssr`, the injector's reward, and sizes of all runs' valid bugs by strategy.

    A bug that was handed in several times in a generation counts once.
    """
    figure = Figure(figsize=(DOUBLE, 2.9), layout="constrained")
    rates, reward, sizes = figure.subplots(1, 3, width_ratios=[1, 1.15, 1])
    bugs = different_bugs(row for row in data.artifacts(RUN) if row["valid"] and row["attempts"])
    _draw_rates(rates, bugs)
    scale = next((summary.scale for summary in data.summaries if summary.run == RUN), None)
    if scale is not None:
        _draw_reward(reward, bugs, scale["game"]["attempts"], scale["game"]["alpha"])
    _draw_sizes(sizes, different_bugs(row for summary in data.summaries for row in summary.artifacts))
    return figure


def class_of(row: TableRow) -> int:
    """Which of CLASSES a bug's solve rate falls into."""
    if row["solved"] == 0:
        return 0
    return 3 if row["solved"] == row["attempts"] else 1 if 2 * row["solved"] <= row["attempts"] else 2


def _draw_rates(axes: Axes, bugs: Sequence[TableRow]) -> None:
    generations = sorted({row["generation"] for row in bugs})
    bottom = [0.0] * len(generations)
    for number, (label, colour) in enumerate(CLASSES):
        heights = []
        for generation in generations:
            own = [class_of(row) for row in bugs if row["generation"] == generation]
            heights.append(100 * own.count(number) / len(own))
        axes.bar(generations, heights, bottom=bottom, color=colour, width=0.8, label=label)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    axes.set_title("(a) attempts that solve a bug", loc="left")
    axes.set(xlabel="generation", ylabel="share of the bugs played (%)", ylim=(0, 100))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    _legend_below(axes)


def _draw_reward(axes: Axes, bugs: Sequence[TableRow], attempts: int, alpha: float) -> None:
    """Solve rates of the first and of the second half of the generations, under the reward that they earn."""
    middle = max((row["generation"] for row in bugs), default=0) / 2
    halves = {"first half": ("#999999", -0.2, False), "second half": ("#0072B2", 0.2, True)}
    for label, (colour, shift, late) in halves.items():
        own = [round(attempts * r["solved"] / r["attempts"]) for r in bugs if (r["generation"] > middle) == late]
        shares = [own.count(k) / len(own) if own else 0.0 for k in range(attempts + 1)]
        places = [(k + shift) / attempts for k in range(attempts + 1)]
        axes.bar(places, shares, width=0.38 / attempts, color=colour, label=f"bugs, {label}", zorder=2)
    rates = [step / 200 for step in range(201)]
    expected = [expected_injection_reward(rate, attempts, alpha) for rate in rates]
    axes.plot(rates, expected, color="#D55E00", label="expected reward", zorder=3)
    exact = [solve_rate_reward(k / attempts, alpha) for k in range(attempts + 1)]
    places = [k / attempts for k in range(attempts + 1)]
    axes.plot(places, exact, "o", color="#D55E00", markersize=3, label="reward", zorder=4)
    axes.axhline(0, color="black", linewidth=0.5)
    axes.set_title(f"(b) reward and bugs, {attempts} attempts", loc="left")
    axes.set(xlabel="solve rate", ylabel="reward, share of the bugs", ylim=(-1, 1))
    _legend_below(axes)


def _draw_sizes(axes: Axes, bugs: Sequence[TableRow]) -> None:
    """Share of the bugs with at most so many changed lines."""
    for strategy, (colour, line) in STRATEGIES.items():
        lines = sorted(row["lines"] for row in bugs if row["strategy"] == strategy)
        if lines:
            shares = [100 * (k + 1) / len(lines) for k in range(len(lines))]
            label = f"{strategy} ({len(lines)})"
            axes.step([1, *lines], [0, *shares], where="post", color=colour, linestyle=line, label=label)
    axes.set_xscale("log", base=2)
    axes.set_title("(c) size of valid bugs", loc="left")
    axes.set(xlabel="changed lines, at most", ylabel="share of the bugs (%)", ylim=(0, 102))
    axes.xaxis.set_major_formatter("{x:.0f}")
    if axes.lines:
        _legend_below(axes)


def _legend_below(axes: Axes) -> None:
    axes.legend(
        ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.22), handlelength=1.4, columnspacing=1, fontsize=6.5
    )
