"""A play from a path or address to a dataset: the stages of self-play in one repository, each done once."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from ssr.config import Scale
from ssr.errors import ConfigError
from ssr.evaluation.export import export_bugs
from ssr.game.instance import read_instances
from ssr.play.engines import Scripted, checkpoint_of, opener_of, say_hello
from ssr.play.prepare import RECORD, Ask, Prepared, prepare
from ssr.play.settings import RUN, Wish, write_scale
from ssr.play.summary import INJECTED, SOLVED, VALIDATED, Summary, summarise
from ssr.repository.snapshot import Snapshot
from ssr.selfplay import stages
from ssr.selfplay.tasks import Place, read_tasks

PLACE = Place(RUN, 0, 1)
REQUEST = "request.json"


@dataclass(frozen=True)
class Paths:
    """Where everything of a play lies, as in the results of a scale."""

    out: Path

    @property
    def snapshots(self) -> Path:
        return self.out / "snapshots"

    @property
    def tasks(self) -> Path:
        return self.out / "tasks" / RUN / "s0" / "001.parquet"

    @property
    def runs(self) -> Path:
        return self.out / "cache" / "runs"

    @property
    def journals(self) -> Path:
        return self.out / "journals" / RUN / "s0"

    def instances(self) -> list[Path]:
        """Bugs of both orders."""
        return [self.out / stage / "instances.parquet" for stage in (VALIDATED, SOLVED)]


def play(ask: Ask, wish: Wish, prices: tuple[float, float] | None, out: Path, say: Callable[[str], None]) -> Summary:
    """Play one generation in a repository and export its valid bugs; what an earlier call finished is not done again.

    Raises ConfigError for a folder that holds another play, and what preparing and the stages raise.
    """
    told, out = _with_time(say), out.resolve()
    _hold_together(ask, wish, out)
    trial = write_scale(wish, False, out)
    checkpoint = checkpoint_of(wish.engine, wish.checkpoint, out)
    if wish.engine == "openai":
        say_hello(trial.engine)
        told(f"{trial.engine.endpoint} answers as {trial.engine.model}")
    prepared = prepare(ask, trial, out, told)
    scale = write_scale(wish, prepared.place.commits > 1, out)
    _stages(scale, wish, prepared, checkpoint, Paths(out), told)
    summary = summarise(out, prices)
    (out / "summary.json").write_text(json.dumps(summary.as_json(), indent=1) + "\n")
    return summary


def _stages(
    scale: Scale, wish: Wish, prepared: Prepared, checkpoint: Path, paths: Paths, told: Callable[[str], None]
) -> None:
    out = paths.out
    scripted = Scripted(Snapshot.load(paths.snapshots / prepared.place.name)) if wish.engine == "demonstrator" else None
    if not paths.tasks.exists():
        stages.make_tasks(scale, PLACE, None, paths.snapshots, paths.tasks)
    tasks = read_tasks(paths.tasks)
    if not (out / INJECTED / "episodes.parquet").exists():
        told(f"{len(tasks)} injector episodes ({', '.join(sorted({task.strategy for task in tasks}))})")
        opener = opener_of(scripted.injector(tasks) if scripted else None, "injector", out)
        stages.inject_shard(
            scale, PLACE, 0, paths.tasks, checkpoint, paths.snapshots, paths.journals, out / INJECTED, opener
        )
    if not (out / VALIDATED / "instances.parquet").exists():
        told("checking what was handed in")
        artifacts = out / INJECTED / "artifacts.parquet"
        with _stop_is_said(told):
            stages.validate_shard(scale, artifacts, [], paths.snapshots, paths.runs, out / VALIDATED)
    valid = out / VALIDATED / "instances.parquet"
    bugs = read_instances(valid)
    if not (out / SOLVED / "episodes.parquet").exists():
        told(
            f"valid bugs: {len(bugs)}"
            + (f", attempts on each: {scale.game.attempts}" if bugs else ", nothing to solve")
        )
        opener = opener_of(scripted.solver(bugs, scale.game.attempts) if scripted else None, "solver", out)
        stages.solve_shard(
            scale, PLACE, 0, [valid], checkpoint, paths.snapshots, paths.runs, paths.journals, out / SOLVED, opener
        )
    if bugs:
        export_bugs(paths.instances(), paths.snapshots, out / "dataset", _author(wish))


@contextmanager
def _stop_is_said(told: Callable[[str], None]) -> Iterator[None]:
    """While tests run in threads, an interrupted command ends after them: say so; a second Ctrl-C waits no more."""

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        told("interrupted: the test runs that were begun end first, Ctrl-C again does not wait for them")
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _author(wish: Wish) -> str:
    return "a script that knows the fix" if wish.engine == "demonstrator" else f"`{wish.model or wish.checkpoint}`"


def _hold_together(ask: Ask, wish: Wish, out: Path) -> None:
    """A folder holds one play; the same command goes on in it. Raises ConfigError for another one."""
    path = Path(ask.place).expanduser()
    values = {**asdict(ask), **asdict(wish), "place": str(path.resolve()) if path.exists() else ask.place}
    text = json.dumps(values, default=str, indent=1)
    record = out / REQUEST
    if record.exists() and record.read_text() != text and not Paths(out).tasks.exists():
        (out / RECORD).unlink(missing_ok=True)  # nothing was played yet: prepare it in the new way
    elif record.exists() and record.read_text() != text:
        before = json.loads(record.read_text())
        changed = [key for key, value in json.loads(text).items() if before.get(key) != value]
        raise ConfigError(
            f"{out} holds a play with other words ({', '.join(changed)}): repeat them, name another folder with --out, "
            "or delete it"
        )
    out.mkdir(parents=True, exist_ok=True)
    record.write_text(text)


def _with_time(say: Callable[[str], None]) -> Callable[[str], None]:
    """Lines that begin with minutes and seconds since the start."""
    start = time.monotonic()

    def told(line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - start), 60)
        say(f"{minutes:3d}:{seconds:02d}  {line}")

    return told
