"""What planning a scale costs: `snakemake -n` on its graph beside a bare Snakefile of the same shape."""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ssr.config import Scale, load_scale
from ssr.errors import ConfigError
from ssr.paper.cli import REPORTED
from ssr.paper.figures import FIGURES
from ssr.paper.tables import TABLES
from ssr.repository.listing import load_repositories

BARE = Path(__file__).with_name("bare.smk")
LINKED = ("Snakefile", "rules", "profiles", "workflow", "envs", "results/released", "data", str(REPORTED))
"""What the graph reads of the project."""
KEPT = re.compile(r"^    (log|benchmark):\n        .*\n", re.MULTILINE)
"""What each rule of the bare graph keeps beside its results."""


@dataclass(frozen=True)
class Cost:
    """One call of snakemake: jobs that it planned, wall and CPU seconds, and the most memory that it held."""

    graph: str
    call: str
    jobs: int
    wall_s: float
    cpu_s: float
    peak_mb: float


def measure(scale_file: Path, no_op: bool, out: Path | None) -> None:
    """Print a table, and write it to `out` as JSON. Raises ConfigError where a graph cannot be planned."""
    scale = load_scale(scale_file)
    with tempfile.TemporaryDirectory(prefix="ssr-graph-") as name:
        folder = Path(name)
        _link(Path.cwd(), folder)
        (folder / "shape.json").write_text(json.dumps(shape(scale)))
        (folder / "bare.smk").write_text(KEPT.sub("", BARE.read_text()))
        own = ["--configfile", "shape.json", "--workflow-profile", "none"]
        graphs = {
            "bare": ["--snakefile", "bare.smk", *own],
            "bare, with log and benchmark": ["--snakefile", str(BARE), *own],
            "ours": ["--configfile", os.path.relpath(scale_file.resolve(), folder)],
        }
        costs = [_cost(graph, "plan", words, folder) for graph, words in graphs.items()]
        if no_op:
            for words in graphs.values():
                _pretend(words, folder)
            costs += [_cost(graph, "nothing to do", words, folder) for graph, words in graphs.items()]
    Console().print(_table(costs))
    if out is not None:
        out.write_text(json.dumps([asdict(cost) for cost in costs], indent=1) + "\n")


def shape(scale: Scale) -> dict[str, object]:
    """What the bare graph needs to know of a scale: how much of everything there is."""
    runs = {name: scale.for_run(name).selfplay for name in scale.runs}
    return {
        "runs": {name: selfplay.data for name, selfplay in runs.items()},
        "bugs_of": next((selfplay.bugs_of for selfplay in runs.values() if selfplay.data == "bugs"), ""),
        "seeds": scale.seeds,
        "generations": scale.selfplay.generations,
        "shards": scale.selfplay.shards,
        "lag": scale.selfplay.lag,
        "every": scale.evaluation.every,
        "benchmarks": scale.evaluation.benchmarks,
        "scoring_shards": scale.evaluation.shards,
        "repositories": scale.include or list(load_repositories(scale.repositories)),
        "sources": list(scale.evaluation.sources),
        "held_out": [name for name in scale.evaluation.benchmarks if name.startswith("builtin-")],
        "figures": len(FIGURES),
        "tables": len(TABLES),
    }


def _link(project: Path, folder: Path) -> None:
    for name in LINKED:
        if (project / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to((project / name).resolve())


def _cost(graph: str, call: str, words: list[str], folder: Path) -> Cost:
    started = time.perf_counter()
    text, usage = _snakemake(["-n", "--quiet", "rules", *words], folder)
    wall, jobs = time.perf_counter() - started, re.search(r"^total +(\d+)$", text, re.MULTILINE)
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(graph, call, int(jobs[1]) if jobs else 0, round(wall, 1), round(cpu, 1), round(usage.ru_maxrss / 1024))


def _pretend(words: list[str], folder: Path) -> None:
    """Leave the files of every job, as if all had ended."""
    text, _ = _snakemake(["-n", *words], folder)
    for line in re.findall(r"^    output: (.*)$", text, re.MULTILINE):
        for name in line.split(", "):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
    _snakemake(["--touch", "--cores", "1", "--quiet", "all", *words], folder)


def _snakemake(words: list[str], folder: Path) -> tuple[str, resource.struct_rusage]:
    """What a call says, and what the kernel counted for it."""
    with tempfile.TemporaryFile() as said:
        command = [sys.executable, "-m", "snakemake", *words]
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode(errors="replace")
    if process.returncode:
        raise ConfigError(f"`{' '.join(command)}` failed: {text[-2000:]}")
    return text, usage


def _table(costs: list[Cost]) -> Table:
    view = Table("graph", "call", title="snakemake -n, on the scale's graph and on a bare one of its shape")
    for heading in ("jobs", "wall s", "CPU s", "CPU, times bare", "peak MB"):
        view.add_column(heading, justify="right")
    bare = {cost.call: cost for cost in costs if cost.graph == "bare"}
    for cost in costs:
        ratio = cost.cpu_s / max(bare[cost.call].cpu_s, 0.1)
        numbers = (str(cost.jobs), f"{cost.wall_s:.1f}", f"{cost.cpu_s:.1f}", f"{ratio:.2f}", f"{cost.peak_mb:.0f}")
        view.add_row(cost.graph, cost.call, *numbers)
    return view
