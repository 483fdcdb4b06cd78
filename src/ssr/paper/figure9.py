"""Figure 9: what self-play is made of, on both benchmarks together, with the paper's values beside."""

from dataclasses import dataclass

from matplotlib.figure import Figure

from ssr.errors import EvaluationError
from ssr.paper.curves import draw_paper, draw_rates, handles, same_units
from ssr.paper.data import Data
from ssr.paper.scores import BOTH, panels
from ssr.paper.style import SINGLE


@dataclass(frozen=True)
class Part:
    """One panel of the paper's figure."""

    title: str
    runs: tuple[str, ...]


PARTS = {
    "figure9a": Part("both roles, or one alone", ("base", "ssr", "injection_only", "repair_only")),
    "figure9b": Part("injection strategies", ("base", "ssr", "removal_only", "direct")),
    "figure9c": Part("injection rewards", ("base", "ssr", "consistency_reward")),
}


def draw(data: Data, name: str) -> Figure:
    """One part. Raises EvaluationError when the metrics hold no benchmark of figure 8's kinds."""
    part = PARTS[name]
    names = {row.benchmark for row in data.rows}
    benchmark = BOTH if BOTH in names else next(iter(panels(names)), None)
    if benchmark is None:
        raise EvaluationError(f"{name} needs the metrics of a benchmark whose name ends in -verified or -pro")
    figure = Figure(figsize=(SINGLE, 3.1), layout="constrained")
    own, beside = figure.subplots(1, 2, width_ratios=[2.2, 1.25])
    tasks = next(row.n for row in data.rows if row.benchmark == benchmark and row.metric == "resolved")
    here = "both benchmarks" if benchmark == BOTH else benchmark
    title = f"({name[-1]}) {part.title}\n{here}, {tasks} tasks"
    draw_rates(own, data.rows, benchmark, part.runs, title, part.runs)
    values = {row.run: row.value for row in data.reported if row.figure == "9" and row.run in part.runs}
    draw_paper(beside, values, "paper: both,\n1231 problems")
    same_units(own, beside)
    legend = handles(part.runs, paper=True, bars=True)
    figure.legend(handles=legend, loc="outside lower center", ncols=2, columnspacing=0.8, handlelength=2.2)
    return figure
