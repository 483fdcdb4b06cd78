"""`ssr export` and `ssr export-checkpoint`: bugs and checkpoints as others take them."""

from pathlib import Path
from typing import Annotated

import typer

from ssr.options import SNAPSHOTS, Generation, OutFolder, Run, ScaleFile, Seed, Snapshots, changeable

app = typer.Typer()


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
