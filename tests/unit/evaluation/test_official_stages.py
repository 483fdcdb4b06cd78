"""Official benchmarks from a scale's file to the reports that the benchmarks' own tools read, by the stages alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml
from official_examples import history, pro_problem, swebench_problem, write_scripts
from scripted_policy import Scripted

from pocket_project import write_repository
from ssr.errors import EvaluationError
from ssr.evaluation import stages
from ssr.evaluation.by_hand import evaluate_by_hand, regrade_logs
from ssr.repository.git import commit_folder, init
from ssr.repository.snapshot import Snapshot
from wheelhouse import no_index


class Wheelhouse(Protocol):
    """What the fixture of this name gives."""

    folder: Path
    requirements: str


@pytest.fixture(scope="module")
def project(snapshot: Snapshot, wheelhouse: Wheelhouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scale with a local Verified and a local Pro of one problem each, and lists of their repositories."""
    folder = tmp_path_factory.mktemp("official")
    write_repository(folder)
    (folder / "pytest.txt").write_text(wheelhouse.requirements)
    verified, pro = swebench_problem(snapshot), pro_problem(snapshot)
    (folder / "verified.jsonl").write_text(json.dumps(verified.row) + "\n")
    row: dict[str, Any] = pro.model_dump(mode="json", exclude={"format", "FAIL_TO_PASS", "PASS_TO_PASS"})
    row |= {"fail_to_pass": repr(list(pro.FAIL_TO_PASS)), "pass_to_pass": "[]"}
    row["selected_test_files_to_run"] = repr(row.pop("selected_test_files"))
    (folder / "pro.jsonl").write_text(json.dumps(row) + "\n")
    write_scripts(folder / "content", pro)
    init(folder / "scripts", bare=True)
    commit = commit_folder(folder / "scripts", folder / "content", "scripts", 1)
    entry = {"kind": "git", "licence": "MIT", "source": "pocket.git", "environment": "pytest.txt"}
    listed = {"pocket-pocket": entry | {"commit": history(snapshot)[-1]}}
    (folder / "list.yaml").write_text(yaml.safe_dump(listed))
    same = {"repositories": str(folder / "list.yaml")}
    scripts = {"scripts": str(folder / "scripts"), "scripts_commit": commit, "format": "swebench-pro"}
    sources = {
        "local-verified": {"file": str(folder / "verified.jsonl")} | same,
        "local-pro": {"file": str(folder / "pro.jsonl")} | same | scripts,
    }
    scale = {
        "name": "official",
        "repositories": "none.yaml",
        "model": {"base": "none"},
        "agent": {"resubmission": False},
        "evaluation": {"benchmarks": list(sources), "sources": sources, "test_timeout_s": 120},
        "runs": {"ssr": {}},
    }
    (folder / "scale.yaml").write_text(yaml.safe_dump(scale))
    return folder


@pytest.fixture
def policy(snapshot: Snapshot, wheelhouse: Wheelhouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """Hands in the gold patch of both problems, which have the same statement."""
    no_index(monkeypatch, wheelhouse.folder)
    problem = swebench_problem(snapshot)
    policy = Scripted({problem.problem_statement: problem.patch})
    monkeypatch.setattr(stages, "open_engine", lambda *_: policy)
    yield policy


def score(project: Path, benchmark: str, out: Path, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    chosen = {"part": None, "pattern": None, "redo": False} | options
    scale, snapshots = project / "scale.yaml", project / "snapshots"
    return evaluate_by_hand(scale, benchmark, project / "none", snapshots, out, **chosen)


@pytest.mark.slow
def test_verified_by_one_command(project: Path, policy: Scripted, tmp_path: Path) -> None:
    out, name = tmp_path / "out", "pocket__pocket-3"
    assert score(project, "local-verified", out)["resolved"] == {name: True}
    turns = len(policy.asked)
    assert score(project, "local-verified", out)["resolved"] == {name: True}
    assert len(policy.asked) == turns, "a finished batch is not played again"
    official = out / "official"
    logs = official / "logs" / "run_evaluation" / "base-s0-g000" / "base-s0-g000" / name
    files = {"patch.diff", "eval.sh", "test_output.txt", "report.json", "run_instance.log"}
    assert {path.name for path in logs.iterdir()} == files
    report = json.loads((official / "base-s0-g000.base-s0-g000.json").read_text())
    assert report["resolved_ids"] == [name] and report["error_ids"] == []
    assert (out / "attempts" / name / f"{name}.traj.json").exists()
    assert regrade_logs(official, out / "tasks.parquet") == [
        {"instance_id": name, "model": "base-s0-g000", "before": True, "now": True}
    ]
    score(project, "local-verified", out, redo=True)
    assert len(policy.asked) == 2 * turns


def test_pro_by_one_command(project: Path, policy: Scripted, tmp_path: Path, snapshot: Snapshot) -> None:
    out, name = tmp_path / "out", pro_problem(snapshot).instance_id
    assert score(project, "local-pro", out)["resolved"] == {name: True}
    official = out / "official"
    assert json.loads((official / "eval_results.json").read_text()) == {name: True}
    (entry,) = json.loads((official / "patches.json").read_text())
    assert set(entry) == {"instance_id", "patch", "prefix"} and entry["patch"].startswith("diff --git")
    assert json.loads((official / "pro" / name / "ssr_output.json").read_text())["tests"]


def test_images_without_docker_are_refused_in_words(project: Path, tmp_path: Path, policy: Scripted) -> None:
    scale = yaml.safe_load((project / "scale.yaml").read_text())
    del scale["evaluation"]["sources"]["local-verified"]["repositories"]
    (tmp_path / "scale.yaml").write_text(yaml.safe_dump(scale))
    with pytest.raises(EvaluationError, match=r"need `sandbox\.backend: docker`"):
        evaluate_by_hand(
            tmp_path / "scale.yaml", "local-verified", tmp_path, tmp_path, tmp_path / "out", None, None, False
        )
