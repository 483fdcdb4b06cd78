"""Evaluation from files to files: what `ssr evaluate` and the rules of the graph run."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, get_args

from ssr.config import BenchmarkSource, Scale, load_scale
from ssr.contracts import SandboxBackend
from ssr.engine.factory import open_engine
from ssr.errors import EvaluationError
from ssr.evaluation.builtin import Benchmark, make_benchmark, tasks_asked_for, with_specification
from ssr.evaluation.fetching import fetch, fetch_scripts
from ssr.evaluation.pro import Scripts, image_of, pro_tasks
from ssr.evaluation.problem import Format, Problem, is_problems_file, load_problems, read_problems, write_problems
from ssr.evaluation.reports import merge, write_official
from ssr.evaluation.repositories import ImageSnapshots, ListedSnapshots
from ssr.evaluation.run import COLUMNS, Evaluation, chosen
from ssr.evaluation.tasks import SnapshotSource, Task, builtin_tasks, swebench_tasks
from ssr.evaluation.watching import watching
from ssr.files import written
from ssr.game.instance import read_instances
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.factory import open_backend
from ssr.selfplay.journals import play_key
from ssr.selfplay.progress import progress
from ssr.selfplay.stages import replace_episodes, replace_instances, repositories_of
from ssr.selfplay.tasks import Place

OFFICIAL: tuple[Format, ...] = get_args(Format)
PROBLEMS = "official"
"""Folder of the official problems' snapshots and scripts, under that of the snapshots."""


def make_benchmark_file(scale: Path, name: str, snapshots: Path, out: Path) -> int:
    """Write a benchmark's tasks: a built-in one is made, an official one is brought here; returns their number.

    Raises EvaluationError for a name that is neither, and for a file that cannot be had.
    """
    config = load_scale(scale)
    if name in config.evaluation.sources:
        return _bring(name, config.evaluation.sources[name], snapshots, out)
    known = {str(benchmark): benchmark for benchmark in get_args(Benchmark)}
    if name not in known:
        have = ", ".join([*known, *config.evaluation.sources])
        raise EvaluationError(f"{name!r} is no benchmark of this scale; {have} are (see evaluation.sources)")
    loaded = [Snapshot.load(snapshots / repository) for repository in repositories_of(config)]
    total = tasks_asked_for(known[name], config.evaluation)
    with open_backend(config.sandbox) as backend, progress(name, total) as advance:
        instances = make_benchmark(known[name], loaded, backend, config.evaluation, advance)
    if name == "builtin-bugs":
        instances = [with_specification(instance, config.agent) for instance in instances]
    replace_instances(out, instances)
    return len(instances)


def _bring(name: str, source: BenchmarkSource, snapshots: Path, out: Path) -> int:
    problems = read_problems(fetch(name, source, snapshots / PROBLEMS / name), official_format(name, source))
    if source.scripts:
        scripts_of(name, source, snapshots)
    with written(out) as partial:
        write_problems(partial, problems)
    return len(problems)


def official_format(name: str, source: BenchmarkSource) -> Format:
    """The format of a benchmark. Raises EvaluationError for a training set."""
    for known in OFFICIAL:
        if source.format == known:
            return known
    raise EvaluationError(f"{name} is a training set ({source.format}), no benchmark: see `ssr evaluate human`")


def scripts_of(name: str, source: BenchmarkSource, snapshots: Path) -> Scripts:
    """The official evaluation repository of SWE-bench Pro, brought here once. Raises EvaluationError."""
    folder = snapshots / PROBLEMS / f"scripts-{source.scripts_commit}"
    return Scripts(folder if folder.exists() else fetch_scripts(name, source, folder))


def scored_scale(scale: Scale, run: str) -> Scale:
    """The scale of a run; the base model is scored under the scale's own keys."""
    return scale if run == "base" else scale.for_run(run)


