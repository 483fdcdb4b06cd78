"""Figures by name."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from ssr.errors import ConfigError
from ssr.paper import figure8, figure9, figure10, figure_difficulty, figure_health, figure_roles
from ssr.paper.data import Data
from ssr.paper.style import save

FIGURES: dict[str, Callable[[Data], Figure]] = {
    "figure8": figure8.draw,
    **{name: partial(figure9.draw, name=name) for name in figure9.PARTS},
    "figure10": lambda data: figure10.draw(),
    "roles": figure_roles.draw,
    "health": figure_health.draw,
    "difficulty": figure_difficulty.draw,
}


def draw_figure(name: str, data: Data, folder: Path) -> None:
    """Write `{name}.pdf`, `.svg` and `.png`. Raises ConfigError for a figure that does not exist."""
    if name not in FIGURES:
        raise ConfigError(f"no figure is called {name!r}; there are {', '.join(FIGURES)}")
    save(lambda: FIGURES[name](data), folder, name)
