"""Figure 8: resolve rates of base, baseline and SSR over the optimizer steps, with the paper's values beside."""

from matplotlib.figure import Figure

from ssr.errors import EvaluationError
from ssr.paper.curves import draw_paper, draw_rates, handles, same_units
from ssr.paper.data import Data
from ssr.paper.reported import of_benchmark
from ssr.paper.scores import panels
from ssr.paper.style import DOUBLE

COMPARED = ("base", "baseline", "ssr")
PAPER_NAMES = {"verified": "SWE-bench\nVerified", "pro": "SWE-bench\nPro"}


def draw(data: Data) -> Figure:
    """Both panels. Raises EvaluationError when the metrics hold no benchmark of figure 8's kinds."""
    benchmarks = panels(row.benchmark for row in data.rows if row.benchmark)
    if not benchmarks:
        raise EvaluationError("figure 8 needs the metrics of a benchmark whose name ends in -verified or -pro")
    figure = Figure(figsize=(DOUBLE, 2.75), layout="constrained")
    ratios = [3.4, 1.25] * len(benchmarks)
    grid = figure.subplots(1, len(ratios), width_ratios=ratios, squeeze=False)[0]
    for position, benchmark in enumerate(benchmarks):
        own, beside = grid[2 * position], grid[2 * position + 1]
        tasks = next(row.n for row in data.rows if row.benchmark == benchmark and row.metric == "resolved")
        title = f"({'ab'[position]}) {benchmark}, {tasks} tasks"
        draw_rates(own, data.rows, benchmark, COMPARED, title, COMPARED)
        kind = benchmark.rpartition("-")[2]
        draw_paper(beside, of_benchmark(data.reported, benchmark), f"paper: {PAPER_NAMES[kind]}")
        same_units(own, beside)
    legend = handles(COMPARED, paper=True, bars=True)
    figure.legend(handles=legend, loc="outside lower center", ncols=5, columnspacing=1.2, handlelength=2.8)
    return figure
