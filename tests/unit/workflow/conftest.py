"""A copy of the graph alone."""

import shutil
from pathlib import Path

import pytest
from graph_project import ROOT, STAND_IN, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name in ("rules", "workflow", "profiles"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copyfile(ROOT / "Snakefile", tmp_path / "Snakefile")
    for name in ("paper", "envs"):
        (tmp_path / name).mkdir()
    shutil.copyfile(ROOT / "envs" / "cpu.lock", tmp_path / "envs" / "cpu.lock")
    (tmp_path / "paper" / "reported.csv").touch()
    stand_in = tmp_path / "bin" / "ssr"
    stand_in.parent.mkdir()
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    return Project(tmp_path)
