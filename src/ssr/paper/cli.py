"""`ssr summary`, `metrics`, `figure`, `table`, `release`, `times`, `manifest`: from results to what a reader sees."""

from pathlib import Path
from typing import Annotated

import typer

from ssr.options import SNAPSHOTS, OutFolder, ScaleFile, changeable

app = typer.Typer()
Metrics = Annotated[Path, typer.Option("--metrics", help="metrics.parquet of a scale, the summaries beside it.")]
Reported = Annotated[Path, typer.Option("--reported", help="The paper's own numbers.")]
REPORTED = Path("paper/reported.csv")


@app.command()
@changeable
def summary(
    scale: ScaleFile,
    run: Annotated[str, typer.Option("--run", help="A run of the scale, or base.")],
    results: Annotated[Path, typer.Option("--results", help="Folder of the scale's results.")],
    out: OutFolder,
    seed: Annotated[int, typer.Option("--seed", help="Which repetition of the run.")] = 0,
) -> None:
    """Sum up a run and seed in small tables without texts and tokens, which all figures and tables are made from."""
    from ssr.config import load_scale
    from ssr.paper.summarise import summarise
    from ssr.paper.summary import write_summary

    write_summary(out, summarise(load_scale(scale), results, run, seed))


@app.command()
def metrics(
    summaries: Annotated[list[Path], typer.Argument(help="Folders that `ssr summary` wrote.")],
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
) -> None:
    """Gather the metrics of all runs into one tidy table."""
    from ssr.paper.data import gather
    from ssr.paper.metrics import write
    from ssr.paper.summary import read_summaries

    write(gather(read_summaries(summaries)), out)


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="As figure8; a wrong name prints them all.")],
    metrics: Metrics,
    out: OutFolder,
    reported: Reported = REPORTED,
) -> None:
    """Draw a figure as PDF, SVG and PNG."""
    from ssr.paper.data import load
    from ssr.paper.figures import draw_figure

    draw_figure(name, load(metrics, reported), out)


@app.command()
def table(
    name: Annotated[str, typer.Argument(help="As results; a wrong name prints them all.")],
    metrics: Metrics,
    out: OutFolder,
    reported: Reported = REPORTED,
) -> None:
    """Write a table as Markdown and CSV."""
    from ssr.paper.data import load
    from ssr.paper.tables import write_table

    write_table(name, load(metrics, reported), out)


@app.command()
@changeable
def release(
    scale: ScaleFile,
    out: Annotated[Path, typer.Option("--out", help="Folder to add to, as results/released/mini-full.")],
    run: Annotated[list[str] | None, typer.Option("--run", help="Runs to add; all that are finished without.")] = None,
    snapshots: Annotated[Path, typer.Option("--snapshots", help="Folder of the snapshots.")] = SNAPSHOTS,
) -> None:
    """Add runs that are finished to the released results: their summaries, and a manifest of what made each."""
    from ssr.paper.release import release_runs

    for added in release_runs(scale, snapshots, out, run):
        typer.echo(f"{added.relative_to(out)}")


@app.command()
def reproduction(
    out: Annotated[Path, typer.Option("--out", help="File to write, as paper/REPRODUCTION.md.")],
    metrics: Annotated[
        Path | None, typer.Option("--metrics", help="metrics.parquet of a scale; without it no number is known.")
    ] = None,
    claims: Annotated[Path, typer.Option("--claims", help="The paper's claims.")] = Path("paper/claims.yaml"),
    reported: Reported = REPORTED,
) -> None:
    """Write claim by claim what the paper states, where the code does it, our number, and whether they agree."""
    from ssr.paper import reproduction as book
    from ssr.paper.data import Data, load

    data = Data([], []) if metrics is None else load(metrics, reported)
    source = "no results yet" if metrics is None else f"the results in `{metrics.parent}`"
    out.write_text(book.reproduction(book.read_claims(claims), data, source))


@app.command()
def times(results: Annotated[Path, typer.Argument(help="Folder of a scale's results, e.g. results/mini.")]) -> None:
    """Print where the time of a run went, by stage."""
    from rich.console import Console

    from ssr.paper.times import stage_times
    from ssr.paper.times import table as view

    Console().print(view(stage_times(results / "timings")))


@app.command()
def timeline(
    results: Annotated[Path, typer.Argument(help="Folder of a scale's results, e.g. results/mini.")],
    out: OutFolder,
    run: Annotated[str, typer.Option("--run", help="A run of the scale.")] = "ssr",
    seed: Annotated[int, typer.Option("--seed", help="Which repetition of the run.")] = 0,
) -> None:
    """Draw when each job of a run went on, and print how old its weights were: what `selfplay.lag` brings and costs."""
    from rich.console import Console

    from ssr.paper.timeline import jobs_of, staleness, write_timeline
    from ssr.paper.timeline import table as view

    jobs = jobs_of(results, run, seed)
    write_timeline(jobs, f"{results.name}, {run}/s{seed}", out)
    Console().print(view(staleness(results, run, seed, jobs)))


manifests = typer.Typer(help="Digests of results and of what made them.", no_args_is_help=True)
app.add_typer(manifests, name="manifest")


@manifests.command()
@changeable
def write(
    scale: Annotated[Path, typer.Option("--scale", help="The scale's file.")],
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    results: Annotated[Path | None, typer.Option("--results", help="Folder of the scale's results.")] = None,
    snapshots: Annotated[Path, typer.Option("--snapshots", help="Folder of the snapshots.")] = Path(
        "results/snapshots"
    ),
) -> None:
    """Write a sha256 of every result, with the inputs, keys, code, locks and versions that they came from."""
    from ssr.config import load_scale
    from ssr.paper.manifest import make_manifest, write_manifest

    folder = results or Path("results") / load_scale(scale).name
    made = make_manifest(scale, folder, snapshots, Path.cwd())
    write_manifest(made, out)
    typer.echo(f"{len(made.files)} files of {folder} in {out}")


@manifests.command()
def diff(
    first: Annotated[Path, typer.Argument(help="A manifest.")],
    second: Annotated[Path, typer.Argument(help="Another one.")],
    limit: Annotated[int, typer.Option("--limit", help="Differences to print.", min=1)] = 20,
) -> None:
    """Say what differs first, causes before what follows from them; exit code 1 if a result differs."""
    from ssr.paper.manifest import compared_results, differences, read_manifest

    a, b = read_manifest(first), read_manifest(second)
    found = differences(a, b)
    for one in found[:limit]:
        typer.echo(f"{one.stage}: {one.name}: {one.first or 'missing'} -> {one.second or 'missing'}")
    results, others = compared_results(a, b)
    same = results == others
    typer.echo(f"{len(results)} files are the same" if same else f"{len(found)} differences, the first cause on top")
    raise typer.Exit(0 if same else 1)
