"""The solver's stage: attempts on each bug, verdicts on their patches, then second-order bugs and attempts on those."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import pyarrow as pa

from ssr.agent.episode import Episode
from ssr.agent.journal import Journal
from ssr.agent.prompts import solver_messages
from ssr.agent.rollout import EpisodeSpec, run_episodes
from ssr.agent.tools import read_patch
from ssr.config import Scale, SelfplayConfig
from ssr.contracts import Engine, ExitReason, Message, Sandbox, SandboxBackend
from ssr.game.codebase import open_codebase
from ssr.game.instance import Instance
from ssr.game.reward import solver_reward
from ssr.game.store import RunStore
from ssr.game.verdict import Verdict
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.observation import normalise
from ssr.selfplay.bugs import distinct
from ssr.selfplay.judging import Prediction, second_order_bugs, verdicts
from ssr.selfplay.tasks import Place

COLUMNS: list["pa.Field[Any]"] = [
    pa.field("run", pa.string()),
    pa.field("seed", pa.int32()),
    pa.field("generation", pa.int32()),
    pa.field("instance_id", pa.string()),
    pa.field("repo", pa.string()),
    pa.field("strategy", pa.string()),
    pa.field("order", pa.int32()),
    pa.field("attempt", pa.int32()),
    pa.field("patch", pa.string()),
    pa.field("verdict", pa.string()),
    pa.field("applied", pa.bool_()),
    pa.field("solved", pa.bool_()),
    pa.field("reward", pa.float64()),
]
"""What episodes.parquet says of an attempt beside the episode's own columns."""


@dataclass(frozen=True)
class Attempt:
    """One solver episode on a bug, with its verdict."""

    instance: Instance
    number: int
    episode: Episode
    columns: dict[str, Any]

    @property
    def failed_patch(self) -> Prediction | None:
        """The patch, if it applies and changes something, but solves nothing."""
        wrong = self.columns["applied"] and not self.columns["solved"]
        return Prediction(self.instance, self.columns["patch"]) if wrong else None


def to_attempt(bugs: Sequence[Instance], config: SelfplayConfig) -> list[Instance]:
    """The bugs of a generation that are attempted: all, or with `selfplay.distinct` one of those that are the same."""
    if config.distinct and config.data == "selfplay":
        return distinct(sorted(bugs, key=attrgetter("instance_id")))
    return list(bugs)


