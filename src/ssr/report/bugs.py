"""Bugs as the report shows them: every artifact that was handed in, every second-order bug, every drawn issue."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from ssr.game.artifact import FILES
from ssr.game.instance import Instance
from ssr.report.generation import Generation, bug_key
from ssr.selfplay.validate import changed_lines

COLUMNS = (
    "id", "run", "seed", "generation", "repo", "strategy", "order", "check", "solved", "attempts", "lines", "failing",
)  # fmt: skip
"""What the list of bugs knows of each; `check` is the one that failed, empty for a valid bug. `solved` of `attempts`
leave out attempts that the machine made fail. `lines` are changed by bug_inject.diff, `failing` counts its tests."""
TESTS_SHOWN = 200
Entry = tuple[dict[str, Any], dict[str, Any]]
"""The row of the list, and what the bug's own view shows."""


def bugs_of(generation: Generation) -> Iterator[Entry]:
    """The bugs of a generation: artifacts in the order they were handed in, then the other instances."""
    attempts: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in generation.solved:
        attempts[row["instance_id"]].append(row)
    for name, check in generation.checks.items():
        yield _artifact(generation, name, check, attempts[name])
    for name, instance in generation.instances.items():
        if name not in generation.checks:
            yield _entry(generation, name, instance, attempts[name], {})


def _artifact(generation: Generation, name: str, check: dict[str, Any], attempts: list[dict[str, Any]]) -> Entry:
    texts = generation.artifacts.get(name, {})
    instance = generation.instances.get(check["instance_id"])
    of_artifact = {
        "check": check["check"],
        "reason": check["reason"],
        "tail": check["tail"],
        "injector": name,
        "files": {file: texts.get(file, "") for file in FILES},
        "counts": {key: check[key] for key in ("fail_to_pass", "pass_to_pass", "set_aside")},
        "strategy": check["strategy"],
        "repo": check["repo"],
    }
    return _entry(generation, name, instance, attempts, of_artifact)


def _entry(
    generation: Generation, name: str, instance: Instance | None, attempts: list[dict[str, Any]], known: dict[str, Any]
) -> Entry:
    place = generation.place
    sound = [row for row in attempts if row["exit_reason"] != "infrastructure"]
    files = known.get("files") or (_files_of(instance) if instance else {})
    row = {
        "id": bug_key(place, name),
        "run": place.run,
        "seed": place.seed,
        "generation": place.generation,
        "repo": instance.repo if instance else known["repo"],
        "strategy": instance.strategy if instance else known["strategy"],
        "order": instance.order if instance else 1,
        "check": known.get("check", ""),
        "solved": sum(bool(row["solved"]) for row in sound),
        "attempts": len(sound),
        "lines": changed_lines(files.get("bug_inject.diff", "")),
        "failing": len(instance.FAIL_TO_PASS) if instance else known["counts"]["fail_to_pass"],
    }
    shown = {key: known.get(key, "") for key in ("reason", "tail", "injector")}
    return row, shown | {"files": files, "attempts": [_attempt(each) for each in attempts], **_of_instance(instance)}


def _files_of(instance: Instance) -> dict[str, str]:
    texts = (
        instance.test_script,
        "\n".join(instance.test_files),
        instance.test_parser,
        instance.bug_inject_diff,
        instance.test_weaken_diff,
    )
    return dict(zip(FILES, texts, strict=True))


def _of_instance(instance: Instance | None) -> dict[str, Any]:
    if instance is None:
        return {"specification": "", "parent": ""}
    return {
        "specification": instance.problem_statement,
        "hidden": instance.hidden_test_patch,
        "parent": instance.parent_id,
        "failed_patch": instance.failed_patch,
        "commit": instance.base_commit,
        "version": instance.version,
        "fail_to_pass": instance.FAIL_TO_PASS[:TESTS_SHOWN],
        "pass_to_pass": len(instance.PASS_TO_PASS),
    }


def _attempt(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("episode_id", "attempt", "exit_reason", "verdict", "solved", "reward", "turns")}
