"""A copy of the graph alone, and a stand-in for `ssr` that leaves each stage's files without doing its work."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
STAND_IN = """#!/bin/bash
# Files of every stage, none of the work; each call is noted when it ends.
command="$*"; stage=$1; [[ $1 == evaluate || $1 == basemodel ]] && stage="$1 $2"; name=$2
while [[ $# -gt 0 ]]; do case $1 in --out) out=$2;; --metrics) metrics=$2;; esac; shift; done
sleep "${STAND_IN_SECONDS:-0}"
in_folder() { mkdir -p "$out"; for file in "$@"; do echo "$command" > "$out/$file"; done; }
case $stage in
  snapshot) in_folder manifest.json;;
  "basemodel install") in_folder sha256;;
  inject) in_folder episodes.parquet artifacts.parquet;;
  validate-shard) in_folder checks.parquet instances.parquet;;
  solve) in_folder episodes.parquet instances.parquet;;
  train) in_folder sha256; echo "$command" > "$metrics";;
  "evaluate run") in_folder episodes.parquet;;
  "evaluate merge") in_folder report.json preds.json episodes.parquet;;
  summary) in_folder scale.json outcomes.parquet episodes.parquet artifacts.parquet training.parquet;;
  report) in_folder index.html;;
  figure) in_folder "$name.pdf" "$name.svg" "$name.png";;
  table) in_folder "$name.md" "$name.csv";;
  *) mkdir -p "$(dirname "$out")"; echo "$command" > "$out";;
esac
echo "$command" >> calls
"""


@dataclass(frozen=True)
class Project:
    """The rules and scales in a folder of their own."""

    root: Path
    venv: str = ".venv"
    """Name of the environment that envs/shell says it works in."""

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", *arguments]

    def environment(self, seconds: float = 0) -> dict[str, str]:
        path = f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}"
        own = {"PYTHONPATH": str(self.root / "src")} if (self.root / "src").exists() else {}
        own |= {"VIRTUAL_ENV": str(self.root / self.venv)}
        return os.environ | own | {"PATH": path, "STAND_IN_SECONDS": str(seconds)}

    def fails(self, *arguments: str) -> str:
        done = subprocess.run(
            self.command(*arguments), cwd=self.root, env=self.environment(), capture_output=True, text=True
        )
        assert done.returncode != 0
        return done.stdout + done.stderr

    def snakemake(self, *arguments: str) -> str:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    def rewrite(self, scale: str, **changes: Any) -> str:  # noqa: ANN401
        """Change keys of a scale's file, sections merged; returns its path."""
        path = self.root / "workflow" / "config" / f"{scale}.yaml"
        values = yaml.safe_load(path.read_text())
        for section, keys in changes.items():
            merged = isinstance(keys, dict) and section != "runs"
            values[section] = {**values.get(section, {}), **keys} if merged else keys
        path.write_text(yaml.safe_dump(values, sort_keys=False))
        return str(path.relative_to(self.root))

    @property
    def calls(self) -> list[str]:
        """Commands that the stand-in was given and ended, in order."""
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []


def copy_graph(folder: Path) -> Project:
    """A copy of the graph alone."""
    for name in ("rules", "workflow", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copyfile(ROOT / "Snakefile", folder / "Snakefile")
    for name in ("paper", "envs"):
        (folder / name).mkdir()
    for lock in (ROOT / "envs").glob("*.lock"):
        shutil.copyfile(lock, folder / "envs" / lock.name)
    (folder / "paper" / "reported.csv").touch()
    stand_in = folder / "bin" / "ssr"
    stand_in.parent.mkdir()
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    return Project(folder)
