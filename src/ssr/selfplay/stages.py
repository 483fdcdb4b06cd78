"""The stages of a generation from files to files: what the commands of `ssr` and the rules of the graph run."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from ssr.agent.episode import Episode, write_episodes
from ssr.config import GameConfig, SandboxConfig, Scale, load_scale
from ssr.contracts import Engine
from ssr.engine.factory import open_engine
from ssr.errors import ConfigError
from ssr.files import written
from ssr.game.consistency import ConsistencyReport, check_directory
from ssr.game.instance import Instance, read_instances, write_instances
from ssr.game.store import open_store
from ssr.repository.listing import load_repositories
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.factory import open_backend
from ssr.selfplay import inject, solve
from ssr.selfplay.artifacts import ARTIFACTS, read_artifacts
from ssr.selfplay.bugs import good_bugs, solve_rates_of
from ssr.selfplay.collect import CHECKED, INJECTED, SOLVED, collect
from ssr.selfplay.files import read_rows, shard_of, write_rows
from ssr.selfplay.held_out import HeldOut
from ssr.selfplay.journals import open_journal
from ssr.selfplay.progress import progress
from ssr.selfplay.seeding import seeded_tasks
from ssr.selfplay.tasks import Place, drawn, injection_tasks, read_tasks, write_tasks
from ssr.selfplay.validate import CHECKS, validate

Opener = Callable[[Scale, Path], Engine]
"""How a stage comes to its engine: from a run and the folder of the checkpoint that plays."""


def engine_of(scale: Scale, checkpoint: Path) -> Engine:
    """The engine that the scale names. Raises EngineError, ConfigError."""
    return open_engine(scale.engine, checkpoint, scale.model.dtype)


def load(scale: Path, run: str) -> Scale:
    """A run of a scale's file. Raises ConfigError."""
    return load_scale(scale).for_run(run)


def repositories_of(scale: Scale) -> list[str]:
    """Names of the repositories that a scale plays in. Raises ConfigError for a name that the list does not have."""
    listed = list(load_repositories(scale.repositories))
    names = scale.include or listed
    for name in names:
        if name not in listed:
            raise ConfigError(f"the scale includes {name!r}, which {scale.repositories} does not list")
    return names


def _touched(scale: Scale) -> list[str]:
    repos, untouched = repositories_of(scale), scale.selfplay.untouched
    unknown = [name for name in untouched if name not in repos]
    if unknown:
        raise ConfigError(f"selfplay.untouched names {', '.join(unknown)}, which this scale does not play in")
    return [name for name in repos if name not in untouched]


def make_tasks(scale: Scale, place: Place, pool: Path | None, snapshots: Path, out: Path) -> None:
    """Injection tasks of a generation, or the instances drawn from `pool` where the run injects no bugs.

    Snapshots are read only where tasks name places in them (`selfplay.seeding`). Raises ConfigError for an `untouched`
    repository that the scale does not play in.
    """
    repos = _touched(scale)
    if scale.selfplay.data == "selfplay":
        if scale.selfplay.seeding == "none":
            tasks = injection_tasks(place, repos, scale.selfplay)
        else:
            tasks = seeded_tasks(place, {repo: Snapshot.load(snapshots / repo) for repo in repos}, scale.selfplay)
        write_tasks(out, tasks)
        return
    if pool is None:
        raise ConfigError(f"run {place.run!r} draws its tasks: name the file of issues or bugs with --pool")
    issues = [instance for instance in read_instances(pool) if instance.repo not in scale.selfplay.untouched]
    replace_instances(out, drawn(place, issues, scale.selfplay.issues))


def inject_shard(
    scale: Scale,
    place: Place,
    shard: int,
    tasks: Path,
    checkpoint: Path,
    snapshots: Path,
    journals: Path,
    out: Path,
    opener: Opener = engine_of,
) -> None:
    """A shard's injector episodes: episodes, messages, timings and artifacts (parquet) in `out`.

    Episodes are kept in the folder `journals` as they finish, and those that are there are not played again.
    """
    mine = shard_of(read_tasks(tasks), shard, scale.selfplay.shards)
    loaded = _snapshots(snapshots, {task.repo for task in mine})
    with (
        open_backend(scale.sandbox) as backend,
        closing(opener(scale, checkpoint)) as engine,
        progress(f"{place} injector episodes", len(mine)) as advance,
    ):
        journal = open_journal(journals, place, scale, checkpoint, loaded)
        episodes = inject.inject(mine, engine, backend, loaded, scale, advance, journal)
    artifacts = inject.submitted(mine, episodes)
    write_rows(out / "artifacts.parquet", (item.row for item in artifacts), ARTIFACTS)
    replace_episodes(out, episodes, inject.COLUMNS, [inject.columns_of(task) for task in mine])


def validate_shard(
    scale: Scale, artifacts: Path, held_out: Sequence[Path], snapshots: Path, runs: Path, out: Path
) -> None:
    """Check a shard's artifacts: checks.parquet and instances.parquet in `out`; test runs are shared through `runs`."""
    items = read_artifacts(artifacts)
    loaded = _snapshots(snapshots, {item.place["repo"] for item in items})
    tasks = HeldOut(instance for path in held_out for instance in read_instances(path))
    with open_backend(scale.sandbox) as backend, progress("artifacts checked", len(items)) as advance:
        store = open_store(scale.game, scale.sandbox, runs)
        rows, instances = validate(items, backend, loaded, scale, tasks, advance, store)
    write_rows(out / "checks.parquet", rows, CHECKS)
    replace_instances(out / "instances.parquet", instances)


