"""`ssr bench`: what parts of the method cost on this machine, one command a file."""

from pathlib import Path
from typing import Annotated

import typer

from ssr.options import changeable

app = typer.Typer(help="Measure what parts of the method cost on this machine.", no_args_is_help=True)
JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write the figures to this file.")]
SNAPSHOTS = Path("results/snapshots")


@app.command()
@changeable
def consistency(
    scale: Annotated[Path, typer.Option("--scale", help="The scale's file.")] = Path("workflow/config/mini.yaml"),
    snapshots: Annotated[Path, typer.Option("--snapshots", help="Folder of the snapshots.")] = SNAPSHOTS,
    artifacts: Annotated[int, typer.Option("--artifacts", min=1, help="Bug artifacts to check, at least.")] = 50,
    attempts: Annotated[int, typer.Option("--attempts", min=0, help="Attempts to judge on each valid bug.")] = 3,
    cache: Annotated[Path, typer.Option("--cache", help="Folder that keeps the artifacts for the next time.")] = Path(
        "results/cache/bench"
    ),
    json: JsonFile = None,
) -> None:
    """Check real artifacts and judge repairs, with all that makes it cheap and without, side by side."""
    from ssr.bench.consistency import measure

    measure(scale, snapshots, artifacts, attempts, cache, json)


@app.command()
@changeable
def rollout(
    scale: Annotated[Path, typer.Option("--scale", help="The scale's file.")] = Path("workflow/config/mini.yaml"),
    engines: Annotated[
        list[str] | None, typer.Option("--engine", help="transformers, plain, vllm; all by default.")
    ] = None,
    in_flight: Annotated[
        list[int] | None, typer.Option("--in-flight", min=1, help="16, 64 and 256 by default.")
    ] = None,
    turns: Annotated[int, typer.Option("--turns", min=1, help="Turns of an episode.")] = 4,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Times that both ways are timed.")] = 3,
    json: JsonFile = None,
) -> None:
    """Tokens a second of the agent loop, its sandbox instant, against the bare engine on the same requests."""
    from ssr.bench.rollout import ENGINES, measure

    measure(scale, engines or ENGINES, in_flight or [16, 64, 256], turns, rounds, json)


@app.command()
def training(
    device: Annotated[str, typer.Option("--device", help="cpu or cuda.")] = "cpu",
    sizes: Annotated[list[str] | None, typer.Option("--size", help="2m and 20m; on cuda 1.7b and 8b.")] = None,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Episodes of a batch on the CPU.")] = 16,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Times that every way is timed on the CPU.")] = 3,
    threads: Annotated[int, typer.Option("--threads", min=1, help="OpenMP threads.")] = 1,
    json: JsonFile = None,
) -> None:
    """Tokens a second and memory of a training step, beside a bare pass over the same tokens, and TRL's trainer."""
    from ssr.bench.training import measure

    measure(device, sizes or [], rows, rounds, threads, json)


@app.command()
def sandbox(
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Times that every step is timed.")] = 15,
    json: JsonFile = None,
) -> None:
    """Milliseconds to open, fork and use a sandbox, by backend, for a small repository and a large one."""
    from ssr.bench.sandbox import measure

    measure(repeats, json)


@app.command()
@changeable
def graph(
    scale: Annotated[Path, typer.Option("--scale", help="The scale's file.")] = Path("workflow/config/paper.yaml"),
    no_op: Annotated[bool, typer.Option("--no-op", help="Also plan when every file is there; takes long.")] = False,
    json: JsonFile = None,
) -> None:
    """Seconds and memory of `snakemake -n` on a scale, beside a bare Snakefile of the same shape."""
    from ssr.bench.graph import measure

    measure(scale, no_op, json)
