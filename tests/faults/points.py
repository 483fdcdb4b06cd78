"""`smoke` killed at random points ends in the bytes of an unbroken run: `envs/shell python tests/faults/points.py`.

An unbroken run (or results that are there, with --against) is compared with one that has another number of cores and
shards and in which snakemake, a job that plays, a job that trains or a sandbox is killed with SIGKILL at each point.
After each kill what was finished must stay as it is: episodes are not played again, saved optimizer steps not taken.
"""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from workplace import ROOT, SMOKE, Changes, Workplace, command_line, descendants, kill, manifest, victims, wait_for_end

TRAINING: Changes = {"training": {"steps": 2, "resume_every": 1}}
"""Two steps a generation, so that there is one to go on from."""
SMALL: Changes = {
    "runs": {"ssr": {}},
    "evaluation": {"benchmarks": []},
    "selfplay": {"generations": 1, "injections": 4},
    "game": {"attempts": 2},
}
ALONE: Changes = {"selfplay": {"shards": 1}}


def play(place: Workplace, cores: int) -> Workplace:
    """An unbroken run."""
    place.finish(place.start(cores))
    return place


def play_killed(place: Workplace, cores: int, points: int, seed: int, spread: float) -> Workplace:
    """A run that is killed `points` times, each up to `spread` seconds after it began or went on."""
    chance, hits = random.Random(seed), Counter[str]()
    running = place.start(cores)
    while sum(hits.values()) < points and running.poll() is None:
        time.sleep(chance.uniform(0, spread))
        if running.poll() is None and (kind := strike(place, running, chance, hits)):
            hits[kind] += 1
            typer.echo(f"  {sum(hits.values()):2}: killed {kind}")
        if running.poll() is not None and running.returncode != 0:
            running = go_on(place, cores)
    for _ in range(hits["sandbox"]):  # a stage whose sandbox died may have ended: it is run again
        if running.wait() != 0:
            running = go_on(place, cores)
    place.finish(running)
    typer.echo(f"  killed: {dict(hits)}")
    return place


def strike(place: Workplace, running: "subprocess.Popen[bytes]", chance: random.Random, hits: Counter[str]) -> str:
    """Kill one process of a kind that was killed least; the kind, or nothing if there was no time left to."""
    found = victims(running.pid)
    kind = min(found, key=lambda kind: (hits[kind], chance.random()))
    below = list(descendants(running.pid))
    if not kill(chance.choice(found[kind])):
        return ""
    if kind != "sandbox":
        running.wait()
        wait_for_end([process for process in below if command_line(process)])
    return kind


def go_on(place: Workplace, cores: int) -> "subprocess.Popen[bytes]":
    """Start again; what is finished is written down, for the end."""
    for path, moment in place.kept().items():
        place.finished.setdefault(path, moment)
    place.trained |= place.saved_steps()
    return place.start(cores)


def check_nothing_twice(place: Workplace) -> None:
    """No episode that was finished at a kill was written again, no optimizer step that was saved was taken again."""
    kept = place.kept()
    twice = [path.name for path, moment in place.finished.items() if kept.get(path, moment) != moment]
    assert not twice, f"played again: {twice}"
    for log, step in place.trained.items():
        assert f"step {step}:" not in log.read_text(), f"{log}: step {step} was saved and is taken again"


def compare(first: Path, second: Path) -> int:
    """`ssr manifest diff`."""
    return subprocess.run([sys.executable, "-m", "ssr", "manifest", "diff", first, second], cwd=ROOT).returncode


def main(
    points: Annotated[int, typer.Option(help="How often the second run is killed.")] = 20,
    cores: Annotated[int, typer.Option(help="Cores of the second run; the first has one.")] = 2,
    shards: Annotated[int, typer.Option(help="Shards of the second run; the first has one.")] = 4,
    seed: Annotated[int, typer.Option(help="Draws the points.")] = 0,
    spread: Annotated[float, typer.Option(help="Seconds between a start and the next kill, at most.")] = 30,
    against: Annotated[Path | None, typer.Option(help="Results of `smoke` to compare with.")] = None,
    small: Annotated[bool, typer.Option(help="One generation of one run, no benchmarks.")] = False,
) -> None:
    """Play `smoke` unbroken, then killed; exit code 1 if a byte differs or something was done twice."""
    target = "selfplay" if small else "all"
    folder = Path(tempfile.mkdtemp(prefix="ssr-faults-"))
    changes = [{}] if against else [TRAINING]
    if small:
        changes.append(SMALL)
    if against:
        first = manifest(SMOKE, against, folder / "against.json", ROOT)
    else:
        started = time.monotonic()
        first = play(Workplace(folder / "unbroken", [*changes, ALONE], target), 1).manifest()
        typer.echo(f"unbroken, one core, one shard: {time.monotonic() - started:.0f} s")
    shared_out = {"selfplay": {"shards": shards}, "evaluation": {"shards": 2}}
    started = time.monotonic()
    killed = play_killed(Workplace(folder / "killed", [*changes, shared_out], target), cores, points, seed, spread)
    typer.echo(f"killed {points} times, {cores} cores, {shards} shards: {time.monotonic() - started:.0f} s")
    check_nothing_twice(killed)
    typer.echo(f"{len(killed.finished)} episodes were finished at a kill, none was played again")
    code = compare(first, killed.manifest())
    if code == 0:
        shutil.rmtree(folder)
    raise typer.Exit(code)


if __name__ == "__main__":
    typer.run(main)
