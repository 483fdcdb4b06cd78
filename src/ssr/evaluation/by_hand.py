"""What a person runs by hand: a whole evaluation by one command, checks of a benchmark, the official grader, images."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pyarrow.parquet import read_schema

from ssr.config import load_scale
from ssr.evaluation.export import bug_row
from ssr.evaluation.fetching import fetch
from ssr.evaluation.harness import regrade, run_harness
from ssr.evaluation.human_data import take_in, write_report
from ssr.evaluation.problem import is_problems_file, load_problems, read_problems, read_raw, write_problems
from ssr.evaluation.run import chosen, model_name
from ssr.evaluation.stages import (
    OFFICIAL,
    PROBLEMS,
    evaluate_shard,
    make_benchmark_file,
    merge_shards,
    official_format,
    open_tasks,
    snapshots_of,
    source_of,
)
from ssr.evaluation.task_images import make_images
from ssr.evaluation.tasks import swebench_tasks
from ssr.evaluation.trust import Finding, check
from ssr.files import written
from ssr.game.instance import read_instances
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.docker import Docker
from ssr.sandbox.factory import open_backend
from ssr.selfplay.files import read_rows
from ssr.selfplay.stages import replace_instances
from ssr.selfplay.tasks import Place


def evaluate_by_hand(
    scale: Path,
    benchmark: str,
    checkpoint: Path,
    snapshots: Path,
    out: Path,
    part: str | None,
    pattern: str | None,
    redo: bool,
) -> dict[str, Any]:
    """Bring a benchmark, score a checkpoint or an endpoint on it, and write every report into `out`; the report.

    A batch that was killed goes on when the same command is given again.
    """
    tasks = out / "tasks.parquet"
    if not tasks.exists():
        make_benchmark_file(scale, benchmark, snapshots, tasks)
    place = Place("base", 0, 0)
    shard = out / "shard"
    evaluate_shard(
        scale, benchmark, place, None, tasks, checkpoint, snapshots, shard, out / "attempts", part, pattern, redo
    )
    attempted = {row["instance_id"] for row in read_rows([shard / "episodes.parquet"], ["instance_id"])}
    scored = out / "scored.parquet"
    _keep_only(tasks, scored, attempted)
    model = model_name(place, load_scale(scale))
    merge_shards(scored, [shard / "episodes.parquet"], out, out / "attempts", out / "official", model)
    report: dict[str, Any] = json.loads((out / "report.json").read_text())
    return report


def _keep_only(tasks: Path, out: Path, names: set[str]) -> None:
    if is_problems_file(tasks):
        with written(out) as partial:
            write_problems(partial, [problem for problem in load_problems(tasks) if problem.instance_id in names])
    else:
        replace_instances(out, [task for task in read_instances(tasks) if task.instance_id in names])


def check_benchmark(
    scale: Path,
    benchmark: str,
    tasks: Path | None,
    snapshots: Path,
    part: str | None,
    pattern: str | None,
    leaks: bool,
) -> list[Finding]:
    """Grade gold and empty patches of a benchmark, which is brought or made first where there is no file of it."""
    config = load_scale(scale)
    with TemporaryDirectory() as folder:
        file = tasks or Path(folder) / "tasks.parquet"
        if tasks is None:
            make_benchmark_file(scale, benchmark, snapshots, file)
        with open_tasks(config, benchmark, file, snapshots) as (loaded, _):
            wanted = chosen(loaded, part, pattern)
            return check(wanted, config.sandbox.parallel, config.agent.infrastructure_retries, leaks=leaks)


def rows_of(tasks: Path) -> dict[str, dict[str, Any]]:
    """Every task of a file as the row that swebench reads, by its id; ours, `.parquet` or `.jsonl` of others."""
    if tasks.suffix == ".jsonl":
        problems = read_problems(tasks)
    elif not is_problems_file(tasks):
        bugs = read_instances(tasks)
        return {bug.instance_id: dict(bug_row(bug, "")) for bug in bugs}
    else:
        problems = load_problems(tasks) if "format" in read_schema(tasks).names else read_problems(tasks)
    return {problem.instance_id: problem.row for problem in problems}


def regrade_logs(logs: Path, tasks: Path) -> list[dict[str, Any]]:
    """Official logs graded again (see ssr.evaluation.harness)."""
    return regrade(logs, rows_of(tasks))


def official_grades(
    tasks: Path, predictions: Path | None, out: Path, run_id: str, workers: int, timeout_s: int, host: str | None
) -> dict[str, Any]:
    """`swebench eval` on the tasks of a file; its report. Raises SandboxError."""
    dataset = out / "dataset.jsonl"
    with written(dataset) as partial:
        partial.write_text("".join(json.dumps(row) + "\n" for row in rows_of(tasks).values()))
    return run_harness(dataset, predictions, out, run_id, workers=workers, timeout_s=timeout_s, host=host)


def make_task_images(scale: Path, tasks: Sequence[Path], snapshots: Path) -> list[str]:
    """Images of our own tasks and bugs on the scale's Docker engine. Raises SandboxError."""
    config = load_scale(scale).sandbox.model_copy(update={"backend": "docker"})
    bugs = [bug for file in tasks for bug in read_instances(file)]
    loaded = {name: Snapshot.load(snapshots / name) for name in sorted({bug.repo for bug in bugs})}
    with Docker(config) as backend:
        return make_images(bugs, loaded, backend)


def take_in_human_data(
    scale: Path, name: str, snapshots: Path, out: Path, part: str | None, pattern: str | None, execute: bool
) -> dict[str, Any]:
    """Problems of a public training set, decontaminated against the scale's benchmarks; the report.

    With `execute` each problem's gold patch must resolve it, and the empty one must not. Writes problems.parquet and
    dropped.json into `out`. Raises EvaluationError where a benchmark that must not leak is not on this machine.
    """
    config = load_scale(scale)
    source = source_of(config, name)
    folder = snapshots / PROBLEMS
    held_out = [
        problem
        for other, its in config.evaluation.sources.items()
        if its.format in OFFICIAL
        for problem in read_problems(fetch(other, its, folder / other), official_format(other, its))
    ]
    intake = take_in(read_raw(fetch(name, source, folder / name)), source.format, held_out)
    with open_backend(config.sandbox) as backend:
        if execute:
            repositories = snapshots_of(config, source, intake.admitted, snapshots)
            tasks = swebench_tasks(intake.admitted, repositories, backend, config.evaluation.test_timeout_s)
            wanted = chosen(tasks, part, pattern)
            findings = check(wanted, config.sandbox.parallel, config.agent.infrastructure_retries)
            unsound = {one.instance_id: one.said for one in findings if not one.trusted}
            sound = {one.instance_id for one in findings if one.trusted}
            intake.dropped |= unsound
            intake.admitted = [repositories.pinned(one) for one in intake.admitted if one.instance_id in sound]
    out.mkdir(parents=True, exist_ok=True)
    write_problems(out / "problems.parquet", intake.admitted)
    write_report(out / "dropped.json", intake, source.format)
    return intake.report()
