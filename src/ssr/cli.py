"""`ssr`: every stage of an experiment as a command that a person can run by hand; the rules run nothing else."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ssr.basemodel.cli import app as basemodel
from ssr.bench.cli import app as bench
from ssr.errors import ConfigError, SSRError, storage_named
from ssr.evaluation.cli import app as evaluate
from ssr.lifetime import end_with_parent
from ssr.logs import start_logging
from ssr.options import ScaleFile, changeable
from ssr.paper.cli import app as paper
from ssr.play.cli import app as play
from ssr.report.cli import app as site
from ssr.terminal.cli import app as terminal

logger = logging.getLogger(__name__)
EXIT_CODES = (
    "Exit codes: 0 done · 1 a check says no, or a failure of another kind · 2 wrong words, or a wrong scale · 3 a "
    "repository cannot be had, installed or tested · 4 the machine failed: sandbox, engine, endpoint · 130 interrupted."
)
app = typer.Typer(
    help="Self-play SWE-RL: one model injects bugs, solves them, and learns from both.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Run = Annotated[str, typer.Option("--run", help="A run of the scale.")]
Seed = Annotated[int, typer.Option("--seed", help="Which repetition of the run.")]
Generation = Annotated[int, typer.Option("--generation", help="Counted from 1.")]
Shard = Annotated[int, typer.Option("--shard", help="Which of the run's shards, from 0.")]
Checkpoint = Annotated[Path, typer.Option("--checkpoint", help="Folder of the weights that play.")]
Snapshots = Annotated[Path, typer.Option("--snapshots", help="Folder of the snapshots.")]
Runs = Annotated[Path, typer.Option("--runs", help="Folder of the run store: a cache, safe to delete.")]
Journals = Annotated[
    Path, typer.Option("--journals", help="Folder of the run and seed that finished episodes are kept in.")
]
OutFile = Annotated[Path, typer.Option("--out", help="File to write.")]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder to write.")]
SNAPSHOTS = Path("results/snapshots")
RUNS = Path("results/cache/runs")


@app.callback()
def root(
    log_level: Annotated[
        str | None, typer.Option(help="debug, info, warning or error; SSR_LOG_LEVEL says the same.")
    ] = None,
) -> None:
    """Self-play SWE-RL: one model injects bugs, solves them, and learns from both."""
    start_logging(log_level)


@app.command()
def snapshot(
    repository: Annotated[str, typer.Argument(help="A name of the list.")],
    repositories: Annotated[Path, typer.Option("--repositories", help="The list of repositories.")],
    out: OutFolder,
) -> None:
    """Make a snapshot: a repository's source, history and environment, frozen."""
    from ssr.repository.build import make_snapshot
    from ssr.repository.listing import load_repositories

    listed = load_repositories(repositories)
    if repository not in listed:
        raise ConfigError(f"{repositories} does not list {repository!r}; it has {', '.join(listed)}")
    made = make_snapshot(listed[repository], repositories.parent, out)
    typer.echo(f"{made.name}: {len(made.releases)} releases, head {made.head[:12]} in {out}")


app.add_typer(basemodel, name="basemodel")


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


@app.command()
@changeable
def batch(
    scale: ScaleFile,
    run: Run,
    checkpoint: Annotated[Path, typer.Option("--checkpoint", help="Folder of the weights that are trained next.")],
    solved: Annotated[list[Path], typer.Option("--solved", help="Episodes of every shard's solvers.")],
    out: OutFile,
    injected: Annotated[
        list[Path] | None, typer.Option("--injected", help="Episodes of every shard's injectors.")
    ] = None,
    checked: Annotated[list[Path] | None, typer.Option("--checked", help="Every shard's checks.")] = None,
) -> None:
    """Rewards, groups, filters and advantages: a generation's trajectories for training."""
    from ssr.training.generation import prepare_generation

    statistics = prepare_generation(scale, run, injected or [], checked or [], solved, checkpoint, out)
    typer.echo("\n".join(f"{name}: {value}" for name, value in statistics.items()))


