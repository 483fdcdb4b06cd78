"""What checks and verdicts cost beside the tests that they run: the game's own way, and one without any sharing.

Real artifacts from all repositories of a scale are checked; then attempts on every valid bug are judged: its gold
patch, and in every third attempt a patch that repairs nothing. The naive way does the same work step by step, each step
in a fresh and full copy of the repository, with nothing shared and nothing side by side. Both have to come to the same
reports and verdicts.
"""

import json
import os
import resource
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ssr.basemodel.pretrain import snapshots_of
from ssr.bench.artifacts import artifacts_of
from ssr.config import SandboxConfig, Scale, load_scale
from ssr.contracts import SandboxBackend
from ssr.game.case import Case
from ssr.game.consistency import ConsistencyReport, check, check_case
from ssr.game.instance import instance_of
from ssr.game.store import RunStore
from ssr.game.testrun import State, TestRun
from ssr.game.verdict import Verdict, judge
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.bubblewrap import Bubblewrap
from ssr.sandbox.factory import open_backend
from ssr.selfplay.artifacts import Submitted
from ssr.selfplay.judging import Prediction, verdicts
from ssr.selfplay.progress import progress

ROWS = {
    "wall_s": "wall s",
    "cpu_s": "CPU s",
    "test_cpu_s": "tests' CPU s",
    "runs": "test runs",
    "saved_runs": "runs saved",
    "wall_cores_over_test_cpu": "wall x cores/tests",
    "free_cores_over_test_cpu": "less others' use",
    "cpu_over_test_cpu": "CPU/tests",
    "artifacts_per_minute": "artifacts/minute",
}
"""Figures that the table shows."""
USELESS = "--- /dev/null\n+++ b/repair_{}.txt\n@@ -0,0 +1 @@\n+no repair\n"


@dataclass(frozen=True)
class Cost:
    """What a piece of work cost."""

    wall_s: float
    cpu_s: float
    """CPU seconds of this process and all that it started."""
    others_cpu_s: float
    """CPU seconds that the rest of the machine used meanwhile."""
    test_cpu_s: float
    """CPU seconds of scripts and parsers, seen by the shells that run them."""
    runs: int
    """Test runs that were executed."""
    saved_runs: int
    """Test runs that were shared instead."""
    saved_cpu_s: float
    """CPU seconds of those."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Cost)))

    def ratios(self, cores: int) -> dict[str, float]:
        """Of time spent to the tests' own CPU time; 1 is perfect."""
        return {
            "wall_cores_over_test_cpu": self.wall_s * cores / self.test_cpu_s,
            "free_cores_over_test_cpu": (self.wall_s * cores - self.others_cpu_s) / self.test_cpu_s,
            "cpu_over_test_cpu": self.cpu_s / self.test_cpu_s,
        }


@dataclass(frozen=True)
class Work:
    """Artifacts to check, and how often each valid one is attempted."""

    scale: Scale
    snapshots: dict[str, Snapshot]
    items: Sequence[Submitted]
    attempts: int

    def snapshot_of(self, item: Submitted) -> Snapshot:
        """The artifact's repository."""
        return self.snapshots[item.place["repo"]]

    def predictions(self, reports: Sequence[ConsistencyReport]) -> list[Prediction]:
        """The attempts on the valid ones."""
        found = []
        for item, report in zip(self.items, reports, strict=True):
            if report.valid:
                name, strategy = item.place["episode_id"], item.place["strategy"]
                instance = instance_of(item.artifact, report, self.snapshot_of(item), strategy, name, "")
                for number in range(self.attempts):
                    patch = USELESS.format(number) if number % 3 == 2 else instance.patch
                    found.append(Prediction(instance, patch))
        return found


class OwnWay:
    """As the stages do it: runs side by side and shared, one artifact more under check than there are runs at once."""

    def __init__(self, work: Work, backend: SandboxBackend) -> None:
        self.work, self.backend, self.store = work, backend, RunStore(work.scale.sandbox)

    def check(self) -> list[ConsistencyReport]:
        """Reports in the order of the artifacts."""
        work, parallel = self.work, self.work.scale.sandbox.parallel
        with (
            ThreadPoolExecutor(parallel + 1) as cases,
            ThreadPoolExecutor(parallel) as tests,
            progress("own way: artifacts", len(work.items)) as advance,
        ):

            def one(item: Submitted) -> ConsistencyReport:
                snapshot, rules = work.snapshot_of(item), work.scale.game
                report = check(item.artifact, self.backend, snapshot, rules, pool=tests, store=self.store)
                advance()
                return report

            return list(cases.map(one, work.items))

    def judge(self, predictions: Sequence[Prediction]) -> list[Verdict | None]:
        """Verdicts in the order of the attempts."""
        work = self.work
        with progress("own way: verdicts") as advance:
            return verdicts(predictions, self.backend, work.snapshots, work.scale, advance, self.store)


class NaiveCase(Case):
    """Runs the tests when they are asked for, and again whenever they are."""

    def start(self, states: Iterable[State]) -> None:
        """Nothing is done ahead."""

    def run(self, state: State) -> TestRun:
        """The tests' outcome in a state."""
        return self._execute(state)


