"""`ssr play`: validated bugs from a repository of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from ssr.options import Changes

app = typer.Typer()


@app.command()
def play(
    place: Annotated[str, typer.Argument(help="A git repository, a folder, a source distribution, or a git address.")],
    engine: Annotated[
        str,
        typer.Option(help="openai (any compatible endpoint), checkpoint (a folder), or demonstrator (no model)."),
    ] = "demonstrator",
    endpoint: Annotated[str | None, typer.Option(help="Address of the server, as http://localhost:8000/v1.")] = None,
    model: Annotated[str | None, typer.Option(help="The name that the server knows its model by.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Folder of a Hugging Face model or of a checkpoint.")] = None,
    bugs: Annotated[int | None, typer.Option(min=1, help="Bugs to try (8).")] = None,
    attempts: Annotated[int | None, typer.Option(min=1, help="Attempts on each (4; the demonstrator's 1).")] = None,
    strategy: Annotated[list[str] | None, typer.Option(help="direct, removal or history; more than once.")] = None,
    at: Annotated[str, typer.Option(help="Commit, branch or tag of a git repository; HEAD without it.")] = "",
    packages: Annotated[
        list[str] | None, typer.Option("--with", help="A package that the tests need beside what is declared.")
    ] = None,
    environment: Annotated[
        Path | None, typer.Option(help="Hashed requirements (.txt) or package-lock.json, instead of what is declared.")
    ] = None,
    tests: Annotated[list[str] | None, typer.Option(help="What test files are called, as 'check_*.py'.")] = None,
    price_in: Annotated[float | None, typer.Option(help="Money for a million tokens read.")] = None,
    price_out: Annotated[float | None, typer.Option(help="Money for a million tokens written.")] = None,
    scale: Annotated[Path | None, typer.Option("--scale", help="A scale that holds instead of the defaults.")] = None,
    config: Changes = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write (results/play/NAME).")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Bugs from your own repository: inject, check, solve, and export the valid ones as a SWE-bench-format dataset.

    The same command goes on where it was interrupted.
    """
    from ssr.play import command

    ask = command.ask_of(place, at, packages or [], environment, tests or [])
    wish = command.wish_of(engine, endpoint, model, checkpoint, bugs, attempts, strategy or [], scale, config or [])
    prices = command.prices_of(price_in, price_out)
    folder = out or command.default_folder(place)
    try:
        summary = command.play(ask, wish, prices, folder, lambda line: typer.echo(line, err=True))
    except KeyboardInterrupt:
        typer.echo(f"interrupted: the same command goes on from what is finished in {folder}", err=True)
        raise typer.Exit(130) from None
    typer.echo(command.shown(summary, json))
