"""Tables of self-play: what each generation injected and solved, and how large the bugs are."""

from collections.abc import Sequence
from statistics import fmean, median

from ssr.paper.cells import Cells, markdown
from ssr.paper.data import Data
from ssr.paper.metrics import Row
from ssr.paper.style import in_order
from ssr.paper.summary import TableRow, different_bugs

GAME_METRICS = ("valid", "bugs", "failed/", "solve_rate/", "mixed/", "reward/")
GAME_NOTE = (
    "`valid` is the share of artifacts that passed every check, all and by strategy, with each bug counted once\n"
    "(`valid/distinct`), and of all injector episodes (`valid/episodes`); `bugs` counts the valid ones, those that\n"
    "change different lines (`bugs/distinct`), and of these the ones that the run did not make in an earlier\n"
    "generation (`bugs/new`); `solve_rate` is the mean over bugs; `mixed` the share of bugs that some attempts solved\n"
    "and some did not; `reward` the mean over trained trajectories."
)
SIZES_NOTE = (
    "Valid bugs of all generations and seeds, those of a generation that are the same counted once: median and mean\n"
    "of the files, hunks and changed lines of their diffs.\n"
    "A one-line bug changes one line, which a diff shows as one taken out and one put in, or adds or takes out one."
)


def game(data: Data) -> tuple[str, Cells]:
    """What was injected and solved in each generation, and at which check artifacts failed."""
    own = [row for row in data.rows if row.metric.startswith(GAME_METRICS)]
    columns = sorted({row.metric for row in own if not row.metric.startswith("failed/")})
    places = sorted({(row.run, row.seed or 0, row.generation) for row in own})
    found = {(row.run, row.seed or 0, row.generation, row.metric): row for row in own}
    lines = [[*map(str, place), *(_cell(found.get((*place, column))) for column in columns)] for place in places]
    runs = in_order(row.run for row in own)
    failures = []
    for check in sorted({row.metric for row in own if row.metric.startswith("failed/")}):
        counts = [sum(row.value for row in own if row.run == run and row.metric == check) for run in runs]
        failures.append([check.removeprefix("failed/"), *(f"{count:.0f}" for count in counts)])
    text = f"# The game\n\n{GAME_NOTE}\n\n{markdown(['run', 'seed', 'generation', *columns], lines)}\n"
    text += f"## Artifacts that failed, by check\n\n{markdown(['check', *runs], failures)}"
    cells = [["run", "seed", "generation", "metric", "value", "stderr", "n"]]
    for row in own:
        stderr = "" if row.stderr is None else f"{row.stderr:.6f}"
        place = [row.run, str(row.seed), str(row.generation)]
        cells.append([*place, row.metric, f"{row.value:.6f}", stderr, str(row.n)])
    return text, cells


def sizes(data: Data) -> tuple[str, Cells]:
    """Files, hunks and lines of valid bugs by run and strategy, and the share of one-line bugs."""
    cells = [["run", "strategy", "bugs", "files_median", "files_mean", "hunks_median", "hunks_mean"]]
    cells[0] += ["lines_median", "lines_mean", "one_line_percent"]
    for run in in_order(data.runs):
        bugs = different_bugs(data.artifacts(run))
        for strategy in sorted({row["strategy"] for row in bugs}):
            own = [row for row in bugs if row["strategy"] == strategy]
            values = [
                f"{of(row[name] for row in own):.{digits}f}"
                for name in ("files", "hunks", "lines")
                for of, digits in ((median, 1), (fmean, 2))
            ]
            cells.append([run, strategy, str(len(own)), *values, f"{one_line_percent(own):.0f}"])
    header = ["run", "strategy", "bugs", "files", "mean", "hunks", "mean", "lines", "mean", "one-line bugs, %"]
    return f"# Sizes of bugs\n\n{SIZES_NOTE}\n\n{markdown(header, cells[1:])}", cells


def is_one_line(bug: TableRow) -> bool:
    """Whether a bug changes a single line."""
    return bool(bug["files"] == bug["hunks"] == 1 and bug["lines"] <= 2)


def one_line_percent(bugs: Sequence[TableRow]) -> float:
    """Share of bugs that change a single line."""
    return 100 * fmean(map(is_one_line, bugs))


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    return f"{row.value:.0f} of {row.n}" if row.metric.startswith("bugs") else f"{row.value:.3f} (n={row.n})"
