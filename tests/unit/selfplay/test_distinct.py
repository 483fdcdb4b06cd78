"""`selfplay.distinct`: bugs of a generation that are the same are attempted once, and share the solve rate."""

from pathlib import Path

import pytest

from rollout_shard import BASE, EPISODES, PLACE, make_bench
from ssr.config import Scale
from ssr.repository.snapshot import Snapshot
from ssr.selfplay import stages
from ssr.selfplay.files import read_rows


@pytest.mark.slow
@pytest.mark.parametrize("distinct", [True, False])
def test_the_same_bug_is_attempted_once(snapshot: Snapshot, tmp_path: Path, distinct: bool) -> None:
    bench = make_bench(snapshot, tmp_path)
    loaded = stages.load(bench.scale, "ssr")
    scale = loaded.model_copy(update={"selfplay": loaded.selfplay.model_copy(update={"distinct": distinct})})
    solve(scale, bench.folder, bench.snapshots)
    attempts = read_rows([tmp_path / "solved" / "episodes.parquet"])
    names = [row["instance_id"] for row in attempts if row["order"] == 1]
    found = sorted(row["instance_id"] for row in read_rows([tmp_path / "bugs" / "instances.parquet"], ["instance_id"]))
    assert len(found) == 2
    assert names == [name for name in found[: 1 if distinct else 2] for _ in range(EPISODES // 2)]


def solve(scale: Scale, folder: Path, snapshots: Path) -> None:
    bugs = [folder / "bugs" / "instances.parquet"]
    stages.solve_shard(scale, PLACE, 0, bugs, BASE, snapshots, folder / "runs", folder / "journals", folder / "solved")
