"""How far a scale is: what the graph still plans, what is running, and how long what is left may take."""

import base64
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from ssr.config import load_scale
from ssr.errors import ConfigError
from ssr.paper.times import job_seconds

_NOT_SAID = re.compile(r"Using|Assuming|  File ")
_BLOCK = re.compile(r"^(?:local)?rule (\w+):$\n((?:    .*\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """A job that the graph still plans."""

    benchmark: str
    outputs: tuple[str, ...]
    log: str

    @property
    def stage(self) -> str:
        """`snapshots`, or the first part of its benchmark file's path below `timings`, as `ssr times` groups them."""
        _, scale, _, *rest = Path(self.benchmark).with_suffix("").parts
        return scale if scale == "snapshots" else rest[0]


@dataclass(frozen=True)
class Stage:
    """One stage of a scale. `seconds` is the mean of its finished jobs; None where none was timed."""

    name: str
    done: int
    running: int
    left: int
    seconds: float | None


@dataclass(frozen=True)
class Running:
    """A job that was started and has not ended, with the last line of its log."""

    stage: str
    log: str
    says: str


@dataclass(frozen=True)
class Status:
    """Where a scale stands."""

    scale: str
    stages: tuple[Stage, ...]
    running: tuple[Running, ...]
    interrupted: tuple[Running, ...]
    """Started by a `snakemake` that is not there any more; the next one goes on with them."""
    seconds_left: float
    """Of work, one job after another, for the stages that were timed."""
    untimed: int
    """Jobs left of stages of which none has ended yet."""

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def status_of(scale_file: Path, target: str, project: Path) -> Status:
    """Ask the graph in the folder `project`. Raises ConfigError where there is none, or it cannot be read."""
    scale = load_scale(scale_file)
    left = planned(scale_file, target, project)
    results = project / "results" / scale.name
    planned_again = {job.benchmark for job in left}
    timed = job_seconds(results / "timings", without=[project / path for path in planned_again])
    frozen = job_seconds(project / "results" / "snapshots" / "timings")
    timed |= {"snapshots": [each for seconds in frozen.values() for each in seconds]} if frozen else {}
    started = _started(project)
    mine = [job for job in left if set(job.outputs) & started]
    alive = _is_played(project)
    told = tuple(Running(job.stage, job.log, _last_line(project / job.log)) for job in mine)
    stages = _stages(left, mine if alive else [], timed)
    return Status(
        scale=scale.name,
        stages=stages,
        running=told if alive else (),
        interrupted=() if alive else told,
        seconds_left=sum(stage.seconds * stage.left for stage in stages if stage.seconds is not None),
        untimed=sum(stage.left for stage in stages if stage.seconds is None),
    )


def planned(scale_file: Path, target: str, project: Path) -> list[Job]:
    """The jobs that `snakemake -n` plans; jobs without a log make no file. Raises ConfigError with its words."""
    if not (project / "Snakefile").is_file():
        raise ConfigError(f"{project.resolve()} has no Snakefile: change into the folder of the project")
    command = [sys.executable, "-m", "snakemake", "-n", "--nolock", "--nocolor", "--configfile", str(scale_file)]
    done = subprocess.run([*command, "--", target], cwd=project, capture_output=True, text=True)
    if done.returncode != 0:
        words = [
            line for line in (done.stdout + done.stderr).splitlines() if line.strip() and not _NOT_SAID.match(line)
        ]
        raise ConfigError("the graph cannot be planned: " + "\n".join(words[-4:]))
    jobs = []
    for _, block in _BLOCK.findall(done.stdout + done.stderr):
        fields = dict(re.findall(r"^    (output|log|benchmark): (.*)$", block, re.MULTILINE))
        if "benchmark" in fields:
            outputs = tuple(fields["output"].split(", "))
            jobs.append(Job(fields["benchmark"], outputs, fields["log"].split(", ")[0]))
    return jobs


def _stages(left: Sequence[Job], running: Sequence[Job], timed: Mapping[str, Sequence[float]]) -> tuple[Stage, ...]:
    waiting, busy = Counter(job.stage for job in left), Counter(job.stage for job in running)
    stages = []
    for name in dict.fromkeys([*timed, *(job.stage for job in left)]):
        times = timed.get(name, ())
        mean = sum(times) / len(times) if times else None
        stages.append(Stage(name, len(times), busy[name], waiting[name], mean))
    return tuple(stages)


def _is_played(project: Path) -> bool:
    """Whether a `snakemake` of this machine works in the folder."""
    here = str(project.resolve())
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        if process.info["cwd"] == here and any(Path(word).name == "snakemake" for word in words):
            return True
    return False


def _started(project: Path) -> set[str]:
    """Outputs that snakemake marks as begun and not ended; it names a marker by the output, in base64."""
    folder = project / ".snakemake" / "incomplete"
    markers = (path.relative_to(folder).parts for path in folder.rglob("*") if path.is_file())
    return {name for parts in markers if (name := _decoded("".join(part.lstrip("@") for part in parts)))}


def _decoded(name: str) -> str:
    try:
        return base64.urlsafe_b64decode(name).decode()
    except ValueError:
        return ""


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.is_file() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def show_status(status: Status, console: Console) -> None:
    """The stages as a table, what is running, and the estimate."""
    table = Table("stage", title=status.scale)
    for heading in ("done", "running", "left", "s a job"):
        table.add_column(heading, justify="right")
    for stage in status.stages:
        seconds = "" if stage.seconds is None else f"{stage.seconds:.1f}"
        table.add_row(stage.name, str(stage.done), str(stage.running), str(stage.left), seconds)
    console.print(table)
    for word, jobs in (("running", status.running), ("interrupted", status.interrupted)):
        for job in jobs:
            console.print(f"{word}: {job.log}: {job.says}", markup=False, soft_wrap=True)
    console.print(estimate(status), markup=False, soft_wrap=True)


def estimate(status: Status) -> str:
    """What is left, in a sentence."""
    left = sum(stage.left for stage in status.stages)
    if not left:
        return "everything is done"
    hours, minutes = divmod(round(status.seconds_left / 60), 60)
    sentence = f"{left} jobs left, about {hours} h {minutes:02d} min of work one after another"
    return f"{sentence}; {status.untimed} of them are of stages that were not timed yet" if status.untimed else sentence
