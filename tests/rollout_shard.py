"""The command of one shard of either role, on injection tasks in `pocket` and on two bugs of it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pocket_project import BUG, WEAKENING
from ssr.basemodel.actions import TEST_PARSER, TEST_SCRIPT
from ssr.contracts import Strategy
from ssr.repository.snapshot import Snapshot
from ssr.selfplay import stages
from ssr.selfplay.artifacts import ARTIFACTS
from ssr.selfplay.files import read_rows, write_rows
from ssr.selfplay.tasks import InjectionTask, Place, write_tasks

ROOT = Path(__file__).parents[1]
SMOKE = ROOT / "workflow" / "config" / "smoke.yaml"
BASE = ROOT / "results" / "released" / "basemodel"
PLACE = Place("ssr", 0, 1)
EPISODES = 6
CHANGES: dict[str, dict[str, Any]] = {
    "engine": {"in_flight": 2},
    "agent": {"max_turns": 4},
    "game": {"attempts": EPISODES // 2},
    "selfplay": {"shards": 1},
}


@dataclass(frozen=True)
class Bench:
    """A scale's file, what its generation plays, and where."""

    folder: Path
    scale: Path
    snapshots: Path

    def words(self, stage: str, name: str) -> list[str]:
        """The command of a shard, whose results are `name`."""
        given = {"inject": ("--tasks", "tasks.parquet"), "solve": ("--instances", "bugs/instances.parquet")}[stage]
        more = ["--runs", str(self.folder / "runs")] if stage == "solve" else []
        place = ["--run", "ssr", "--seed", "0", "--generation", "1", "--shard", "0"]
        files = {
            "--scale": self.scale, given[0]: self.folder / given[1], "--checkpoint": BASE,
            "--snapshots": self.snapshots, "--journals": self.folder / f"{name}-journals", "--out": self.folder / name,
        }  # fmt: skip
        return [stage, *place, *(str(word) for pair in files.items() for word in pair), *more]

    def start(self, stage: str, name: str, environment: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """The command in the background, with more variables around it."""
        command = [sys.executable, "-m", "ssr", *self.words(stage, name)]
        return subprocess.Popen(command, cwd=ROOT, env=os.environ | (environment or {}))

    def kept(self, name: str) -> dict[Path, int]:
        """Finished episodes and when each was written down."""
        return {path: path.stat().st_mtime_ns for path in (self.folder / f"{name}-journals").glob("001/*.json")}

    def tables(self, name: str) -> dict[str, bytes]:
        """The shard's results, times apart."""
        files = sorted((self.folder / name).glob("*.parquet"))
        return {path.name: path.read_bytes() for path in files if path.name != "timings.parquet"}


def make_bench(snapshot: Snapshot, folder: Path) -> Bench:
    """Injection tasks in `pocket`, and two bugs for the solver."""
    values = yaml.safe_load(SMOKE.read_text())
    for section, keys in CHANGES.items():
        values[section] |= keys
    scale = folder / "scale.yaml"
    scale.write_text(yaml.safe_dump(values))
    (folder / "snapshots").mkdir()
    (folder / "snapshots" / "pocket").symlink_to(snapshot.root)
    strategies: tuple[Strategy, ...] = ("direct", "removal")
    tasks = [
        InjectionTask(f"{PLACE}-i{n:03d}", "ssr", 0, 1, "pocket", strategies[n % 2], n // 2, PLACE.seed_of("i", n))
        for n in range(EPISODES)
    ]
    write_tasks(folder / "tasks.parquet", tasks)
    text = {"test_script.sh": f"{TEST_SCRIPT} tests/test_numbers.py\n", "test_files.txt": "tests/test_numbers.py\n"}
    text |= {"test_parser.py": TEST_PARSER, "bug_inject.diff": BUG, "test_weaken.diff": WEAKENING, "problem": ""}
    place = {"run": "ssr", "seed": 0, "generation": 1, "repo": "pocket", "strategy": "direct"}
    rows = [{**place, **text, "episode_id": f"{PLACE}-i{number:03d}"} for number in range(2)]
    write_rows(folder / "artifacts.parquet", rows, ARTIFACTS)
    made = Bench(folder, scale, folder / "snapshots")
    run = stages.load(scale, "ssr")
    stages.validate_shard(run, folder / "artifacts.parquet", [], made.snapshots, folder / "runs", folder / "bugs")
    assert len(read_rows([folder / "bugs" / "instances.parquet"])) == 2
    return made
