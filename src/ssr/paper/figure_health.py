"""The health of the runs over the optimizer steps: what says in time that training goes wrong."""

from matplotlib.figure import Figure

from ssr.paper.curves import draw_means, handles
from ssr.paper.data import Data
from ssr.paper.style import DOUBLE, in_order

PANELS = (
    ("training/entropy", "entropy (nats)", 1),
    ("training/ratio_mean", "importance ratio, mean", 1),
    ("training/ratio_max", "importance ratio, largest", 1),
    ("training/grad_norm", "gradient norm", 1),
    ("length/injector", "tokens of an injector episode", 1),
    ("length/solver", "tokens of a solver episode", 1),
    ("gibberish/all", "gibberish, both roles (%)", 100),
    ("repetition/all", "repetition, both roles (%)", 100),
)
"""Metric, title, factor."""


def draw(data: Data) -> Figure:
    """Eight panels; lines are means over seeds, bands their range."""
    figure = Figure(figsize=(DOUBLE, 3.6), layout="constrained")
    runs = in_order(data.runs)
    grid = figure.subplots(2, 4)
    for axes in grid[1]:
        axes.set_xlabel("optimizer steps", fontsize=7)
    for axes, (metric, title, factor) in zip(grid.flat, PANELS, strict=True):
        draw_means(axes, data.rows, metric, runs, factor)
        axes.set_title(title, loc="left", fontsize=7)
        axes.tick_params(labelsize=6)
        axes.ticklabel_format(useOffset=False)
        if factor == 100:
            axes.set_ylim(-4, 104)
    figure.legend(handles=handles(runs), loc="outside lower center", ncols=4, handlelength=2.6)
    return figure
