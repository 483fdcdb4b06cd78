"""A shard that is killed with SIGKILL goes on from its finished episodes and ends in the bytes of an unbroken one."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rollout_shard import EPISODES, Bench


def until(condition: Callable[[], bool], running: "subprocess.Popen[bytes]") -> None:
    while not condition():
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["inject", "solve"])
def test_a_killed_shard_ends_in_the_same_bytes(bench: Bench, stage: str) -> None:
    unbroken = bench.start(stage, f"{stage}-unbroken")
    assert unbroken.wait() == 0
    killed = f"{stage}-killed"
    finished: dict[Path, int] = {}
    for number in (1, 3):
        running = bench.start(stage, killed)
        until(lambda number=number: len(bench.kept(killed)) >= number, running)
        running.kill()
        running.wait()
        finished = bench.kept(killed) | finished
    assert not bench.tables(killed), "nothing is written before all is played"
    assert 3 <= len(finished) < EPISODES
    assert bench.start(stage, killed).wait() == 0
    after = bench.kept(killed)
    assert {path: after[path] for path in finished} == finished, "a finished episode was played again"
    assert bench.tables(killed) == bench.tables(f"{stage}-unbroken")
