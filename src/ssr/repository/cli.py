"""`ssr snapshot`."""

from pathlib import Path
from typing import Annotated

import typer

from ssr.errors import ConfigError
from ssr.options import OutFolder

app = typer.Typer()


@app.command()
def snapshot(
    repository: Annotated[str, typer.Argument(help="A name of the list.")],
    repositories: Annotated[Path, typer.Option("--repositories", help="The list of repositories.")],
    out: OutFolder,
) -> None:
    """Make a snapshot: a repository's source, history and environment, frozen."""
    from ssr.repository.build import make_snapshot
    from ssr.repository.listing import load_repositories

    listed = load_repositories(repositories)
    if repository not in listed:
        raise ConfigError(f"{repositories} does not list {repository!r}; it has {', '.join(listed)}")
    made = make_snapshot(listed[repository], repositories.parent, out)
    typer.echo(f"{made.name}: {len(made.releases)} releases, head {made.head[:12]} in {out}")
