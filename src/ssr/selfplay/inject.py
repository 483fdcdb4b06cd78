"""The injector's stage: one episode a task, and the bug artifacts that were handed in."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from ssr.agent.episode import Episode
from ssr.agent.journal import Journal
from ssr.agent.prompts import injector_messages
from ssr.agent.rollout import EpisodeSpec, run_episodes
from ssr.config import Scale
from ssr.contracts import Engine, Sandbox, SandboxBackend
from ssr.game.artifact import BugArtifact
from ssr.repository.snapshot import Snapshot
from ssr.selfplay.artifacts import Submitted
from ssr.selfplay.tasks import ORIGIN, InjectionTask

COLUMNS: list["pa.Field[Any]"] = [*ORIGIN, pa.field("attempt", pa.int32())]
"""What episodes.parquet says of a task beside the episode's own columns."""


def inject(
    tasks: Sequence[InjectionTask],
    engine: Engine,
    backend: SandboxBackend,
    snapshots: dict[str, Snapshot],
    scale: Scale,
    finished: Callable[[Episode], object] = lambda episode: None,
    journal: Journal | None = None,
) -> list[Episode]:
    """Play the injector episodes that the journal does not hold; all of them, in the order of the tasks."""
    specs = [_spec(task, backend, snapshots[task.repo], scale) for task in tasks]
    return run_episodes(specs, engine, scale.agent, scale.sampling.training, scale.engine.in_flight, finished, journal)


def columns_of(task: InjectionTask) -> dict[str, Any]:
    """The values of COLUMNS."""
    return {column.name: getattr(task, column.name) for column in COLUMNS}


def submitted(tasks: Sequence[InjectionTask], episodes: Sequence[Episode]) -> list[Submitted]:
    """The artifacts of episodes that ended by submitting; a budget that ran out takes a submission with it."""
    found = []
    for task, episode in zip(tasks, episodes, strict=True):
        if episode.exit_reason == "submitted" and isinstance(episode.submission, BugArtifact):
            place = columns_of(task) | {"episode_id": episode.episode_id}
            found.append(Submitted(place, episode.submission))
    return found


def read_artifact(sandbox: Sandbox, path: str) -> BugArtifact:
    """A submitted folder. Raises FileNotFoundError, which the episode is told of, where one of the files is missing."""
    artifact = BugArtifact.from_sandbox(sandbox, path)
    if "missing_file: " in artifact.problem:
        raise FileNotFoundError(artifact.problem.replace("missing_file: ", ""))
    return artifact


def _spec(task: InjectionTask, backend: SandboxBackend, snapshot: Snapshot, scale: Scale) -> EpisodeSpec:
    return EpisodeSpec(
        episode_id=task.episode_id,
        role="injector",
        messages=injector_messages(scale.agent, task.strategy, task.repo, scale.game, task.targets),
        open_sandbox=lambda: backend.open(snapshot),
        seed=task.episode_seed,
        read_submission=read_artifact,
        starts_from=snapshot.head,
    )
