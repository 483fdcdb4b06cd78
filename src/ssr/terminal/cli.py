"""`ssr show` and `ssr status`."""

from pathlib import Path
from typing import Annotated

import typer

from ssr.options import changeable

app = typer.Typer()
shown = typer.Typer(help="One bug, one episode or one run of the results, as text.", no_args_is_help=True)
app.add_typer(shown, name="show")
ResultsFolder = Annotated[
    Path | None, typer.Option("--results", help="Folder of a scale's results, as results/mini; all of them without it.")
]
ScaleOption = Annotated[Path | None, typer.Option("--scale", help="The scale's file, if its name does not say it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@shown.command()
def bug(
    name: Annotated[str, typer.Argument(metavar="ID", help="As ssr-s0-g001-i003.")],
    results: ResultsFolder = None,
    scale: ScaleOption = None,
    json: AsJson = False,
) -> None:
    """A bug: its diffs, what the solver is told, which check failed, how attempts ended."""
    from rich.console import Console

    from ssr.terminal.find import find_bug, results_in
    from ssr.terminal.show import show_bug

    entry = find_bug(name, results_in(results, scale))
    _print_json({**entry[0], **entry[1]}) if json else show_bug(entry, Console())


@shown.command()
def episode(
    name: Annotated[str, typer.Argument(metavar="ID", help="As ssr-s0-g001-i003-a00.")],
    results: ResultsFolder = None,
    scale: ScaleOption = None,
    json: AsJson = False,
) -> None:
    """An episode: each turn's thought, call and observation, and why it was rewarded so."""
    from rich.console import Console

    from ssr.terminal.find import find_episode, results_in
    from ssr.terminal.show import show_episode

    entry = find_episode(name, results_in(results, scale))
    _print_json({**entry[0], **entry[1]}) if json else show_episode(entry, Console())


@shown.command()
def run(
    name: Annotated[str, typer.Argument(metavar="RUN", help="As ssr.")],
    results: ResultsFolder = None,
    scale: ScaleOption = None,
    json: AsJson = False,
) -> None:
    """A run: what each generation tried, found valid and solved, and the ids of its bugs."""
    from rich.console import Console

    from ssr.errors import EvaluationError
    from ssr.terminal.find import results_in
    from ssr.terminal.show import run_rows, show_run

    for each in results_in(results, scale):
        if rows := run_rows(each.generations(name)):
            _print_json(rows) if json else show_run(f"{each.folder}: {name}", rows, Console())
            return
    raise EvaluationError(f"no episode of a run {name!r} in these results: name another folder with --results")


@app.command()
@changeable
def status(
    scale: Annotated[Path, typer.Option("--scale", "--configfile", help="The scale's file.")] = Path(
        "workflow/config/mini.yaml"
    ),
    target: Annotated[str, typer.Option(help="What is to be made: a target of the Snakefile, or a file.")] = "all",
    json: AsJson = False,
) -> None:
    """What of a scale is done, running and left, with an estimate. Starts nothing."""
    from rich.console import Console

    from ssr.terminal.status import show_status, status_of

    found = status_of(scale, target, Path.cwd())
    _print_json(found.as_json()) if json else show_status(found, Console())


def _print_json(values: object) -> None:
    from json import dumps

    typer.echo(dumps(values, indent=1, ensure_ascii=False, default=str))
