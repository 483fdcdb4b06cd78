"""Episodes as the report shows them: of injectors and solvers, and of evaluations."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ssr.config import Scale
from ssr.report.files import rows_without_tokens
from ssr.report.generation import Generation, Row, messages_of
from ssr.report.rewards import EXITS, training_of
from ssr.report.turns import turns_of

COLUMNS = (
    "id", "role", "run", "seed", "generation", "repo", "strategy", "order", "bug", "outcome", "exit", "turns",
    "tokens", "reward",
)  # fmt: skip
"""What the list of episodes knows of each; `role` is injector, solver or the name of a benchmark. `outcome` is valid,
solved, or what went wrong; `tokens` were generated; `reward` is null where there is none."""
Entry = tuple[dict[str, Any], dict[str, Any]]
"""The row of the list, and what the episode's own view shows."""


def episodes_of(generation: Generation, folder: Path) -> Iterator[Entry]:
    """The episodes of one shard's folder of a generation (under `inject` or `solve`)."""
    rows = generation.injected if "inject" in folder.parts else generation.solved
    messages = messages_of([folder / "messages.parquet"])
    for row in rows:
        if row["episode_id"] in messages:
            yield _played(generation, row, messages[row["episode_id"]])


def evaluated(path: Path, scale: Scale) -> Iterator[Entry]:
    """The episodes of one shard of an evaluation."""
    messages = messages_of([path.with_name("messages.parquet")])
    for row in rows_without_tokens([path]):
        why = "Resolved." if row["resolved"] else "Not resolved."
        if not row["resolved"] and not row["applied"]:
            why = "Not resolved: " + EXITS.get(row["exit_reason"], "no patch that applies was handed in") + "."
        listed = _listed(row, {"role": row["benchmark"], "outcome": "solved" if row["resolved"] else "not solved"})
        shown = {"why": why, "training": "", "problem": row["instance_id"], "patch": row["patch"]}
        yield listed, shown | _conversation(row, messages[row["episode_id"]], scale)


def _played(generation: Generation, row: Row, messages: Iterable[Any]) -> Entry:
    reward = generation.reward_of(row)
    trained = generation.trained.get(row["episode_id"])
    known = {"role": row["role"], "outcome": _outcome(generation, row), "bug": generation.bug_of(row)}
    listed = _listed(row, known | {"reward": reward.value})
    shown = {
        "why": reward.why,
        "training": training_of(row, reward, trained, generation.batch_exists, generation.scale),
        "patch": row.get("patch", ""),
        "problem": row.get("instance_id", ""),
    }
    return listed, shown | _conversation(row, messages, generation.scale)


def _outcome(generation: Generation, row: Row) -> str:
    """In a word: valid or solved, the check that failed, the name of the verdict, or how the episode ended."""
    if row["exit_reason"] != "submitted":
        return str(row["exit_reason"])
    if row["role"] == "solver":
        return "solved" if row["solved"] else str(row["verdict"]).partition(":")[0]
    check = generation.checks.get(row["episode_id"])
    if check is None:
        return "not checked yet" if row["episode_id"] in generation.artifacts else "unreadable"
    return "valid" if check["valid"] else str(check["check"])


def _listed(row: Row, known: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["episode_id"],
        "run": row["run"],
        "seed": row["seed"],
        "generation": row["generation"],
        "repo": row["repo"],
        "strategy": row.get("strategy", ""),
        "order": row.get("order", 1),
        "bug": "",
        "exit": row["exit_reason"],
        "turns": row["turns"],
        "tokens": row["generated_tokens"],
        "reward": None,
        **known,
    }


def _conversation(row: Row, messages: Iterable[Any], scale: Scale) -> dict[str, Any]:
    facts = ("prompt_tokens", "weight_version", "format_errors", "submission_path")
    return {"turns": turns_of(messages, scale.agent.call_format), **{name: row[name] for name in facts}}