class NaiveWay:
    """One step after the other, nothing kept; the store only counts."""

    def __init__(self, work: Work, backend: SandboxBackend) -> None:
        self.work, self.backend, self.store = work, backend, RunStore(work.scale.sandbox, max_mb=0)

    def check(self) -> list[ConsistencyReport]:
        """Reports in the order of the artifacts."""
        reports, work = [], self.work
        with progress("naive way: artifacts", len(work.items)) as advance, ThreadPoolExecutor(1) as pool:
            for item in work.items:
                place = (self.backend, work.snapshot_of(item), None, work.scale.game, pool, self.store)
                with closing(NaiveCase(item.artifact, *place)) as case:
                    reports.append(check_case(case))
                advance()
        return reports

    def judge(self, predictions: Sequence[Prediction]) -> list[Verdict | None]:
        """Verdicts in the order of the attempts."""
        found: list[Verdict | None] = []
        with progress("naive way: verdicts", len(predictions)) as advance:
            for entry in predictions:
                snapshot = self.work.snapshots[entry.instance.repo]
                rules = self.work.scale.game
                found.append(judge(self.backend, snapshot, entry.instance, entry.patch, rules, self.store))
                advance()
        return found


@dataclass(frozen=True)
class Done:
    """What the work came to, in order, and its cost."""

    reports: list[ConsistencyReport]
    verdicts: list[Verdict | None]
    checks: Cost
    judging: Cost


def do(way: OwnWay | NaiveWay) -> Done:
    """Check, then judge."""
    with measured(way.store) as checks:
        reports = way.check()
    predictions = way.work.predictions(reports)
    with measured(way.store) as judging:
        found = way.judge(predictions)
    return Done(reports, found, checks[0], judging[0])


@contextmanager
def measured(store: RunStore) -> Iterator[list[Cost]]:
    """The cost of the block, in the list once it has ended."""
    before, cost = _readings(store), list[Cost]()
    yield cost
    wall, own, machine, tests, runs, saved, saved_seconds = (
        after - start for start, after in zip(before, _readings(store), strict=True)
    )
    cost.append(Cost(wall, own, max(0.0, machine - own), tests, int(runs), int(saved), saved_seconds))


def _readings(store: RunStore) -> tuple[float, ...]:
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own = sum(part.ru_utime + part.ru_stime for part in usage)
    times = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    machine = (sum(times) - times[3] - times[4]) / os.sysconf("SC_CLK_TCK")
    return (time.monotonic(), own, machine, store.executed_seconds, store.executed, store.saved, store.saved_seconds)


def naive_backend(config: SandboxConfig) -> SandboxBackend:
    """Sandboxes that are full copies; a container of Docker is one anyway."""
    return Bubblewrap(config, "copy") if config.backend == "bubblewrap" else open_backend(config)


def measure(scale_file: Path, snapshots: Path, count: int, attempts: int, cache: Path, out: Path | None) -> None:
    """Do the work both ways, print a table, and write the figures to `out` as JSON."""
    scale = load_scale(scale_file)
    loaded = {snapshot.name: snapshot for snapshot in snapshots_of(scale, snapshots)}
    needed = -(-count // len(loaded))
    items = [item for snapshot in loaded.values() for item in artifacts_of(scale, snapshot, needed, cache)]
    work = Work(scale, loaded, items, attempts)
    with open_backend(scale.sandbox) as backend:
        own = do(OwnWay(work, backend))
    with naive_backend(scale.sandbox) as backend:
        naive = do(NaiveWay(work, backend))
    figures = _figures(scale, items, own, naive)
    _print(figures)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(figures, indent=2) + "\n")


def _figures(scale: Scale, items: Sequence[Submitted], own: Done, naive: Done) -> dict[str, Any]:
    repositories = [item.place["repo"] for item in items]
    failed = Counter(f"{report.check}/{report.reason.partition(':')[0]}" for report in own.reports if not report.valid)
    figures: dict[str, Any] = {
        "scale": scale.name,
        "cores": len(os.sched_getaffinity(0)),
        "parallel": scale.sandbox.parallel,
        "artifacts": {name: repositories.count(name) for name in sorted(set(repositories))},
        "valid": sum(report.valid for report in own.reports),
        "failed": dict(sorted(failed.items())),
        "verdicts": len(own.verdicts),
        "same_reports": _equal(own.reports, naive.reports),
        "same_verdicts": _equal(own.verdicts, naive.verdicts),
    }
    for part in ("checks", "judging", "both"):
        costs = {name: _part(done, part) for name, done in (("own", own), ("naive", naive))}
        figures[part] = {name: asdict(cost) | cost.ratios(figures["cores"]) for name, cost in costs.items()}
        figures[part]["speedup"] = costs["naive"].wall_s / costs["own"].wall_s
        for name, cost in costs.items():
            figures[part][name]["artifacts_per_minute"] = 60 * len(items) / cost.wall_s
    return figures


def _equal(some: Sequence[object], others: Sequence[object]) -> int:
    return sum(one == other for one, other in zip(some, others, strict=False))


def _part(done: Done, part: str) -> Cost:
    return {"checks": done.checks, "judging": done.judging, "both": done.checks + done.judging}[part]


def _print(figures: dict[str, Any]) -> None:
    table = Table("", *("checks", "naively", "verdicts", "naively", "both", "naively"))
    ways = [(part, way) for part in ("checks", "judging", "both") for way in ("own", "naive")]
    for key, label in ROWS.items():
        values = (figures[part][way][key] for part, way in ways)
        table.add_row(label, *(f"{value}" if isinstance(value, int) else f"{value:.2f}" for value in values))
    table.add_row("times as fast", *(f"{figures[part]['speedup']:.2f}" if way == "own" else "" for part, way in ways))
    console = Console()
    console.print(table)
    artifacts = ", ".join(f"{name} {number}" for name, number in figures["artifacts"].items())
    console.print(f"artifacts: {artifacts}; cores: {figures['cores']}, runs at once: {figures['parallel']}")
    failed = ", ".join(f"{name} {number}" for name, number in figures["failed"].items()) or "none"
    console.print(f"valid: {figures['valid']}; failed: {failed}; verdicts: {figures['verdicts']}")
    same = f"{figures['same_reports']} reports, {figures['same_verdicts']} verdicts"
    console.print(f"the same both ways: {same}")
