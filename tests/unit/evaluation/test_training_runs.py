"""A run on a training set, from the set's file to graded attempts, with a policy that knows the fix."""

import json
from pathlib import Path
from typing import Any, Protocol

import pyarrow.parquet as pq
import pytest
import yaml
from official_examples import history, swebench_problem
from scripted_policy import Scripted

from pocket_project import write_repository
from ssr.config import load_scale
from ssr.errors import ConfigError
from ssr.evaluation.by_hand import take_in_human_data
from ssr.evaluation.problem import load_problems
from ssr.evaluation.training_runs import attempt_shard, draw_problems
from ssr.repository.snapshot import Snapshot
from ssr.selfplay.collect import SOLVED
from ssr.selfplay.tasks import Place
from wheelhouse import no_index


class Wheelhouse(Protocol):
    """What the fixture of this name gives."""

    folder: Path
    requirements: str


@pytest.fixture
def project(snapshot: Snapshot, wheelhouse: Wheelhouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scale whose baseline trains on a file in SWE-rebench's fields: a good row, and one without an image."""
    no_index(monkeypatch, wheelhouse.folder)
    write_repository(tmp_path)
    (tmp_path / "pytest.txt").write_text(wheelhouse.requirements)
    row: dict[str, Any] = dict(swebench_problem(snapshot).row)
    command = {"test_cmd": "python -m pytest -rA --tb=no -p no:cacheprovider", "log_parser": "parse_log_pytest"}
    good = row | {"docker_image": "rebench/pocket", "install_config": command}
    bad = good | {"instance_id": "pocket__pocket-4", "docker_image": None}
    (tmp_path / "set.jsonl").write_text("".join(json.dumps(one) + "\n" for one in (good, bad)))
    entry = {"kind": "git", "licence": "MIT", "source": "pocket.git", "environment": "pytest.txt"}
    (tmp_path / "list.yaml").write_text(yaml.safe_dump({"pocket-pocket": entry | {"commit": history(snapshot)[-1]}}))
    source = {"format": "swe-rebench", "file": str(tmp_path / "set.jsonl"), "repositories": str(tmp_path / "list.yaml")}
    scale = {
        "name": "gym",
        "repositories": "none.yaml",
        "model": {"base": "none"},
        "agent": {"resubmission": False},
        "game": {"attempts": 2},
        "evaluation": {"benchmarks": ["builtin-verified"], "sources": {"my-gym": source}, "test_timeout_s": 120},
        "runs": {"baseline": {"selfplay": {"data": "issues", "issues_of": "my-gym", "issues": 8}}},
    }
    (tmp_path / "scale.yaml").write_text(yaml.safe_dump(scale))
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "sha256").write_text("none\n")
    return tmp_path


@pytest.mark.slow
def test_the_baseline_trains_on_a_training_set(project: Path, snapshot: Snapshot) -> None:
    folder, out = project / "set", project / "solve"
    report = take_in_human_data(project / "scale.yaml", "my-gym", project / "snapshots", folder, None, None, True)
    assert (report["admitted"], report["reasons"]) == (1, {"no image": 1})
    scale, place = load_scale(project / "scale.yaml").for_run("baseline"), Place("baseline", 0, 1)
    draw_problems(scale, place, folder / "problems.parquet", project / "tasks.parquet")
    (problem,) = load_problems(project / "tasks.parquet")
    policy = Scripted({problem.problem_statement: problem.patch})
    attempt_shard(
        scale,
        place,
        0,
        project / "tasks.parquet",
        project / "checkpoint",
        project / "snapshots",
        project / "journals",
        out,
        lambda *_: policy,
    )
    rows = pq.read_table(out / "episodes.parquet").to_pylist()
    assert [(row["attempt"], row["verdict"], row["reward"]) for row in rows] == [(n, "resolved", 1.0) for n in range(2)]
    assert {(row["strategy"], row["order"], row["role"]) for row in rows} == {("issue", 1, "solver")}
    assert set(SOLVED) <= set(rows[0]), "a batch reads these columns"


def test_a_run_that_names_a_set_the_scale_has_not_is_refused(project: Path) -> None:
    scale = yaml.safe_load((project / "scale.yaml").read_text())
    scale["runs"]["baseline"]["selfplay"]["issues_of"] = "your-gym"
    (project / "scale.yaml").write_text(yaml.safe_dump(scale))
    with pytest.raises(ConfigError, match=r"issues_of names 'your-gym'; evaluation\.sources has no such"):
        load_scale(project / "scale.yaml")
