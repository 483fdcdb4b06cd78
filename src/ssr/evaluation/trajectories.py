"""Finished attempts, a folder each: what a batch goes on from, and trajectories that mini-swe-agent's viewers read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ssr.agent.episode import Episode
from ssr.agent.journal import episode_of, plain, read_record, write_record
from ssr.files import written

FORMAT = "mini-swe-agent-1.1"
RECORD = "episode.json"
EXITS = {
    "submitted": "Submitted",
    "turn_limit": "LimitsExceeded",
    "context_limit": "ContextWindowExceeded",
    "format_error": "RepeatedFormatError",
    "infrastructure": "InfrastructureError",
}
"""Exit reasons in mini-swe-agent's words."""


def trajectory(instance_id: str, episode: Episode, patch: str, model: str) -> dict[str, Any]:
    """An episode in the format `mini-swe-agent-1.1`; observations have the role `user`, and the end is a message."""
    status = EXITS[episode.exit_reason]
    messages: list[dict[str, Any]] = [
        {"role": "user" if message["role"] == "tool" else message["role"], "content": message["content"]}
        for message in episode.messages
    ]
    ending = {"role": "exit", "content": patch, "extra": {"exit_status": status, "submission": patch}}
    return {
        "info": {
            "model_stats": {"instance_cost": 0.0, "api_calls": episode.turns},
            "config": {"agent_type": "ssr.agent.loop", "model": {"model_name": model}},
            "mini_version": "",
            "exit_status": status,
            "submission": patch,
            "generated_tokens": episode.generated_tokens,
        },
        "messages": [*messages, ending],
        "trajectory_format": FORMAT,
        "instance_id": instance_id,
    }


def write_attempt(
    folder: Path,
    instance_id: str,
    key: str,
    episode: Episode,
    columns: Mapping[str, Any],
    files: Mapping[str, str],
    model: str,
) -> None:
    """Keep a finished attempt in `folder`/<instance>: its record, trajectory, and what its grader left.

    `key` names everything that the attempt depends on. The folder is seen whole or not at all.
    """
    with written(folder / instance_id) as partial:
        partial.mkdir(parents=True)
        told = trajectory(instance_id, episode, str(columns["patch"]), model)
        (partial / f"{instance_id}.traj.json").write_text(json.dumps(told, indent=1) + "\n")
        for name, text in files.items():
            (partial / name).write_text(text)
        write_record(partial / RECORD, key, {"episode": plain(episode), "columns": dict(columns)})


def read_attempt(folder: Path, instance_id: str, key: str) -> tuple[Episode, dict[str, Any]] | None:
    """A finished attempt as it was written; None where there is none, or one that something else was attempted in."""
    record = read_record(folder / instance_id / RECORD, key)
    return None if record is None else (episode_of(record["episode"]), record["columns"])
