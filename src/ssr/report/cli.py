"""`ssr report`: results as pages to browse."""

from pathlib import Path
from typing import Annotated

import typer

from ssr.options import changeable

app = typer.Typer()


@app.command()
@changeable
def report(
    results: Annotated[Path, typer.Option("--results", help="Folder of a scale's results, as results/mini.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write; what it held is replaced.")],
    scale: Annotated[
        Path | None, typer.Option("--scale", help="The scale's file; without it workflow/config/NAME.yaml.")
    ] = None,
    reported: Annotated[Path, typer.Option("--reported", help="The paper's own numbers.")] = Path("paper/reported.csv"),
    tokens: Annotated[bool, typer.Option(help="Keep every sampled token with its log-probability.")] = True,
) -> None:
    """Write bugs, episodes, curves and where each number comes from as static pages: open index.html in a browser."""
    from ssr.report.site import make_report

    episodes = make_report(results, scale, reported, out, tokens)
    typer.echo(f"{episodes} episodes: open {out / 'index.html'}")
