"""Runs are added to the released results one by one, each with what made it."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from ssr.cli import app
from ssr.config import Scale
from ssr.paper.data import gather
from ssr.paper.release import parts_of
from ssr.paper.summary import Summary, read_summaries


@pytest.fixture
def project(tmp_path: Path, scale: Scale, results: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the scale's file, its results, and one repository's snapshot."""
    made = results.rename(tmp_path / "made")
    (tmp_path / "results" / "snapshots" / "pocket").mkdir(parents=True)
    made.rename(tmp_path / "results" / scale.name)
    (tmp_path / "results" / "snapshots" / "pocket" / "manifest.json").write_text("{}")
    entry = {"kind": "git", "licence": "MIT", "environment": "x.txt", "source": "x", "commit": "0" * 40}
    (tmp_path / "repositories.yaml").write_text(yaml.safe_dump({"pocket": entry}))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def release(*runs: str) -> tuple[int, list[str]]:
    options = [word for run in runs for word in ("--run", run)]
    done = CliRunner().invoke(app, ["release", "--scale", "tiny.yaml", "--out", "released", *options])
    return done.exit_code, done.output.split()


def test_runs_are_added_one_by_one(project: Path, summaries: list[Summary]) -> None:
    assert release("ssr") == (0, ["summary/base/s0", "summary/base/s1", "summary/ssr/s0", "summary/ssr/s1"])
    assert release("baseline")[0] == 0
    released = read_summaries((project / "released" / "summary").glob("*/s*"))
    assert gather(released) == gather(summaries)


def test_a_manifest_names_what_made_the_run_and_nothing_of_others(project: Path) -> None:
    release("ssr")
    manifest = json.loads((project / "released/summary/ssr/s0/manifest.json").read_text())
    runs = {"/".join(name.split("/")[1:3]) for name in manifest["files"]}
    assert runs == {"ssr/s0"}
    assert manifest["scale"]["name"] == "tiny"
    assert set(manifest["snapshots"]) == {"pocket"}


def test_the_manifest_of_a_run_on_bugs_of_another_names_them(scale: Scale) -> None:
    """The bugs are what it was trained on, and come from elsewhere; what others make from a run's own is not its."""
    keys = scale.model_dump(mode="json") | {
        "runs": {"ssr": {}, "repair": {"selfplay": {"data": "bugs", "bugs_of": "ssr"}}}
    }
    both = Scale.model_validate(keys)
    assert "bugs/ssr/s1.parquet" in parts_of(both, "repair", 1)
    assert not [part for run in ("ssr", "base") for part in parts_of(both, run, 1) if part.startswith("bugs/")]


def test_without_names_what_is_not_finished_is_left_out(project: Path) -> None:
    (project / "results/tiny/batch/baseline/s1/003.parquet").unlink()
    done = ["base/s0", "base/s1", "baseline/s0", "ssr/s0", "ssr/s1"]
    assert release() == (0, [f"summary/{name}" for name in done])
    done = CliRunner().invoke(app, ["release", "--scale", "tiny.yaml", "--out", "released", "--run", "baseline"])
    assert "s1/003.parquet is missing" in str(done.exception)