class Solver:
    """Plays the attempts of a shard; everything it needs, but for the bugs."""

    def __init__(
        self,
        place: Place,
        engine: Engine,
        backend: SandboxBackend,
        snapshots: dict[str, Snapshot],
        scale: Scale,
        finished: Callable[[Episode], object] = lambda episode: None,
        store: RunStore | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.place, self.engine, self.backend, self.snapshots = place, engine, backend, snapshots
        self.scale, self.finished, self.store, self.journal = scale, finished, store, journal

    def play(self, instances: Sequence[Instance]) -> tuple[list[Attempt], list[Instance]]:
        """All attempts on the bugs, first order before second, and the second-order bugs that were made.

        Only a run's own bugs are played again as second-order bugs. Raises GameError for an instance whose diffs do not
        apply.
        """
        attempts = self._attempt(instances)
        if self.scale.selfplay.data != "selfplay":
            return attempts, []
        failed = [patch for attempt in attempts if (patch := attempt.failed_patch)]
        share = self.scale.game.second_order_share
        harder = second_order_bugs(instances, failed, self.backend, self.snapshots, share)
        return attempts + self._attempt(harder), harder

    def _attempt(self, instances: Sequence[Instance]) -> list[Attempt]:
        scale = self.scale
        cases = [(instance, number) for instance in instances for number in range(scale.game.attempts)]
        codebases = Codebases(self.backend, self.snapshots)
        try:
            specs = [self._spec(instance, number, codebases) for instance, number in cases]
            sampling, in_flight = scale.sampling.training, scale.engine.in_flight
            episodes = run_episodes(specs, self.engine, scale.agent, sampling, in_flight, self.finished, self.journal)
        finally:
            codebases.close()
        return self._judged(cases, episodes)

    def _spec(self, instance: Instance, number: int, codebases: "Codebases") -> EpisodeSpec:
        return attempt_spec(
            self.place,
            instance.instance_id,
            number,
            messages=solver_messages(self.scale.agent, instance.problem_statement),
            open_sandbox=lambda: codebases.open(instance),
            starts_from=instance.model_dump_json(),
        )

    def _judged(self, cases: Sequence[tuple[Instance, int]], episodes: Sequence[Episode]) -> list[Attempt]:
        handed_in = {
            index: Prediction(cases[index][0], episode.submission)
            for index, episode in enumerate(episodes)
            if episode.exit_reason == "submitted" and isinstance(episode.submission, str)
        }
        judged = verdicts(list(handed_in.values()), self.backend, self.snapshots, self.scale, store=self.store)
        outcomes = {
            index: _outcome(entry.patch, verdict)
            for (index, entry), verdict in zip(handed_in.items(), judged, strict=True)
        }
        return [
            self._record(*case, episode, outcomes.get(index) or no_patch(episode.exit_reason))
            for index, (case, episode) in enumerate(zip(cases, episodes, strict=True))
        ]

    def _record(self, instance: Instance, number: int, episode: Episode, outcome: dict[str, Any]) -> Attempt:
        what = {"repo": instance.repo, "strategy": instance.strategy, "order": instance.order}
        columns = attempt_columns(self.place, instance.instance_id, number, what | outcome)
        return Attempt(instance, number, episode, columns)


def attempt_spec(
    place: Place,
    name: str,
    number: int,
    *,
    messages: Sequence[Message],
    open_sandbox: Callable[[], Sandbox],
    starts_from: str,
) -> EpisodeSpec:
    """One solver episode of a generation: its name and seed derive from the place, the instance and the attempt."""
    prefix = "" if name.startswith(f"{place}-") else f"{place}-"
    return EpisodeSpec(
        episode_id=f"{prefix}{name}-a{number:02d}",
        role="solver",
        messages=messages,
        open_sandbox=open_sandbox,
        seed=place.seed_of("solver", name, number),
        read_submission=read_patch,
        starts_from=starts_from,
    )


def attempt_columns(place: Place, name: str, number: int, known: dict[str, Any]) -> dict[str, Any]:
    """COLUMNS of an attempt: what is known of it, where it belongs, and its reward."""
    reward = 0.0 if known["exit_reason"] == "infrastructure" else solver_reward(known["solved"])
    columns = {"run": place.run, "seed": place.seed, "generation": place.generation, "instance_id": name}
    return columns | {"attempt": number, "reward": reward} | known


def no_patch(exit_reason: ExitReason) -> dict[str, Any]:
    """Columns of an attempt that no verdict was given on."""
    return {"patch": "", "verdict": exit_reason, "applied": False, "solved": False, "exit_reason": exit_reason}


def _outcome(patch: str, verdict: Verdict | None) -> dict[str, Any]:
    """Columns of an attempt that handed in a patch; without a verdict the machine failed, not the policy."""
    if verdict is None:
        return no_patch("infrastructure") | {"patch": patch}
    columns = {"patch": patch, "verdict": normalise(verdict.reason), "applied": verdict.applied}
    return columns | {"solved": verdict.solved, "exit_reason": "submitted"}


class Codebases:
    """Each bug's codebase is made once; every attempt starts from a fork of it. For use from several threads."""

    def __init__(self, backend: SandboxBackend, snapshots: dict[str, Snapshot]) -> None:
        self._backend, self._snapshots = backend, snapshots
        self._made: dict[str, Sandbox] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def open(self, instance: Instance) -> Sandbox:
        """A sandbox of its own with the instance's codebase."""
        name = instance.instance_id
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._made:
                self._made[name] = open_codebase(self._backend, self._snapshots[instance.repo], instance)
            return self._made[name].fork()

    def close(self) -> None:
        """Delete the codebases; forks live on."""
        for sandbox in self._made.values():
            sandbox.close()
