"""`ssr batch` and `ssr train`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ssr.options import OutFile, OutFolder, Run, ScaleFile, changeable

app = typer.Typer()


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
    spent: Annotated[
        Path | None, typer.Option("--spent", help="Folder of an old checkpoint that gives up its optimizer state then.")
    ] = None,
    events: Annotated[Path | None, typer.Option("--events", help="Folder of event files for TensorBoard.")] = None,
) -> None:
    """Train a generation, in several processes through `accelerate launch`, and write the next checkpoint."""
    from ssr.config import load_scale
    from ssr.training.launch import command

    loaded = load_scale(scale).for_run(run)
    arguments = command(loaded, scale, run, batch, checkpoint, metrics, out, spent, events)
    os.execve(arguments[0], arguments, os.environ | {"OMP_NUM_THREADS": str(loaded.training.threads)})
