"""What a generation plays: a repository, a strategy and a seed for each injector episode, or issues that are drawn."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from ssr.agent.prompts import Target
from ssr.config import SelfplayConfig
from ssr.contracts import Strategy
from ssr.errors import ConfigError
from ssr.seeds import seed_of
from ssr.selfplay.files import read_rows, write_rows

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Where in an experiment an episode belongs; every seed and every name derives from it."""

    run: str
    seed: int
    generation: int

    def __str__(self) -> str:
        return f"{self.run}-s{self.seed}-g{self.generation:03d}"

    def seed_of(self, *names: str | int) -> int:
        """A seed for something of this generation."""
        return seed_of(self.run, self.seed, self.generation, *names)


@dataclass(frozen=True)
class InjectionTask:
    """One injector episode."""

    episode_id: str
    run: str
    seed: int
    generation: int
    repo: str
    strategy: Strategy
    attempt: int
    """Place in its group."""
    episode_seed: int
    targets: tuple[Target, ...] = ()
    """Where the task asks to put the bug; nothing without `selfplay.seeding`."""


ORIGIN: list["pa.Field[Any]"] = [
    pa.field("run", pa.string()),
    pa.field("seed", pa.int32()),
    pa.field("generation", pa.int32()),
    pa.field("repo", pa.string()),
    pa.field("strategy", pa.string()),
]
"""Where an injection comes from, in every table that tells of one."""
_TARGET: list["pa.Field[Any]"] = [
    pa.field("path", pa.string()),
    pa.field("first_line", pa.int32()),
    pa.field("last_line", pa.int32()),
    pa.field("text", pa.string()),
]
_FIELDS: list["pa.Field[Any]"] = [
    pa.field("episode_id", pa.string()),
    *ORIGIN,
    pa.field("attempt", pa.int32()),
    pa.field("episode_seed", pa.int64()),
    pa.field("targets", pa.list_(pa.struct(_TARGET))),
]
SCHEMA = pa.schema(_FIELDS)
"""Columns of a file of injection tasks."""


def injection_tasks(place: Place, repos: Sequence[str], config: SelfplayConfig) -> list[InjectionTask]:
    """The injector episodes of a generation: groups of `injector_group` of one repository and strategy.

    Repositories take turns in an order shuffled anew each round, over all generations of a run; strategies are shared
    out by weight within a generation. Raises ConfigError if `injections` is no multiple of `injector_group`.
    """
    groups, rest = divmod(config.injections, config.injector_group)
    if rest:
        raise ConfigError(f"selfplay.injections ({config.injections}) must be a multiple of injector_group")
    deck = dealt(repos, "repositories", place.run, place.seed)
    chosen = list(islice(deck, (place.generation - 1) * groups, place.generation * groups))
    tasks = []
    for group, (repo, strategy) in enumerate(zip(chosen, _strategies(place, config, groups), strict=True)):
        for attempt in range(config.injector_group):
            name = f"{place}-i{group * config.injector_group + attempt:03d}"
            seed = place.seed_of("injector", group, attempt)
            tasks.append(InjectionTask(name, *_spot(place), repo, strategy, attempt, seed))
    return tasks


class Named(Protocol):
    """Something to work on, by name."""

    @property
    def instance_id(self) -> str:
        """Its name."""
        ...


N = TypeVar("N", bound=Named)


def drawn(place: Place, pool: Sequence[N], number: int) -> list[N]:
    """The issues or earlier bugs that a generation works on: the whole pool in turn, shuffled anew each round.

    No issue is drawn twice in a generation. Raises ConfigError for an empty pool.
    """
    if not pool:
        raise ConfigError(f"{place}: there is nothing to draw from; the pool of issues or earlier bugs is empty")
    by_id = {instance.instance_id: instance for instance in pool}
    number = min(number, len(by_id))
    deck = dealt(sorted(by_id), "pool", place.run, place.seed)
    cards = islice(deck, (place.generation - 1) * number, None)
    names = list(islice(_unique(cards), number))
    return [by_id[name] for name in names]


def dealt(cards: Sequence[T], *names: str | int) -> Iterator[T]:
    """Every card once, shuffled, then every card once more, without end."""
    for turn in count():
        deck = list(cards)
        random.Random(seed_of(*names, turn)).shuffle(deck)
        yield from deck


def write_tasks(path: Path, tasks: Sequence[InjectionTask]) -> None:
    """Write injection tasks to parquet."""
    write_rows(path, (asdict(task) for task in tasks), SCHEMA)


def read_tasks(path: Path) -> list[InjectionTask]:
    """Read what `write_tasks` wrote."""
    rows = read_rows([path])
    return [InjectionTask(**row | {"targets": tuple(Target(**each) for each in row["targets"])}) for row in rows]


def _spot(place: Place) -> tuple[str, int, int]:
    return place.run, place.seed, place.generation


def _unique(names: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name not in seen:
            seen.add(name)
            yield name


def _strategies(place: Place, config: SelfplayConfig, groups: int) -> list[Strategy]:
    """Strategies in proportion to their weights, in random order: systematic sampling from a random start."""
    rng = random.Random(place.seed_of("strategies"))
    weights: Mapping[Strategy, float] = {name: weight for name, weight in config.strategies.items() if weight > 0}
    if not weights:
        raise ConfigError("selfplay.strategies gives no strategy a weight")
    step = sum(weights.values()) / max(groups, 1)
    start = rng.random() * step
    chosen = [_at(weights, start + step * group) for group in range(groups)]
    rng.shuffle(chosen)
    return chosen


def _at(weights: Mapping[Strategy, float], point: float) -> Strategy:
    for name, weight in weights.items():
        if point < weight:
            return name
        point -= weight
    return name
