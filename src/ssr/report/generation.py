"""One generation as it was played: its tables joined, token columns left on disk."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ssr.config import Scale
from ssr.contracts import Message
from ssr.evaluation.problem import is_problems_file
from ssr.game.instance import Instance, read_instances
from ssr.report.files import GenerationFolder, rows_without_tokens
from ssr.report.rewards import Reward, reward_of_injector, reward_of_solver
from ssr.selfplay.collect import SolveRate, solve_rates
from ssr.selfplay.files import read_rows
from ssr.selfplay.tasks import Place

Row = dict[str, Any]
TRAINED = ["episode_id", "group", "advantage"]


@dataclass(frozen=True)
class Generation:
    """Rows of a generation's tables under the names by which they are asked for."""

    folder: GenerationFolder
    scale: Scale
    """The run's own keys."""
    injected: list[Row]
    checks: dict[str, Row]
    """By the injector's episode."""
    artifacts: dict[str, Row]
    """By the injector's episode."""
    solved: list[Row]
    instances: dict[str, Instance]
    """Bugs that were attempted or could be, by id: the run's own, or those that were drawn for it."""
    trained: dict[str, Row]
    batch_exists: bool
    rates: dict[str, SolveRate]
    """Solve rates of the first-order bugs, as the injector's reward takes them."""

    @property
    def place(self) -> Place:
        """Run, seed and generation."""
        return self.folder.place

    def reward_of(self, row: Row) -> Reward:
        """The reward of an episode of this generation, and why."""
        if row["role"] == "solver":
            return reward_of_solver(row)
        name = row["episode_id"]
        return reward_of_injector(row, self.artifacts.get(name), self.checks.get(name), self.rates, self.scale)

    def bug_of(self, row: Row) -> str:
        """The bug that an episode worked on or handed in; empty for none, and for a problem of a data set."""
        if row["role"] == "solver":
            return bug_key(self.place, row["instance_id"]) if row["instance_id"] in self.instances else ""
        return bug_key(self.place, row["episode_id"]) if row["episode_id"] in self.checks else ""


def bug_key(place: Place, instance_id: str) -> str:
    """A bug's name that no other generation has: drawn ones are named after the generation that drew them."""
    return instance_id if instance_id.startswith(f"{place}-") else f"{place}-{instance_id}"


def load_generation(folder: GenerationFolder, scale: Scale) -> Generation:
    """Read and join the tables of a generation that are there."""
    run = scale.for_run(folder.place.run)
    solved = rows_without_tokens(folder.tables("solve", "episodes"))
    checks = read_rows(folder.tables("validate", "checks"))
    batch = folder.table("batch")
    found = [*folder.tables("validate", "instances"), *folder.tables("solve", "instances")]
    if run.selfplay.data != "selfplay":
        found += [path for path in folder.table("tasks") if not is_problems_file(path)]
    return Generation(
        folder=folder,
        scale=run,
        injected=rows_without_tokens(folder.tables("inject", "episodes")),
        checks=_by_episode(checks),
        artifacts=_by_episode(read_rows(folder.tables("inject", "artifacts"))),
        solved=solved,
        instances={instance.instance_id: instance for path in found for instance in read_instances(path)},
        trained=_by_episode(read_rows(batch, TRAINED)),
        batch_exists=bool(batch),
        rates=solve_rates(solved, checks, run),
    )


def messages_of(paths: Sequence[Path]) -> dict[str, list[Message]]:
    """Messages of the episodes of some shards, by episode, in order."""
    found: defaultdict[str, list[Message]] = defaultdict(list)
    for path in paths:
        for row in pq.ParquetFile(path).read(columns=["episode_id", "role", "content"]).to_pylist():
            found[row["episode_id"]].append({"role": row["role"], "content": row["content"]})
    return dict(found)


def _by_episode(rows: list[Row]) -> dict[str, Row]:
    return {row["episode_id"]: row for row in rows}
