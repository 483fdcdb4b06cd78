"""`ssr bench consistency`: both ways do the same work on real artifacts, and its figures have stable names."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ssr.bench.cli import app
from ssr.repository.snapshot import Snapshot

SCALE = """
name: bench-test
repositories: {repositories}
model: {{base: none}}
agent: {{prompts: brief, context_tokens: 2048, max_turns: 10, resubmission: false, edit_context_lines: 0}}
game: {{min_passing_tests: 1, attempts: 3, test_timeout_s: 60}}
runs: {{ssr: {{}}}}
"""
REPOSITORIES = """
pocket: {{kind: git, licence: MIT, environment: pytest.txt, source: pocket.git, commit: {commit}, version: '3'}}
"""
COSTS = {"wall_s", "cpu_s", "others_cpu_s", "test_cpu_s", "runs", "saved_runs", "saved_cpu_s", "artifacts_per_minute"}
RATIOS = {"wall_cores_over_test_cpu", "free_cores_over_test_cpu", "cpu_over_test_cpu"}


@pytest.mark.slow
def test_figures_of_both_ways(snapshot: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text(REPOSITORIES.format(commit=snapshot.head))
    (tmp_path / "scale.yaml").write_text(SCALE.format(repositories=tmp_path / "list.yaml"))
    arguments = ["consistency", "--scale", tmp_path / "scale.yaml", "--snapshots", snapshot.root.parent]
    arguments += ["--artifacts", "1", "--cache", tmp_path / "cache", "--json", tmp_path / "out" / "bench.json"]
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert found["artifacts"] == {"pocket": 1}
    assert (found["valid"], found["failed"], found["verdicts"]) == (1, {}, 3)
    assert (found["same_reports"], found["same_verdicts"]) == (1, 3)
    assert "the same both ways: 1 reports, 3 verdicts" in done.output
    for part in ("checks", "judging", "both"):
        assert set(found[part]) == {"own", "naive", "speedup"}
        assert all(set(found[part][way]) == COSTS | RATIOS for way in ("own", "naive"))
    own, naive = found["both"]["own"], found["both"]["naive"]
    assert own["runs"] + own["saved_runs"] <= naive["runs"]
    assert own["saved_runs"] > 0 == naive["saved_runs"]
    assert 0 < own["test_cpu_s"] < own["cpu_s"]
    assert len(list((tmp_path / "cache").glob("*.parquet"))) == 1
