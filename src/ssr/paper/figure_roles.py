"""Whether both roles improve: valid artifacts of the injector, and bugs held out from self-play that are solved."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ssr.paper.curves import draw_means, draw_rates, handles
from ssr.paper.data import Data
from ssr.paper.style import DOUBLE, in_order

BUGS = "builtin-bugs"


def draw(data: Data) -> Figure:
    """Two panels: share of injector episodes with a valid artifact, and solve rate of the held-out bugs.

    The bars of the run `ssr` are 95 % intervals of its gain over the base; those of the others would hide each other.
    """
    figure = Figure(figsize=(DOUBLE, 2.75), layout="constrained")
    left, right = figure.subplots(1, 2)
    runs = in_order(data.runs)
    draw_means(left, data.rows, "valid/episodes", runs, scale=100)
    left.set_title("(a) injector: episodes with a valid artifact", loc="left")
    left.set(xlabel="optimizer steps", ylabel="share (%), band: range of seeds", ylim=(0, None))
    found = next((row.n for row in data.rows if row.benchmark == BUGS and row.metric == "resolved"), None)
    if found is None:
        right.text(0.5, 0.5, f"{BUGS} was not evaluated", ha="center", transform=right.transAxes)
    else:
        title = f"(b) solver: {found} bugs held out from self-play"
        draw_rates(right, data.rows, BUGS, ["base", *runs], title, ["ssr"])
        right.set(ylabel="solve rate (%)")
    right.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    figure.legend(handles=handles(["base", *runs]), loc="outside lower center", ncols=4, handlelength=2.6)
    return figure
