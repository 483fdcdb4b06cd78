"""Metrics of evaluations: resolve rates, and their differences paired by task, with intervals."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ssr.errors import EvaluationError
from ssr.evaluation.statistics import gain, mean_and_stderr, rate
from ssr.paper.metrics import Row
from ssr.paper.summary import Summary, TableRow

BOTH = "both"
"""Name of the two benchmarks of figure 8 taken as one, each task with the same weight, as figure 9 does."""
OTHERS = ("base", "baseline", "ssr")
"""Runs that every other run is compared with."""
Spot = tuple[str, int, str]
"""Run, generation, benchmark."""
Outcomes = dict[int, dict[str, bool]]
"""Whether each task was resolved, by seed."""


def score_rows(summaries: Sequence[Summary]) -> list[Row]:
    """Resolve rates by seed, and pooled over seeds with their paired differences from base, baseline and `ssr`.

    An attempt that failed for infrastructure reasons counts as not resolved, and in `errors`. Raises EvaluationError
    where seeds or runs were scored on different tasks.
    """
    attempts = [row for summary in summaries for row in summary.outcomes]
    pools, steps, repos = pooled(attempts), _steps(attempts), _repositories(attempts)
    rows = _rows_by_seed(attempts)
    for spot, seeds in pools.items():
        _same_tasks(spot, seeds)
        rows += _compared(spot, pools, steps[spot[:2]], "resolved", None)
        if spot[1] == last_generation(pools, spot[0]):
            for repo in sorted({repos[name] for outcomes in seeds.values() for name in outcomes}):
                tasks = {name for name in next(iter(seeds.values())) if repos[name] == repo}
                rows += _compared(spot, pools, steps[spot[:2]], f"resolved/{repo}", tasks)
    return rows


def pooled(attempts: Iterable[TableRow]) -> dict[Spot, Outcomes]:
    """Outcomes by run, generation and benchmark, and of the two of figure 8, if both are there, as `both`.

    Raises EvaluationError where a task has two outcomes.
    """
    pools: defaultdict[Spot, Outcomes] = defaultdict(lambda: defaultdict(dict))
    rows = list(attempts)
    found = panels({row["benchmark"] for row in rows})
    pair = found if len(found) == 2 else []
    for row in rows:
        name = f"{row['benchmark']}/{row['instance_id']}"
        for benchmark in (row["benchmark"], BOTH) if row["benchmark"] in pair else (row["benchmark"],):
            outcomes = pools[row["run"], row["generation"], benchmark][row["seed"]]
            if name in outcomes:
                raise EvaluationError(
                    f"{name} has two outcomes of {row['run']}, seed {row['seed']}: give one summary each"
                )
            outcomes[name] = row["resolved"]
    return pools


def panels(benchmarks: Iterable[str]) -> list[str]:
    """The benchmarks of figure 8's two panels: SWE-bench's own where they were run, else the built-in ones."""
    known = sorted(set(benchmarks))
    return [name for kind in ("verified", "pro") if (name := panel(known, kind))]


def panel(benchmarks: Iterable[str], kind: str) -> str | None:
    """The benchmark of one panel, `verified` or `pro`."""
    names = [name for name in benchmarks if name.endswith(f"-{kind}")]
    return min(names, key=lambda name: (name.startswith("builtin"), name), default=None)


def rival_of(spot: Spot, other: str) -> Spot:
    """Where another run is compared with: at the same generation, but the base model as it is."""
    return other, 0 if other == "base" else spot[1], spot[2]


def by_seed(outcomes: Outcomes, tasks: set[str] | None = None) -> list[dict[str, float]]:
    """Outcomes as the statistics take them, by seed in order; of some tasks only where `tasks` names them."""
    return [
        {name: float(value) for name, value in own.items() if tasks is None or name in tasks}
        for _, own in sorted(outcomes.items())
    ]


def last_generation(places: Iterable[Spot], run: str) -> int:
    """The last one that a run was scored at."""
    return max(generation for name, generation, _ in places if name == run)


def _compared(spot: Spot, pools: Mapping[Spot, Outcomes], step: int, metric: str, tasks: set[str] | None) -> list[Row]:
    """A pooled rate and its differences; of some tasks only where `tasks` names them."""
    run, generation, benchmark = spot
    place: dict[str, Any] = {"run": run, "seed": None, "generation": generation, "step": step, "benchmark": benchmark}
    own = by_seed(pools[spot], tasks)
    rows = [Row(**place, metric=metric, **asdict(rate(own)))]
    for other in OTHERS:
        rival = rival_of(spot, other)
        if run not in ("base", other) and rival in pools:
            found = gain(own, by_seed(pools[rival], tasks))
            name = metric.replace("resolved", "resolved_difference")
            rows.append(Row(**place, metric=name, against=other, **asdict(found)))
    return rows


def _rows_by_seed(attempts: Sequence[TableRow]) -> list[Row]:
    groups: defaultdict[tuple[str, int, int, int, str], list[TableRow]] = defaultdict(list)
    for row in attempts:
        groups[row["run"], row["seed"], row["generation"], row["step"], row["benchmark"]].append(row)
    rows = []
    for (run, seed, generation, step, benchmark), members in groups.items():
        value, stderr = mean_and_stderr({row["instance_id"]: row["resolved"] for row in members})
        failed = sum(row["exit_reason"] == "infrastructure" for row in members)
        place: dict[str, Any] = {"run": run, "seed": seed, "generation": generation, "step": step}
        place |= {"benchmark": benchmark, "n": len(members)}
        rows.append(Row(**place, metric="resolved", value=value, stderr=stderr))
        rows.append(Row(**place, metric="errors", value=failed))
    return rows


def _steps(attempts: Iterable[TableRow]) -> dict[tuple[str, int], int]:
    steps: dict[tuple[str, int], int] = {}
    for row in attempts:
        key = (row["run"], row["generation"])
        steps[key] = max(row["step"], steps.get(key, 0))
    return steps


def _repositories(attempts: Iterable[TableRow]) -> dict[str, str]:
    return {f"{row['benchmark']}/{row['instance_id']}": row["repo"] for row in attempts}


def _same_tasks(spot: Spot, seeds: Outcomes) -> None:
    first = next(iter(seeds.values()))
    if any(outcomes.keys() != first.keys() for outcomes in seeds.values()):
        run, generation, benchmark = spot
        raise EvaluationError(
            f"{benchmark}: the seeds of {run}/{generation:03d} were scored on different instances; evaluate all of them"
            " on one benchmark file"
        )
