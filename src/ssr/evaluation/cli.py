"""`ssr evaluate …`: make benchmarks, score checkpoints on them, put the shards of a score together."""

from pathlib import Path
from typing import Annotated

import typer

from ssr.options import SNAPSHOTS, ScaleFile, Snapshots, changeable

app = typer.Typer(help="Held-out tasks, and how much of them a checkpoint resolves.", no_args_is_help=True)
BenchmarkName = Annotated[
    str,
    typer.Option("--benchmark", help="builtin-verified, -pro, -tuning, -bugs, human, or of evaluation.sources."),
]
Attempts = Annotated[
    Path | None, typer.Option("--attempts", help="Folder that finished attempts are kept in; a batch goes on from it.")
]
Slice = Annotated[str | None, typer.Option("--slice", help="START:STOP of the problems.")]
Filter = Annotated[str | None, typer.Option("--filter", help="Regular expression for instance ids.")]
Redo = Annotated[bool, typer.Option("--redo", help="Attempt again what is finished.")]
Tasks = Annotated[Path, typer.Option("--tasks", help="The benchmark's file.")]


@app.command()
@changeable
def make(
    scale: ScaleFile,
    benchmark: BenchmarkName,
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    snapshots: Snapshots = SNAPSHOTS,
) -> None:
    """Make a built-in benchmark or the baseline's issues, or bring an official benchmark to this machine."""
    from ssr.evaluation import stages

    typer.echo(f"{benchmark}: {stages.make_benchmark_file(scale, benchmark, snapshots, out)} tasks in {out}")


