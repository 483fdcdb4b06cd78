"""The figures that the repository carries are drawn again from the results that it carries, to the byte."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "results" / "released"
SCALES = sorted({path.parents[3].name for path in RELEASED.glob("*/summary/base/s*/scale.json")})
PARTS = ("Snakefile", "rules", "workflow", "paper", "envs")
DRAWN = ("figures", "tables", "metrics.parquet")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The rules and the released summaries without what is drawn from them; `torch` cannot be imported."""
    for name in PARTS:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, tmp_path / name)
    for scale in SCALES:
        shutil.copytree(RELEASED / scale / "summary", tmp_path / "results" / "released" / scale / "summary")
    blocked = tmp_path / "blocked" / "torch" / "__init__.py"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("raise ImportError('torch must not be imported to draw')\n")
    return tmp_path


@pytest.mark.slow
@pytest.mark.skipif(not SCALES, reason="no summaries of runs are released yet")
def test_released_figures_and_tables_are_drawn_again_to_the_byte_without_torch(project: Path) -> None:
    environment = os.environ | {"PYTHONPATH": f"{project / 'blocked'}{os.pathsep}{ROOT / 'src'}"}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "all", "--config", "results=released"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    for scale in SCALES:
        tracked = [path for name in DRAWN for path in files(RELEASED / scale / name)]
        assert tracked
        for path in tracked:
            again = project / path.relative_to(ROOT)
            assert again.read_bytes() == path.read_bytes(), path.name
    table = project / "results" / "released" / SCALES[0] / "summary" / "base" / "s0" / "outcomes.parquet"
    table.write_bytes(table.read_bytes() + b" ")
    planned = subprocess.run([*command, "-n"], cwd=project, env=environment, capture_output=True, text=True)
    assert "rule metrics" in planned.stdout, "a run that is released anew is drawn anew, though its keys are the same"


def files(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]