@contextmanager
def open_tasks(
    config: Scale, benchmark: str, tasks: Path, snapshots: Path, part: slice = slice(None)
) -> Iterator[tuple[list[Task], SandboxBackend]]:
    """A benchmark's file as tasks, with the backend that their sandboxes are of. Raises EvaluationError."""
    timeout = config.evaluation.test_timeout_s
    with open_backend(config.sandbox) as backend:
        if not is_problems_file(tasks):
            instances = read_instances(tasks)[part]
            loaded = {name: Snapshot.load(snapshots / name) for name in sorted({task.repo for task in instances})}
            yield builtin_tasks(instances, loaded, backend, timeout), backend
            return
        problems = load_problems(tasks)[part]
        source = source_of(config, benchmark)
        repositories = snapshots_of(config, source, problems, snapshots)
        if source.format == "swebench-pro":
            scripts = scripts_of(benchmark, source, snapshots)
            yield pro_tasks(problems, repositories, scripts, backend, timeout), backend
        else:
            yield swebench_tasks(problems, repositories, backend, timeout), backend


def source_of(config: Scale, benchmark: str) -> BenchmarkSource:
    """Where the scale has a benchmark from. Raises EvaluationError."""
    if benchmark not in config.evaluation.sources:
        raise EvaluationError(f"the scale has no evaluation.sources.{benchmark}")
    return config.evaluation.sources[benchmark]


def snapshots_of(
    config: Scale, source: BenchmarkSource, problems: Sequence[Problem], snapshots: Path
) -> SnapshotSource:
    """Snapshots of official problems. Raises EvaluationError where images are wanted without a Docker engine."""
    folder = snapshots / PROBLEMS
    if source.repositories is not None:
        return ListedSnapshots(source.repositories, folder)
    if config.sandbox.backend != "docker":
        raise EvaluationError(
            "the problems' images need `sandbox.backend: docker`; without Docker, name a list of `repositories` (see "
            "docs/evaluation.md)"
        )
    pro = source.format == "swebench-pro"
    images = {one.instance_id: image_of(one, source.images) if pro else one.image for one in problems}
    return ImageSnapshots(folder, config.evaluation.image_disk_gb, images, config.sandbox.docker_host)


def evaluate_shard(
    scale: Path,
    benchmark: str,
    place: Place,
    shard: int | None,
    tasks: Path,
    checkpoint: Path,
    snapshots: Path,
    out: Path,
    attempts: Path | None = None,
    part: str | None = None,
    pattern: str | None = None,
    redo: bool = False,
) -> None:
    """Play and grade a shard's problems (all of them without a shard): episodes, messages, timings (parquet) in `out`.

    Attempts are kept in `attempts` as they finish, and those that are there are not made again, but for `redo`. `part`
    and `pattern` choose problems, as `chosen` says.
    """
    config = scored_scale(load_scale(scale), place.run)
    mine = slice(None) if shard is None else slice(shard, None, config.evaluation.shards)
    kept = attempts or out / "attempts"
    key = key_of(config, checkpoint)
    with open_tasks(config, benchmark, tasks, snapshots, mine) as (loaded, _):
        wanted = chosen(loaded, part, pattern)
        if redo:
            for task in wanted:
                shutil.rmtree(kept / task.instance_id, ignore_errors=True)
        with (
            closing(open_engine(config.engine, checkpoint, config.model.dtype)) as engine,
            watching(f"{place} {benchmark}", len(wanted)) as watch,
        ):
            evaluation = Evaluation(place, benchmark, config, engine, kept, key, watch)
            episodes, columns = evaluation.run(wanted)
    replace_episodes(out, episodes, COLUMNS, columns)


def key_of(config: Scale, checkpoint: Path) -> str:
    """Names the weights, the settings and the code that attempts depend on."""
    parts = [play_key(config, config.sampling.evaluation, checkpoint), config.evaluation.test_timeout_s]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def merge_shards(
    tasks: Path,
    shards: Sequence[Path],
    out: Path,
    attempts: Path | None,
    official: Path | None,
    model: str | None = None,
) -> None:
    """Write report.json, preds.json and episodes.parquet in `out` from the shards' episodes.parquet.

    With the folders of attempts and for `official` files, what the benchmark's own tools read is written there.
    """
    if not is_problems_file(tasks):
        merge({task.instance_id: task.repo for task in read_instances(tasks)}, shards, out, model)
        return
    problems = load_problems(tasks)
    merge({problem.instance_id: problem.repo for problem in problems}, shards, out, model)
    if attempts is not None and official is not None:
        report: Mapping[str, Any] = json.loads((out / "report.json").read_text())
        preds = json.loads((out / "preds.json").read_text())
        run_id = f"{report['run']}-s{report['seed']}-g{report['generation']:03d}"
        write_official(official, run_id, problems, preds, report["resolved"], attempts)