@app.command()
@changeable
def run(
    scale: ScaleFile,
    benchmark: BenchmarkName,
    run: Annotated[str, typer.Option("--run", help="A run of the scale, or base.")],
    seed: Annotated[int, typer.Option("--seed", help="Which repetition of the run.")],
    generation: Annotated[int, typer.Option("--generation", help="The checkpoint's generation.")],
    shard: Annotated[int, typer.Option("--shard", help="Which of the evaluation's shards, from 0.")],
    tasks: Tasks,
    checkpoint: Annotated[Path, typer.Option("--checkpoint", help="Folder of the weights that are scored.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    snapshots: Snapshots = SNAPSHOTS,
    attempts: Attempts = None,
    slice: Slice = None,
    filter: Filter = None,
    redo: Redo = False,
) -> None:
    """Score a checkpoint on a shard of a benchmark: one attempt a problem, graded by the benchmark's own code."""
    from ssr.evaluation import stages
    from ssr.selfplay.tasks import Place

    place = Place(run, seed, generation)
    stages.evaluate_shard(
        scale, benchmark, place, shard, tasks, checkpoint, snapshots, out, attempts, slice, filter, redo
    )


@app.command()
@changeable
def batch(
    scale: ScaleFile,
    benchmark: BenchmarkName,
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    checkpoint: Annotated[
        Path, typer.Option("--checkpoint", help="Folder of the weights; an engine `openai` needs none.")
    ] = Path("none"),
    snapshots: Snapshots = SNAPSHOTS,
    slice: Slice = None,
    filter: Filter = None,
    redo: Redo = False,
) -> None:
    """Score a checkpoint or an endpoint on a benchmark by one command; killed, it goes on where it was."""
    from ssr.evaluation import by_hand

    report = by_hand.evaluate_by_hand(scale, benchmark, checkpoint, snapshots, out, slice, filter, redo)
    resolved = report["resolved"]
    failed = len(report["errors"])
    typer.echo(f"{benchmark}: resolved {sum(resolved.values())} of {len(resolved)}, {failed} infrastructure failures")
    if "noisy" in report:
        rest = report["resolved_without_noisy"]
        typer.echo(f"without {len(report['noisy'])} noisy problems: {rest['resolved']} of {rest['problems']}")
    typer.echo(f"reports in {out}")


@app.command()
def merge(
    shards: Annotated[list[Path], typer.Argument(help="Every shard's episodes.parquet.")],
    tasks: Tasks,
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    attempts: Attempts = None,
    official: Annotated[
        Path | None, typer.Option("--official", help="Folder for the files that the benchmark's own tools read.")
    ] = None,
) -> None:
    """Put a score's shards together: report.json, preds.json, episodes.parquet."""
    from ssr.evaluation import stages

    stages.merge_shards(tasks, shards, out, attempts, official)


@app.command()
@changeable
def check(
    benchmark: Annotated[str, typer.Argument(help="A benchmark of the scale.")],
    scale: ScaleFile,
    tasks: Annotated[Path | None, typer.Option("--tasks", help="The benchmark's file; it is made without one.")] = None,
    snapshots: Snapshots = SNAPSHOTS,
    slice: Slice = None,
    filter: Filter = None,
    leaks: Annotated[bool, typer.Option("--leaks", help="Search every agent's repository for the solution.")] = False,
) -> None:
    """Grade the gold and the empty patch of each problem, and print those that are not as they should be."""
    from ssr.evaluation import by_hand, trust

    findings = by_hand.check_benchmark(scale, benchmark, tasks, snapshots, slice, filter, leaks)
    trust.show(findings)
    raise typer.Exit(0 if all(finding.trusted or finding.known for finding in findings) else 1)


@app.command()
def regrade(
    logs: Annotated[Path, typer.Argument(help="A folder of logs as swebench's harness writes them.")],
    tasks: Tasks,
) -> None:
    """Grade official logs again, with the library that grades ours, and print where the reports say otherwise."""
    from ssr.evaluation import by_hand

    results = by_hand.regrade_logs(logs, tasks)
    differing = [entry for entry in results if entry["before"] not in (None, entry["now"])]
    for entry in differing:
        typer.echo(f"{entry['model']} {entry['instance_id']}: was {entry['before']}, is {entry['now']}")
    resolved = sum(entry["now"] for entry in results)
    typer.echo(f"{len(results)} logs, {resolved} resolved, {len(differing)} differ from their reports")
    raise typer.Exit(1 if differing else 0)


@app.command()
def harness(
    tasks: Tasks,
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    predictions: Annotated[
        Path | None, typer.Option("--predictions", help="preds.json; the gold patches without.")
    ] = None,
    run_id: Annotated[str, typer.Option("--run-id", help="Names the log folder.")] = "run",
    workers: Annotated[int, typer.Option("--workers", help="Containers at once.")] = 2,
    timeout: Annotated[int, typer.Option("--timeout", help="Seconds of one instance.")] = 1800,
    host: Annotated[str | None, typer.Option("--host", help="The Docker engine; DOCKER_HOST without.")] = None,
) -> None:
    """Grade predictions by `swebench eval` on a Docker engine: the way that our own grades must agree with."""
    from ssr.evaluation import by_hand

    report = by_hand.official_grades(tasks, predictions, out, run_id, workers, timeout, host)
    typer.echo(f"resolved {report['resolved_instances']} of {report['total_instances']}; errors: {report['error_ids']}")


@app.command()
@changeable
def images(
    tasks: Annotated[list[Path], typer.Argument(help="Files of our own tasks or bugs.")],
    scale: ScaleFile,
    snapshots: Snapshots = SNAPSHOTS,
) -> None:
    """Make the container image of each of our own tasks or bugs, for `swebench eval`."""
    from ssr.evaluation import by_hand

    for name in by_hand.make_task_images(scale, tasks, snapshots):
        typer.echo(name)


@app.command()
@changeable
def human(
    name: Annotated[str, typer.Argument(help="A training set of evaluation.sources.")],
    scale: ScaleFile,
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    snapshots: Snapshots = SNAPSHOTS,
    slice: Slice = None,
    filter: Filter = None,
    execute: Annotated[bool, typer.Option(help="Ask that gold resolves and the empty patch does not.")] = True,
) -> None:
    """Take in a public training set: its own fields, decontamination, execution, a report of what was dropped."""
    from ssr.evaluation import by_hand

    report = by_hand.take_in_human_data(scale, name, snapshots, out, slice, filter, execute)
    typer.echo(f"{report['admitted']} problems in {out}, {report['dropped']} dropped")
    for reason, count in report["reasons"].items():
        typer.echo(f"{count:6}  {reason}")
