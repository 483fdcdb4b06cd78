"""From the result files of a run and seed to its summary."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from unidiff import PatchSet

from ssr.config import Scale
from ssr.game.instance import read_instances
from ssr.paper.sources import BASE, GenerationFiles, sources_of
from ssr.paper.summary import Summary
from ssr.selfplay.collect import injector_reward, reason_without_reward, solve_rates
from ssr.selfplay.files import read_rows
from ssr.selfplay.validate import changed_lines
from ssr.training.health import health_of

Row = dict[str, Any]
COST_ONLY = {
    "engine": ("in_flight",),
    "sandbox": ("parallel", "docker_host"),
    "game": ("run_store",),
    "selfplay": ("shards",),
    "evaluation": ("shards", "image_disk_gb"),
    "training": ("resume_every", "keep_states"),
}
"""Keys that change what a run costs and not what it makes: a summary does not hold them."""
OF_EPISODE = ["exit_reason", "turns", "generated_tokens"]
PLAYED = ["episode_id", "role", *OF_EPISODE, "format_errors", "token_ids", "loss_mask", "logprobs", "repo", "strategy"]
CHECKED = ["episode_id", "instance_id", "repo", "strategy", "valid", "check", "fingerprint", "fail_to_pass"]
"""Columns of checks.parquet that are read."""


def summarise(scale: Scale, results: Path, run: str, seed: int) -> Summary:
    """The summary of a run, or of the base model under the name `base`; the same however many shards played it.

    Raises EvaluationError where a file lacks.
    """
    own = scale if run == BASE else scale.for_run(run)
    sources = sources_of(scale, results, run, seed)
    outcomes = [row for folder in sources.scores for row in _outcomes(folder)]
    episodes: list[Row] = []
    artifacts: list[Row] = []
    training: list[Row] = []
    for files in sources.generations:
        played, checked = _generation(files, own)
        episodes += sorted(played, key=lambda row: str(row["episode_id"]))
        artifacts += sorted(checked, key=lambda row: str(row["episode_id"]))
        training += [asdict(files.place) | row for row in read_rows([files.training])]
    return Summary(run, seed, _keys(own), outcomes, episodes, artifacts, training)


def _keys(own: Scale) -> Row:
    values = own.model_dump(mode="json", exclude={"basemodel", "logging", "seeds"})
    for section, names in COST_ONLY.items():
        for name in names:
            del values[section][name]
    return values


def _outcomes(folder: Path) -> list[Row]:
    report = json.loads((folder / "report.json").read_text())
    place = {key: report[key] for key in ("run", "seed", "generation", "step", "benchmark")}
    attempts = {
        row["instance_id"]: row for row in read_rows([folder / "episodes.parquet"], ["instance_id", *OF_EPISODE])
    }
    return [
        place
        | {"instance_id": name, "repo": report["repositories"][name], "resolved": resolved}
        | {key: attempts[name][key] for key in OF_EPISODE}
        for name, resolved in sorted(report["resolved"].items())
    ]


def _generation(files: GenerationFiles, own: Scale) -> tuple[list[Row], list[Row]]:
    """Episodes and artifacts of one generation."""
    injected = read_rows(files.injects, PLAYED)
    checks = {row["episode_id"]: row for row in read_rows(files.checks, CHECKED)}
    solved = read_rows(files.solves, [*PLAYED, "order", "instance_id", "reward"])
    trained = {row["episode_id"] for row in read_rows([files.batch], ["episode_id"])}
    rates = solve_rates(solved, checks.values(), own)
    place = asdict(files.place)
    rewards = {}
    for row in injected:
        check = checks.get(row["episode_id"])
        unrewarded = row["exit_reason"] == "infrastructure" or reason_without_reward(row, check, rates)
        rewards[row["episode_id"]] = None if unrewarded else injector_reward(row, check, rates, own)
    episodes = [_episode(row, place, trained, 1, row["episode_id"], rewards[row["episode_id"]]) for row in injected]
    episodes += [_episode(row, place, trained, row["order"], row["instance_id"], row["reward"]) for row in solved]
    sizes = _sizes(files.instances)
    artifacts = []
    for name, check in checks.items():
        rate = rates.get(check["instance_id"]) if check["valid"] else None
        counts = {"solved": rate.solved, "attempts": rate.attempts} if rate else {}
        artifacts.append(place | check | sizes.get(check["instance_id"], {}) | counts | {"reward": rewards.get(name)})
    return episodes, artifacts


def _episode(
    row: Mapping[str, Any], place: Row, trained: set[str], order: int, instance: str, reward: float | None
) -> Row:
    mask = np.asarray(row["loss_mask"], np.int8) != 0
    health = health_of(np.asarray(row["token_ids"], np.int32)[mask], np.asarray(row["logprobs"], np.float32)[mask])
    kept = {key: row[key] for key in ("episode_id", "role", "repo", "strategy", "format_errors", *OF_EPISODE)}
    found = {"windows": health.windows, "repeated": health.repeated, "gibberish": health.gibberish}
    sound = None if row["exit_reason"] == "infrastructure" else reward
    more = {"order": order, "instance_id": instance, "reward": sound, "trained": row["episode_id"] in trained}
    return place | kept | found | more


def _sizes(files: Sequence[Path]) -> dict[str, Row]:
    """Files, hunks and changed lines of each valid bug."""
    bugs = [bug for path in files for bug in read_instances(path)]
    return {bug.instance_id: _size(bug.bug_inject_diff) for bug in bugs}


def _size(diff: str) -> Row:
    patches: Iterable[Any] = PatchSet(diff)
    counts = [len(patch) for patch in patches]
    return {"files": len(counts), "hunks": sum(counts), "lines": changed_lines(diff)}