def check_artifact(directory: Path, snapshot: Path, scale: Path | None) -> ConsistencyReport:
    """Check the artifact in a folder on this machine, by a scale's rules or by the defaults."""
    rules, limits = GameConfig(), SandboxConfig()
    if scale is not None:
        loaded = load_scale(scale)
        rules, limits = loaded.game, loaded.sandbox
    with open_backend(limits) as backend:
        return check_directory(directory, backend, Snapshot.load(snapshot), rules)


def say_checks(report: ConsistencyReport, say: Callable[[str], object]) -> None:
    """Say each check's outcome, and whether the artifact is valid."""
    for outcome in report.checks:
        say(f"{'pass' if outcome.passed else 'FAIL'}  {outcome.name}  {outcome.detail}".rstrip())
    if report.tail:
        say(f"the output ends in:\n{report.tail}")
    counts = f"{len(report.fail_to_pass)} tests fail with the bug, {len(report.pass_to_pass)} pass with and without"
    say(f"valid: {counts}" if report.valid else f"not valid: {report.check}")


def solve_shard(
    scale: Scale,
    place: Place,
    shard: int,
    instances: Sequence[Path],
    checkpoint: Path,
    snapshots: Path,
    runs: Path,
    journals: Path,
    out: Path,
    opener: Opener = engine_of,
) -> None:
    """A shard's attempts: episodes with verdicts, messages, timings, and the second-order instances in `out`.

    Test runs are shared through the folder `runs`, episodes are kept in `journals` as in `inject_shard`.
    """
    bugs = [instance for path in instances for instance in read_instances(path)]
    mine = shard_of(solve.to_attempt(bugs, scale.selfplay), shard, scale.selfplay.shards)
    attempts, harder = _solve(scale, place, mine, checkpoint, snapshots, runs, journals, opener) if mine else ([], [])
    replace_instances(out / "instances.parquet", harder)
    columns = [attempt.columns for attempt in attempts]
    replace_episodes(out, [attempt.episode for attempt in attempts], solve.COLUMNS, columns)


def _solve(
    scale: Scale,
    place: Place,
    bugs: Sequence[Instance],
    checkpoint: Path,
    snapshots: Path,
    runs: Path,
    journals: Path,
    opener: Opener,
) -> tuple[list[solve.Attempt], list[Instance]]:
    loaded = _snapshots(snapshots, {instance.repo for instance in bugs})
    with (
        open_backend(scale.sandbox) as backend,
        closing(opener(scale, checkpoint)) as engine,
        progress(f"{place} solver episodes") as advance,
    ):
        store = open_store(scale.game, scale.sandbox, runs)
        journal = open_journal(journals, place, scale, checkpoint, loaded)
        return solve.Solver(place, engine, backend, loaded, scale, advance, store, journal).play(bugs)


def gather_bugs(scale: Scale, validated: Path, solved: Path, out: Path) -> None:
    """The good bugs of all generations of a run and seed, from its folders of instances and of solver episodes."""
    folders = [f"{number:03d}/{shard:02d}" for number in range(1, scale.selfplay.generations + 1)
               for shard in range(scale.selfplay.shards)]  # fmt: skip
    rows = read_rows([solved / name / "episodes.parquet" for name in folders], ["instance_id", "exit_reason", "solved"])
    files = [root / name / "instances.parquet" for name in folders for root in (validated, solved)]
    bugs = sorted((bug for path in files for bug in read_instances(path)), key=lambda bug: bug.instance_id)
    replace_instances(out, good_bugs(bugs, solve_rates_of(rows)))


def collect_generation(
    scale: Scale, injected: Sequence[Path], checked: Sequence[Path], solved: Sequence[Path]
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Trajectories of a generation with rewards and groups, and counts of episodes that have no reward.

    They stand in the order of their names, however many shards played them.
    """
    injections, attempts = (
        sorted(read_rows(files, columns), key=lambda row: row["episode_id"])
        for files, columns in ((injected, INJECTED), (solved, SOLVED))
    )
    return collect(injections, read_rows(checked, CHECKED), attempts, scale)


def _snapshots(folder: Path, names: set[str]) -> dict[str, Snapshot]:
    return {name: Snapshot.load(folder / name) for name in sorted(names)}


def replace_instances(out: Path, instances: Sequence[Instance]) -> None:
    """Write instances.parquet, whole or not at all."""
    with written(out) as partial:
        write_instances(partial, instances)


def replace_episodes(
    out: Path, episodes: Sequence[Episode], columns: Sequence["pa.Field[Any]"], values: Sequence[dict[str, Any]]
) -> None:
    """Write episodes, messages and timings into `out`; episodes last: where they are, the rest is whole."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out, prefix=".") as folder:
        write_episodes(Path(folder), episodes, columns, values)
        for name in ("timings", "messages", "episodes"):
            (Path(folder) / f"{name}.parquet").replace(out / f"{name}.parquet")
