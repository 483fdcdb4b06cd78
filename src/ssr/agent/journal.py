"""Episodes that are kept as they finish, a file each: what a stage that was killed goes on from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ssr.agent.episode import Episode, Timing
from ssr.agent.loop import EpisodeSpec
from ssr.files import written
from ssr.game.artifact import BugArtifact


class Journal:
    """Finished episodes in a folder, by name. Several processes may write to one folder, each its own episodes."""

    def __init__(self, folder: Path, key: str) -> None:
        """`key` names what all episodes depend on beside their specs: weights, settings, code."""
        self._folder, self._key = folder, key

    def find(self, spec: EpisodeSpec) -> Episode | None:
        """The episode as it was kept; None where there is none, or one that something else was played in."""
        record = read_record(self._path(spec), self._name(spec))
        return None if record is None else episode_of(record["episode"])

    def keep(self, spec: EpisodeSpec, episode: Episode) -> None:
        """Write an episode down, unless the machine made it fail: then it is played again."""
        if episode.exit_reason != "infrastructure":
            with written(self._path(spec)) as partial:
                write_record(partial, self._name(spec), {"episode": plain(episode)})

    def _path(self, spec: EpisodeSpec) -> Path:
        return self._folder / f"{spec.episode_id}.json"

    def _name(self, spec: EpisodeSpec) -> str:
        """Everything that the episode depends on."""
        parts = [self._key, spec.role, list(spec.messages), spec.seed, spec.starts_from]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write_record(path: Path, key: str, record: Mapping[str, Any]) -> None:
    """Write a record that is good for `key` alone."""
    path.write_text(json.dumps({"key": key, **record}) + "\n")


def read_record(path: Path, key: str) -> dict[str, Any] | None:
    """What `write_record` wrote for `key`; None where there is no record, another one's, or one that was cut off."""
    try:
        record: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):  # never written, or cut by a machine that went down
        return None
    return record if record["key"] == key else None


def plain(episode: Episode) -> dict[str, Any]:
    """An episode in what JSON can hold, submission and timing too."""
    values = {name: getattr(episode, name) for name in Episode.__dataclass_fields__}
    submission = episode.submission
    more = {
        "messages": [dict(message) for message in episode.messages],
        "timing": asdict(episode.timing),
        "submission": asdict(submission) if isinstance(submission, BugArtifact) else submission,
    }
    return values | more


def episode_of(values: Mapping[str, Any]) -> Episode:
    """The episode of what `plain` gave."""
    submission = values["submission"]
    return replace(
        Episode(**values),
        timing=Timing(**values["timing"]),
        submission=BugArtifact(**submission) if isinstance(submission, dict) else submission,
    )
