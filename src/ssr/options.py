"""Options that several commands of `ssr` take, and changes to the keys of a scale."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar

import typer

P = ParamSpec("P")
T = TypeVar("T")
ScaleFile = Annotated[Path, typer.Option("--scale", help="The scale's file.")]
Run = Annotated[str, typer.Option("--run", help="A run of the scale.")]
Seed = Annotated[int, typer.Option("--seed", help="Which repetition of the run.")]
Generation = Annotated[int, typer.Option("--generation", help="Counted from 1.")]
Checkpoint = Annotated[Path, typer.Option("--checkpoint", help="Folder of the weights that play.")]
Snapshots = Annotated[Path, typer.Option("--snapshots", help="Folder of the snapshots.")]
OutFile = Annotated[Path, typer.Option("--out", help="File to write.")]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder to write.")]
SNAPSHOTS = Path("results/snapshots")
Changes = Annotated[
    list[str] | None,
    typer.Option("-c", "--config", metavar="KEY=VALUE", help="Change a key of the scale, as game.attempts=4."),
]


def changeable(command: Callable[P, T]) -> Callable[P, T]:
    """A command with a parameter `scale` that takes `-c KEY=VALUE` too, and is given the changed scale's file."""
    signature = inspect.signature(command)
    option = inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Changes)

    @functools.wraps(command)
    def with_changes(*arguments: P.args, **options: P.kwargs) -> T:
        changes = options.pop("config", None)
        scale = options.get("scale")
        if changes and not isinstance(scale, Path):
            raise typer.BadParameter("it changes keys of a scale: name one with --scale", param_hint="-c")
        if isinstance(scale, Path) and isinstance(changes, list):
            from ssr.config.overrides import effective_scale, parse_overrides

            options["scale"] = effective_scale(scale, parse_overrides(changes))
        return command(*arguments, **options)

    parameters = [*signature.parameters.values(), option]
    with_changes.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_changes.__annotations__ = {**command.__annotations__, "config": Changes}
    return with_changes
