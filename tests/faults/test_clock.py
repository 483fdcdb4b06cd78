"""A wall clock that jumps by a day, forwards and backwards, while a shard plays: the same bytes, nothing timed out."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rollout_shard import EPISODES, Bench

DAY = 24 * 3600


@pytest.fixture
def clock(tmp_path: Path) -> dict[str, str]:
    """Variables that shift the wall clock of a process and of all below it by what a file says."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler, for a library that shifts the clock")
    library, source = tmp_path / "clock.so", Path(__file__).with_name("jumping_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "JUMPING_CLOCK": str(tmp_path / "clock")}


def jump(clock: dict[str, str], days: int) -> None:
    path = Path(clock["JUMPING_CLOCK"])
    path.with_suffix(".new").write_text(f"{days * DAY}\n")
    path.with_suffix(".new").replace(path)


def clocks(clock: dict[str, str]) -> tuple[float, float]:
    """The wall clock and the monotonic one as another process reads them."""
    code = "import time; print(time.time(), time.monotonic())"
    said = subprocess.run([sys.executable, "-c", code], env=os.environ | clock, capture_output=True, check=True)
    wall, monotonic = map(float, said.stdout.split())
    return wall, monotonic


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["inject", "solve"])
def test_a_clock_that_jumps_changes_no_byte(bench: Bench, clock: dict[str, str], stage: str) -> None:
    for days in (1, -1):
        jump(clock, days)
        wall, monotonic = clocks(clock)
        assert abs(wall - time.time() - days * DAY) < DAY / 2
        assert abs(monotonic - time.monotonic()) < DAY / 2
    running, jumps = bench.start(stage, f"{stage}-jumping", clock), 0
    while running.poll() is None:
        jump(clock, (1, -1, 0)[jumps % 3])
        jumps += 1
        time.sleep(0.02)  # several times while a command runs
    assert running.returncode == 0 and jumps > EPISODES
    assert bench.start(stage, f"{stage}-straight").wait() == 0
    assert bench.tables(f"{stage}-jumping") == bench.tables(f"{stage}-straight")