@app.command()
@changeable
def train(
    scale: ScaleFile,
    run: Run,
    batch: Annotated[Path, typer.Option("--batch", help="The generation's trajectories.")],
    checkpoint: Annotated[Path, typer.Option("--checkpoint", help="Folder of the weights before.")],
    metrics: Annotated[Path, typer.Option("--metrics", help="File of one row an optimizer step.")],
    out: OutFolder,
) -> None:
    """Train a generation through `accelerate launch`, and write the next checkpoint."""
    from ssr.config import load_scale
    from ssr.training.launch import command

    arguments = command(load_scale(scale).for_run(run), scale, run, batch, checkpoint, metrics, out)
    os.execv(arguments[0], arguments)


@app.command()
@changeable
def plan(
    scale: Annotated[Path, typer.Option("--scale", "--configfile", help="The scale's file.")],
    gpu_gb: Annotated[float, typer.Option("--gpu-gb", help="Memory of one GPU, in GiB.")] = 80,
    flops: Annotated[float | None, typer.Option("--flops", help="Operations a second of a training process.")] = None,
    decoded: Annotated[
        float | None, typer.Option("--decoded", help="Tokens a second that an engine generates.")
    ] = None,
    episode_tokens: Annotated[int | None, typer.Option("--episode-tokens", help="Tokens of an episode.")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Also write the figures to this file.")] = None,
) -> None:
    """What a scale needs: memory, episodes in flight, tokens, steps, hours, disk. Starts and downloads nothing."""
    from ssr.plan import report

    given = {"flops": flops, "decoded": decoded, "episode_tokens": episode_tokens}
    changes = {name: value for name, value in given.items() if value is not None}
    figures = report.plan(scale, gpu_gb, changes, typer.echo)
    if json is not None:
        report.write(figures, json)


@app.command()
def export(
    run: Run,
    results: Annotated[Path, typer.Option("--results", help="Folder of the scale's results, as results/mini.")],
    out: OutFolder,
    seed: Seed = 0,
    snapshots: Snapshots = SNAPSHOTS,
) -> None:
    """A run's valid bugs, of both orders, as a dataset in SWE-bench's format with a card and recipes."""
    from ssr.evaluation.export import export_bugs, instances_of_run

    typer.echo(f"{export_bugs(instances_of_run(results, run, seed), snapshots, out)} bugs in {out}")


@app.command()
@changeable
def export_checkpoint(
    scale: ScaleFile,
    run: Run,
    generation: Generation,
    out: OutFolder,
    seed: Seed = 0,
    results: Annotated[Path | None, typer.Option("--results", help="Folder of the scale's results.")] = None,
    licence: Annotated[str, typer.Option("--licence", help="The hub's name of the licence.")] = "other",
) -> None:
    """A run's checkpoint as a Hugging Face model repository, with a card: scores, keys, where it came from."""
    from ssr.config import load_scale
    from ssr.evaluation.checkpoint_card import export_checkpoint as write

    loaded = load_scale(scale)
    folder = results or Path("results") / loaded.name
    write(loaded.for_run(run), folder, run, seed, generation, licence, out)
    typer.echo(f"{run}, seed {seed}, generation {generation} in {out}")


app.add_typer(evaluate, name="evaluate")
app.add_typer(paper)
app.add_typer(site)
app.add_typer(play)
app.add_typer(terminal)
app.add_typer(bench, name="bench")


def main() -> None:
    """Run a command; an error on purpose, and a file that is not there, is one line and an exit code."""
    end_with_parent()
    try:
        with storage_named():
            app()
    except SSRError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except FileNotFoundError as error:
        logger.debug("where it was asked for", exc_info=True)
        missing = error.filename or error
        typer.echo(f"error: {missing} is not there: correct its path, or let snakemake make it", err=True)
        sys.exit(ConfigError.exit_code)
