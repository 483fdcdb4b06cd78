"""A scale played in a folder of its own, with what is killed on the way and what must be there afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
Changes = dict[str, Any]
SMOKE = ROOT / "workflow" / "config" / "smoke.yaml"
LINKED = ("src", "rules", "profiles", "envs", "paper", "Snakefile", "results/released", "results/snapshots")
KINDS = ("snakemake", "rollout", "training", "sandbox")
"""What can be killed. A run goes on by itself after the last of them."""
COMMANDS = {
    "rollout": (" inject --", " solve --", " evaluate run --"),
    "training": (" -m ssr.training ",),
    "sandbox": ("bwrap ",),
}
"""What the command lines of each kind hold."""


@dataclass
class Workplace:
    """The project's files linked into a folder, and one scale there, played by snakemake."""

    folder: Path
    changes: Sequence[Changes] = ()
    """Keys of `smoke`, sections merged."""
    target: str = "all"
    finished: dict[Path, int] = field(default_factory=dict)
    """Episodes that were finished when something was killed."""
    trained: dict[Path, int] = field(default_factory=dict)
    """Optimizer steps that were saved then."""

    def __post_init__(self) -> None:
        for name in LINKED:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).symlink_to(ROOT / name)
        copytree(ROOT / "workflow", self.folder / "workflow", ignore=ignore_patterns("__pycache__"))
        values = yaml.safe_load(SMOKE.read_text())
        for section, keys in (item for change in self.changes for item in change.items()):
            merged = isinstance(keys, dict) and section != "runs"
            values[section] = {**values[section], **keys} if merged else keys
        self.scale.write_text(yaml.safe_dump(values, sort_keys=False))

    @property
    def scale(self) -> Path:
        return self.folder / "workflow" / "config" / "smoke.yaml"

    @property
    def results(self) -> Path:
        return self.folder / "results" / "smoke"

    def start(self, cores: int) -> "subprocess.Popen[bytes]":
        """Snakemake in the background; what it says is appended to `said`."""
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), self.target]
        with (self.folder / "said").open("ab") as said:
            return subprocess.Popen(
                [*command, "--configfile", "workflow/config/smoke.yaml"], cwd=self.folder, stdout=said, stderr=said
            )

    def finish(self, running: "subprocess.Popen[bytes]") -> None:
        """Wait for the end of a run that must succeed."""
        assert running.wait() == 0, (self.folder / "said").read_text(errors="replace")[-4000:]

    def manifest(self) -> Path:
        """Digests of all results."""
        return manifest(self.scale, self.results, self.folder / "manifest.json", self.folder)

    def kept(self) -> dict[Path, int]:
        """Every finished episode of both roles and of evaluation, with the moment at which it was written down."""
        files = [*self.results.glob("journals/*/*/*/*.json"), *self.results.glob("logs/evaluate/**/episode.json")]
        return {path: path.stat().st_mtime_ns for path in files}

    def saved_steps(self) -> dict[Path, int]:
        """Optimizer steps that an unfinished generation of training has saved, by the log of its job."""
        steps = {}
        for folder in self.results.glob("checkpoints/*/*/.*.unfinished"):
            state = json.loads((folder / "trainer.json").read_text())
            place = folder.relative_to(self.results / "checkpoints").parent / folder.name.split(".")[1]
            steps[self.results / "logs" / "train" / place.with_suffix(".log")] = int(state["step"])
        return steps


def manifest(scale: Path, results: Path, out: Path, project: Path) -> Path:
    """`ssr manifest write`; returns its file."""
    words = ["manifest", "write", "--scale", scale, "--results", results.resolve(), "--out", out]
    subprocess.run([sys.executable, "-m", "ssr", *words], cwd=project, check=True, stdout=subprocess.DEVNULL)
    return out


def victims(ancestor: int) -> dict[str, list[int]]:
    """Processes of each kind that run under snakemake, which is one itself."""
    found: dict[str, list[int]] = {kind: [] for kind in KINDS}
    found["snakemake"].append(ancestor)
    for process in descendants(ancestor):
        line = command_line(process)
        for kind, words in COMMANDS.items():
            if any(word in line for word in words):
                found[kind].append(process)
                break
    return {kind: processes for kind, processes in found.items() if processes}


def descendants(ancestor: int) -> Iterator[int]:
    """All processes below one, whatever ends meanwhile."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            children.setdefault(int(path.read_text().rpartition(")")[2].split()[1]), []).append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    waiting = list(children.get(ancestor, []))
    while waiting:
        process = waiting.pop()
        yield process
        waiting += children.get(process, [])


def command_line(process: int) -> str:
    """A process's words; empty when it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def kill(process: int) -> bool:
    """kill -9; whether there was something to kill."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def wait_for_end(processes: list[int], seconds: float = 60) -> None:
    """Wait until processes that end by themselves have ended."""
    deadline = time.monotonic() + seconds
    while any(command_line(process) for process in processes):
        assert time.monotonic() < deadline, f"still there: {[command_line(process) for process in processes]}"
        time.sleep(0.05)
