"""`ssr plan`."""

from pathlib import Path
from typing import Annotated

import typer

from ssr.options import changeable

app = typer.Typer()


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
