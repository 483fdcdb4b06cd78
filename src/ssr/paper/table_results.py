"""Tables of evaluations: results of each run, of each repository, and which tasks a run gained and lost."""

from collections.abc import Sequence

from ssr.errors import EvaluationError
from ssr.evaluation.statistics import sign_test
from ssr.paper.cells import Cells, columns, find, markdown, numbers, percent
from ssr.paper.data import Data
from ssr.paper.metrics import Row
from ssr.paper.reported import of_benchmark
from ssr.paper.scores import BOTH, OTHERS, Outcomes, last_generation, pooled, rival_of
from ssr.paper.style import in_order

INTERVALS = (
    "Percent, pass@1: one attempt a task, at the scale's `sampling.evaluation`. After ± stands one standard error, in\n"
    "brackets the 95 % bootstrap interval, both over tasks and, where there are several, seeds; paired by task for\n"
    "differences."
)
RESULTS_NOTE = (
    f"{INTERVALS}\n`both` weighs every task of the two benchmarks the same. The last column holds the paper's values:\n"
    "SWE-bench itself, a 32B model after 150 steps. They are not comparable with the others, only their order is."
)
REPOSITORIES_NOTE = (
    f"{INTERVALS}\nThe last checkpoint of each run. Self-play and human-data issues leave alone what is *untouched*;\n"
    "the small base model has read all of these repositories in pre-training, as large models have."
)
CHANGES_NOTE = (
    "Tasks that the last checkpoint resolves and the base model does not, or the other way round, attempt against\n"
    "attempt: a number for each seed. `p` is the two-sided sign test's of that seed. The CSV file names the tasks\n"
    "that the seeds of a run resolve more often than those of the base model, or less often, and both shares."
)


def results(data: Data) -> tuple[str, Cells]:
    """Resolve rates of every run's last checkpoint, their paired differences, and the paper's values beside."""
    rows = [row for row in data.rows if row.benchmark and row.seed is None]
    if not rows:
        raise EvaluationError("the results table needs the metrics of at least one benchmark")
    sections = []
    cells = [["benchmark", "tasks", "run", "step", *columns("resolved")]]
    cells[0] += [cell for other in OTHERS for cell in columns(f"minus_{other}")] + ["paper_resolved"]
    for benchmark in sorted({row.benchmark for row in rows}, key=lambda name: (name == BOTH, name), reverse=True):
        paper, lines = of_benchmark(data.reported, benchmark), []
        own = [row for row in rows if row.benchmark == benchmark]
        tasks = next(row.n for row in own if row.metric == "resolved")
        for run in in_order(row.run for row in own):
            last = last_rows(own, run)
            found = [find(last, "resolved"), *(find(last, "resolved_difference", other) for other in OTHERS)]
            value = f"{paper[run]:.1f}" if run in paper else ""
            step = str(last[0].step)
            lines.append([run, step, *map(percent, found), value])
            cells.append([benchmark, str(tasks), run, step, *(n for row in found for n in numbers(row)), value])
        header = ["run", "steps", "resolved", *(f"minus {other}" for other in OTHERS), "paper, resolved"]
        sections.append(f"## {benchmark}, {tasks} tasks\n\n{markdown(header, lines)}")
    return f"# Results\n\n{RESULTS_NOTE}\n\n" + "\n".join(sections), cells


def repositories(data: Data) -> tuple[str, Cells]:
    """Resolve rates by repository; those that self-play never touched stand apart."""
    untouched = {name for summary in data.summaries for name in summary.scale["selfplay"]["untouched"]}
    rows = [row for row in data.rows if row.metric.startswith("resolved/") and row.seed is None]
    sections, cells = [], [["benchmark", "repository", "untouched", "tasks", "run", *columns("resolved")]]
    cells[0] += columns("minus_base")
    for benchmark in sorted({row.benchmark for row in rows}, key=lambda name: (name == BOTH, name), reverse=True):
        lines = []
        own = [row for row in rows if row.benchmark == benchmark]
        names = sorted({row.metric.partition("/")[2] for row in own}, key=lambda name: (name not in untouched, name))
        for name in names:
            for run in in_order(row.run for row in own):
                here = [row for row in data.rows if row.run == run and row.benchmark == benchmark and row.seed is None]
                rate = find(here, f"resolved/{name}")
                gain = find(here, f"resolved_difference/{name}", "base")
                if rate is not None:
                    title = f"{name} (*untouched*)" if name in untouched else name
                    lines.append([title, str(rate.n), run, percent(rate), percent(gain)])
                    kept = str(name in untouched)
                    cells.append([benchmark, name, kept, str(rate.n), run, *numbers(rate), *numbers(gain)])
        header = ["repository", "tasks", "run", "resolved", "minus base"]
        sections.append(f"## {benchmark}\n\n{markdown(header, lines)}")
    return f"# By repository\n\n{REPOSITORIES_NOTE}\n\n" + "\n".join(sections), cells


def changes(data: Data) -> tuple[str, Cells]:
    """Which tasks each run's last checkpoint gained and lost against the base model."""
    pools = pooled(data.outcomes())
    runs = in_order({run for run, _, _ in pools} - {"base"})
    lines, cells = [], [["benchmark", "run", "task", "base", "after", "change"]]
    for benchmark in sorted({benchmark for *_, benchmark in pools} - {BOTH}, reverse=True):
        for run in runs:
            spot = (run, last_generation(pools, run), benchmark)
            own, base = pools[spot], pools[rival_of(spot, "base")]
            lines.append([benchmark, run, *map(", ".join, zip(*_by_seed(own, base), strict=True))])
            after, before = shares(own), shares(base)
            for word, names in (
                ("gained", sorted(name for name in before if after[name] > before[name])),
                ("lost", sorted(name for name in before if after[name] < before[name])),
            ):
                for name in names:
                    task = name.partition("/")[2]
                    cells.append([benchmark, run, task, f"{before[name]:.3f}", f"{after[name]:.3f}", word])
    header = ["benchmark", "run", "gained", "lost", "p"]
    return f"# Tasks gained and lost\n\n{CHANGES_NOTE}\n\n{markdown(header, lines)}", cells


def _by_seed(own: Outcomes, base: Outcomes) -> list[tuple[str, str, str]]:
    """Tasks gained and lost by each seed against an attempt of the base model, its own where it was scored as often."""
    found = []
    for seed, outcomes in sorted(own.items()):
        before = base.get(seed, next(iter(base.values())))
        gained = sum(outcomes[name] > before[name] for name in before)
        lost = sum(outcomes[name] < before[name] for name in before)
        p = sign_test(gained, lost)
        found.append((str(gained), str(lost), f"{p:.3f}" if p >= 0.001 else "<0.001"))
    return found


def shares(outcomes: Outcomes) -> dict[str, float]:
    """Share of the seeds that resolve each task."""
    seeds = list(outcomes.values())
    return {name: sum(outcomes[name] for outcomes in seeds) / len(seeds) for name in seeds[0]}


def last_rows(rows: Sequence[Row], run: str) -> list[Row]:
    """Rows of a run's last generation."""
    own = [row for row in rows if row.run == run]
    return [row for row in own if row.generation == max(row.generation for row in own)]
