"""How figures look, and how they are written so that the same numbers give the same bytes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib
from matplotlib import font_manager
from matplotlib.figure import Figure

SINGLE, DOUBLE = 3.3, 6.8
"""Widths of one and of two columns, inches."""

SETTINGS: Any = {
    "axes.grid": True,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 8,
    "errorbar.capsize": 1.5,
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "ssr",
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
}
METADATA: dict[str, dict[str, str | None]] = {
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None},
    "png": {"Software": None},
}


@dataclass(frozen=True)
class RunStyle:
    """A run in a figure; marker and line tell runs apart without their colours."""

    label: str
    colour: str
    marker: str
    line: Literal["-", "--", "-.", ":"]


RUNS = {
    "base": RunStyle("base", "#555555", "D", "--"),
    "baseline": RunStyle("baseline RL", "#D55E00", "s", "-."),
    "ssr": RunStyle("SSR", "#0072B2", "o", "-"),
    "injection_only": RunStyle("injection only", "#E69F00", "v", ":"),
    "repair_only": RunStyle("repair only", "#009E73", "^", "--"),
    "direct": RunStyle("direct injection", "#CC79A7", "P", ":"),
    "removal_only": RunStyle("removal only", "#56B4E9", "X", "-."),
    "consistency_reward": RunStyle("consistency reward", "#882255", "p", "--"),
}


def style_of(run: str) -> RunStyle:
    """The style of a run of the paper, or of another one under its own name."""
    return RUNS.get(run, RunStyle(run, "#000000", ".", "-"))


def in_order(runs: Iterable[str]) -> list[str]:
    """Runs as figures and tables name them: the paper's in its order, then others by name."""
    names, known = set(runs), list(RUNS)
    return [run for run in known if run in names] + sorted(names - set(known))


def save(draw: Callable[[], Figure], folder: Path, name: str) -> None:
    """Draw a figure under the project's style and write it as PDF, SVG and PNG, without dates or versions."""
    folder.mkdir(parents=True, exist_ok=True)
    fonts = font_manager.fontManager
    fonts.ttflist = [font for font in fonts.ttflist if Path(font.fname).is_relative_to(matplotlib.get_data_path())]
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **SETTINGS}):
        figure = draw()
        for extension, metadata in METADATA.items():
            figure.savefig(folder / f"{name}.{extension}", metadata=metadata, dpi=300)
