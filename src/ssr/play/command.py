"""From the words of `ssr play` to what it does, and from its summary to what is printed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from ssr.config.overrides import RESULTS, parse_overrides
from ssr.contracts import Strategy
from ssr.errors import ConfigError
from ssr.play.place import name_of
from ssr.play.prepare import Ask
from ssr.play.run import play
from ssr.play.settings import EngineName, Wish
from ssr.play.summary import Summary, lines_of

__all__ = ["ask_of", "default_folder", "play", "prices_of", "shown", "wish_of"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)


def ask_of(place: str, at: str, packages: Sequence[str], environment: Path | None, tests: Sequence[str]) -> Ask:
    """Which repository."""
    return Ask(place, at, tuple(packages), environment, tuple(tests))


def wish_of(
    engine: str,
    endpoint: str | None,
    model: str | None,
    checkpoint: Path | None,
    bugs: int | None,
    attempts: int | None,
    strategies: Sequence[str],
    scale: Path | None,
    overrides: Sequence[str],
) -> Wish:
    """How to play. Raises ConfigError for an engine, a strategy or a key that there is not."""
    known = next((name for name in ENGINES if name == engine), None)
    if known is None:
        raise ConfigError(f"--engine {engine}: there are {', '.join(ENGINES)}")
    for strategy in strategies:
        if strategy not in get_args(Strategy):
            raise ConfigError(f"--strategy {strategy}: there are {', '.join(get_args(Strategy))}")
    changes = parse_overrides(overrides)
    return Wish(known, endpoint, model, checkpoint, bugs, attempts, tuple(strategies), scale, changes)


def prices_of(price_in: float | None, price_out: float | None) -> tuple[float, float] | None:
    """Both prices or none; one that is not given is 0."""
    return None if price_in is None and price_out is None else (price_in or 0.0, price_out or 0.0)


def default_folder(place: str) -> Path:
    """results/play/NAME."""
    path = Path(place).expanduser()
    return RESULTS / "play" / name_of(path.resolve().name if path.exists() else place)


def shown(summary: Summary, as_json: bool) -> str:
    """The summary as text."""
    return json.dumps(summary.as_json(), indent=1) if as_json else "\n".join(lines_of(summary))
