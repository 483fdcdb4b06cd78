"""Both ways to a grade on a real engine: `swebench eval` in containers, swebench's library on our sandboxes' logs."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from official_examples import NOTES

from ssr.config import SandboxConfig
from ssr.contracts import SandboxBackend
from ssr.daemon import Daemon
from ssr.errors import EvaluationError, SandboxError
from ssr.evaluation.export import bug_row, export_bugs, one_word
from ssr.evaluation.grading import grade_in
from ssr.evaluation.harness import disagreements, regrade, run_harness
from ssr.evaluation.task_images import make_images
from ssr.game.codebase import open_codebase
from ssr.game.instance import Instance, write_instances
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.docker import Docker

ODD_PARSER = """import json, sys
result = {}
for line in sys.stdin:
    words = line.split(" ")
    if words[0] in ("PASSED", "FAILED") and "::" in words[1]:
        result["the test 100% " + words[1].strip()] = words[0].lower()
print(json.dumps(result))
"""


@pytest.fixture(scope="module")
def bug(verified: list[Instance]) -> Instance:
    """A bug of self-play: the script and the parser are its own, its tests' names hold blanks."""
    first = verified[0]
    lists = {
        name: [f"the test 100% {test}" for test in getattr(first, name)] for name in ("FAIL_TO_PASS", "PASS_TO_PASS")
    }
    own = {"instance_id": "ssr-s0-g001-b001", "source": "selfplay", "strategy": "removal", "test_parser": ODD_PARSER}
    return first.model_copy(update=own | lists)


def graded(bug: Instance, patch: str, pocket: Snapshot, backend: SandboxBackend) -> bool:
    sandbox = open_codebase(backend, pocket, bug)
    try:
        return grade_in(sandbox, bug_row(bug, "MIT"), patch, 120).resolved
    finally:
        sandbox.close()


def test_an_exported_bug_is_graded_by_its_own_script_and_parser(
    bug: Instance, pocket: Snapshot, backend: SandboxBackend
) -> None:
    assert graded(bug, bug.patch, pocket, backend)
    assert not graded(bug, NOTES, pocket, backend)
    assert one_word("a b\t100%") == "a%20b%09100%25"


def test_a_dataset_says_what_it_is_made_of(bug: Instance, pocket: Snapshot, tmp_path: Path) -> None:
    write_instances(tmp_path / "instances.parquet", [bug])
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / "pocket").symlink_to(pocket.root)
    assert export_bugs([tmp_path / "instances.parquet"] * 2, tmp_path / "snapshots", tmp_path / "out") == 1
    rows = [json.loads(line) for line in (tmp_path / "out" / "dataset.jsonl").read_text().splitlines()]
    assert rows == pq.read_table(tmp_path / "out" / "dataset.parquet").to_pylist() and rows[0]["licence"] == "MIT"
    card = (tmp_path / "out" / "README.md").read_text()
    for part in ("# 1 bugs", "| pocket | MIT | 1 |", "| pocket | removal | 1 | 1 |", pocket.head):
        assert part in card
    recipe = tmp_path / "out" / "recipes" / "pocket"
    assert {path.name for path in recipe.iterdir()} == {"manifest.json", "environment.txt"}
    write_instances(tmp_path / "none.parquet", [])
    with pytest.raises(EvaluationError, match="hold no bug"):
        export_bugs([tmp_path / "none.parquet"], tmp_path / "snapshots", tmp_path / "out")


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    try:
        daemon = Daemon(None)
        with daemon.errors("no Docker tests"):
            daemon.api.inspect_image(SandboxConfig().image)
    except SandboxError as error:
        pytest.skip(f"{error} (envs/docker-engine, envs/docker-image)")
    with Docker(SandboxConfig(backend="docker")) as backend:
        yield backend


@pytest.mark.slow
@pytest.mark.docker
def test_both_ways_agree_instance_by_instance(
    verified: list[Instance], bug: Instance, pocket: Snapshot, backend: SandboxBackend, docker: Docker, tmp_path: Path
) -> None:
    tasks = [*verified, bug]
    rows = [bug_row(task, "MIT") for task in tasks]
    names = [task.instance_id for task in tasks]
    (tmp_path / "dataset.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert make_images(tasks, {"pocket": pocket}, docker) == [row["image"] for row in rows]
    elsewhere = "--- a/pocket/nowhere.py\n+++ b/pocket/nowhere.py\n@@ -1,1 +1,1 @@\n-a\n+b\n"
    chosen = dict(zip(names, (verified[0].patch, NOTES, elsewhere, NOTES), strict=True))
    entries = [{"instance_id": n, "model_name_or_path": "mixed", "model_patch": p} for n, p in chosen.items()]
    (tmp_path / "mixed.json").write_text(json.dumps(entries))
    host = docker.daemon.host

    gold = run_harness(tmp_path / "dataset.jsonl", None, tmp_path, "gold", workers=2, timeout_s=120, host=host)
    assert gold["resolved_ids"] == sorted(names)
    ours = {task.instance_id: graded(task, task.patch, pocket, backend) for task in tasks}
    assert disagreements(ours, gold, names) == []

    mixed = run_harness(tmp_path / "dataset.jsonl", tmp_path / "mixed.json", tmp_path, "mixed", workers=2, host=host)
    assert mixed["resolved_ids"] == names[:1] and mixed["error_ids"] == names[2:3]
    ours = {task.instance_id: graded(task, chosen[task.instance_id], pocket, backend) for task in tasks}
    assert disagreements(ours, mixed, names) == []

    again = regrade(tmp_path, {str(row["instance_id"]): row for row in rows})
    assert len(again) == 7 and all(entry["before"] == entry["now"] for entry in again)
