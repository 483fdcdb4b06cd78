"""Tables of a scale as Markdown for readers and CSV for programs, by name."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

from ssr.errors import ConfigError
from ssr.paper.cells import Cells
from ssr.paper.data import Data
from ssr.paper.table_game import game, sizes
from ssr.paper.table_results import changes, repositories, results

TABLES: dict[str, Callable[[Data], tuple[str, Cells]]] = {
    "results": results,
    "repositories": repositories,
    "changes": changes,
    "game": game,
    "sizes": sizes,
}


def write_table(name: str, data: Data, folder: Path) -> None:
    """Write `{name}.md` and `{name}.csv`. Raises ConfigError for a table that does not exist."""
    if name not in TABLES:
        raise ConfigError(f"no table is called {name!r}; there are {', '.join(TABLES)}")
    text, cells = TABLES[name](data)
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(cells)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text)
    (folder / f"{name}.csv").write_text(buffer.getvalue())
