"""Cells of tables: Markdown for readers, plain numbers for programs."""

from collections.abc import Sequence

from ssr.paper.metrics import Row

Cells = Sequence[Sequence[str]]


def markdown(header: Sequence[str], lines: Cells) -> str:
    """A Markdown table."""
    rows = [header, ["---"] * len(header), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def find(rows: Sequence[Row], metric: str, against: str = "") -> Row | None:
    """The row of a metric, if there is one."""
    return next((row for row in rows if row.metric == metric and row.against == against), None)


def percent(row: Row | None) -> str:
    """A rate or difference with its standard error and interval, in percent."""
    if row is None:
        return ""
    sign = "+" if row.against else ""
    text = f"{100 * row.value:{sign}.1f}" + ("" if row.stderr is None else f" ± {100 * row.stderr:.1f}")
    if row.low is None or row.high is None:
        return text
    return f"{text} [{100 * row.low:{sign}.1f}, {100 * row.high:{sign}.1f}]"


def columns(name: str) -> list[str]:
    """Headings of the cells of `numbers`."""
    return [name, *(f"{name}_{part}" for part in ("stderr", "low", "high", "noise"))]


def numbers(row: Row | None) -> list[str]:
    """Value, standard error, bounds and noise in percent; empty where there is none."""
    values = [None] * 5 if row is None else [row.value, row.stderr, row.low, row.high, row.noise]
    return ["" if value is None else f"{100 * value:.2f}" for value in values]
