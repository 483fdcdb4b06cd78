"""The scale that a play follows: the defaults or a named scale, the command's words, then `-c`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from ssr.config import Scale, load_scale, merge
from ssr.errors import ConfigError

DEFAULTS = Path(__file__).with_name("defaults.yaml")
RUN = "play"
SCRIPTED_TURNS = 24
"""More than any script takes: one that gave up says so in every turn that is left."""
EngineName = Literal["openai", "checkpoint", "demonstrator"]


@dataclass(frozen=True)
class Wish:
    """What the command was told of how to play."""

    engine: EngineName
    endpoint: str | None = None
    model: str | None = None
    checkpoint: Path | None = None
    bugs: int | None = None
    attempts: int | None = None
    strategies: tuple[str, ...] = ()
    scale: Path | None = None
    overrides: Mapping[str, Any] | None = None


def write_scale(wish: Wish, has_history: bool, out: Path) -> Scale:
    """Write `out`/scale.yaml and return the scale. Raises ConfigError for words that do not go together."""
    values = yaml.safe_load((wish.scale or DEFAULTS).read_text())
    if wish.scale is not None:
        load_scale(wish.scale)
    values |= {"name": "play", "repositories": str(out / "list.yaml"), "seeds": [0], "runs": {RUN: {}}}
    values.pop("include", None)
    for changes in (_own(), _engine(wish), _game(wish, has_history), dict(wish.overrides or {})):
        values = merge(values, changes)
    path = out / "scale.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    return load_scale(path).for_run(RUN)


def _own() -> dict[str, Any]:
    """What a play is, whatever the scale says: one generation by one job, and no benchmark held out."""
    selfplay: dict[str, Any] = {
        "data": "selfplay",
        "bugs_of": None,
        "generations": 1,
        "lag": 0,
        "shards": 1,
        "untouched": [],
    }
    return {"selfplay": selfplay, "evaluation": {"benchmarks": [], "sources": {}}}


def _engine(wish: Wish) -> dict[str, Any]:
    if wish.engine == "demonstrator":
        return {"agent": {"call_format": "cwm", "resubmission": False, "max_turns": SCRIPTED_TURNS}}
    if wish.engine == "checkpoint":
        if wish.checkpoint is None:
            raise ConfigError("--engine checkpoint plays with weights: name their folder with --checkpoint")
        return {"engine": {"kind": "transformers"}, "model": {"base": str(wish.checkpoint)}}
    if wish.endpoint is None or wish.model is None:
        raise ConfigError("--engine openai asks a server: name it with --endpoint (…/v1) and its model with --model")
    return {"engine": {"kind": "openai", "endpoint": wish.endpoint, "model": wish.model}}


def _game(wish: Wish, has_history: bool) -> dict[str, Any]:
    scripted = wish.engine == "demonstrator"
    names = wish.strategies or (("removal", "history") if has_history and not scripted else ("removal", "direct"))
    changes: dict[str, Any] = {"selfplay": {"strategies": dict.fromkeys(names, 1.0), "injector_group": 1}}
    if wish.bugs is not None:
        changes["selfplay"]["injections"] = wish.bugs
    if wish.attempts is not None or scripted:
        changes["game"] = {"attempts": wish.attempts or 1}
    if scripted:  # it solves what it knows, so that there is nothing left to play again
        changes["game"]["second_order_share"] = 0.0
    return changes
