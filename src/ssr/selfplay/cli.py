"""`ssr tasks`, `inject`, `validate`, `validate-shard`, `solve`, `bugs`: the stages of a generation until its batch."""

from pathlib import Path
from typing import Annotated

import typer

from ssr.options import (
    SNAPSHOTS,
    Checkpoint,
    Generation,
    OutFile,
    OutFolder,
    Run,
    ScaleFile,
    Seed,
    Snapshots,
    changeable,
)

app = typer.Typer()
Shard = Annotated[int, typer.Option("--shard", help="Which of the run's shards, from 0.")]
Runs = Annotated[Path, typer.Option("--runs", help="Folder of the run store: a cache, safe to delete.")]
Journals = Annotated[
    Path, typer.Option("--journals", help="Folder of the run and seed that finished episodes are kept in.")
]
RUNS = Path("results/cache/runs")


@app.command()
@changeable
def tasks(
    scale: ScaleFile,
    run: Run,
    seed: Seed,
    generation: Generation,
    out: OutFile,
    pool: Annotated[Path | None, typer.Option("--pool", help="Issues or earlier bugs to draw from.")] = None,
    snapshots: Snapshots = SNAPSHOTS,
) -> None:
    """Choose what a generation plays: repositories and strategies, or issues out of a pool."""
    from ssr.evaluation.problem import is_problems_file
    from ssr.evaluation.training_runs import draw_problems
    from ssr.selfplay import stages
    from ssr.selfplay.tasks import Place

    loaded, place = stages.load(scale, run), Place(run, seed, generation)
    if pool is not None and is_problems_file(pool):
        draw_problems(loaded, place, pool, out)
    else:
        stages.make_tasks(loaded, place, pool, snapshots, out)


@app.command()
@changeable
def inject(
    scale: ScaleFile,
    run: Run,
    seed: Seed,
    generation: Generation,
    shard: Shard,
    tasks: Annotated[Path, typer.Option("--tasks", help="The generation's tasks.")],
    checkpoint: Checkpoint,
    journals: Journals,
    out: OutFolder,
    snapshots: Snapshots = SNAPSHOTS,
) -> None:
    """Play a shard's injector episodes and keep the bug artifacts they hand in."""
    from ssr.selfplay import stages
    from ssr.selfplay.tasks import Place

    place = Place(run, seed, generation)
    stages.inject_shard(stages.load(scale, run), place, shard, tasks, checkpoint, snapshots, journals, out)


@app.command()
@changeable
def validate(
    directory: Annotated[Path, typer.Argument(help="A folder with the five files of a bug artifact.")],
    snapshot: Annotated[Path, typer.Option("--snapshot", help="The repository's snapshot.")],
    scale: Annotated[
        Path | None, typer.Option("--scale", help="A scale whose rules hold; the defaults without.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Check one bug artifact by execution: each check's outcome; exit code 1 if it is not valid."""
    from dataclasses import asdict
    from json import dumps

    from ssr.selfplay import stages

    report = stages.check_artifact(directory, snapshot, scale)
    if json:
        typer.echo(dumps(asdict(report), indent=1))
    else:
        stages.say_checks(report, typer.echo)
    raise typer.Exit(0 if report.valid else 1)


@app.command()
@changeable
def validate_shard(
    scale: ScaleFile,
    run: Run,
    artifacts: Annotated[Path, typer.Option("--artifacts", help="A shard's artifacts.parquet.")],
    out: OutFolder,
    held_out: Annotated[list[Path] | None, typer.Option("--held-out", help="Benchmarks that no bug may touch.")] = None,
    snapshots: Snapshots = SNAPSHOTS,
    runs: Runs = RUNS,
) -> None:
    """Check a shard's bug artifacts; valid ones become instances."""
    from ssr.selfplay import stages

    stages.validate_shard(stages.load(scale, run), artifacts, held_out or [], snapshots, runs, out)


@app.command()
@changeable
def solve(
    scale: ScaleFile,
    run: Run,
    seed: Seed,
    generation: Generation,
    shard: Shard,
    instances: Annotated[list[Path], typer.Option("--instances", help="Files of instances to share out.")],
    checkpoint: Checkpoint,
    journals: Journals,
    out: OutFolder,
    snapshots: Snapshots = SNAPSHOTS,
    runs: Runs = RUNS,
) -> None:
    """Play a shard's solver attempts, first order and then second, and judge their patches."""
    from ssr.evaluation.problem import is_problems_file
    from ssr.evaluation.training_runs import attempt_shard
    from ssr.selfplay import stages
    from ssr.selfplay.tasks import Place

    place = Place(run, seed, generation)
    loaded = stages.load(scale, run)
    if is_problems_file(instances[0]):
        attempt_shard(loaded, place, shard, instances[0], checkpoint, snapshots, journals, out)
    else:
        stages.solve_shard(loaded, place, shard, instances, checkpoint, snapshots, runs, journals, out)


@app.command()
@changeable
def bugs(
    scale: ScaleFile,
    run: Run,
    validated: Annotated[Path, typer.Option("--validated", help="The run's folder of validated instances.")],
    solved: Annotated[Path, typer.Option("--solved", help="The run's folder of solver episodes.")],
    out: OutFile,
) -> None:
    """Gather a run's valid, solvable bugs, each once, for repair-only training."""
    from ssr.selfplay import stages

    stages.gather_bugs(stages.load(scale, run), validated, solved, out)
