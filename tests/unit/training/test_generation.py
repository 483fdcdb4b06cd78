"""`ssr batch`: a generation's shards in, its batch out; age counts in optimizer steps, shards do not count at all."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from ssr.agent.episode import EPISODE_SCHEMA
from ssr.cli import app
from ssr.selfplay.inject import COLUMNS as INJECTED
from ssr.selfplay.solve import COLUMNS as SOLVED
from ssr.selfplay.validate import CHECKS
from ssr.training.batch import read_batch
from ssr.training.generation import read_statistics

SMOKE = Path(__file__).parents[3] / "workflow" / "config" / "smoke.yaml"
BUGS, ATTEMPTS = 2, 4


def episode(name: str, role: str) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(EPISODE_SCHEMA.names)
    tokens = {"token_ids": [1, 2, 3], "loss_mask": [0, 1, 1], "logprobs": [0.0, -0.5, -0.25], "weight_version": 0}
    return (
        row | tokens | {"episode_id": name, "role": role, "exit_reason": "submitted", "repo": "r", "strategy": "direct"}
    )


def attempt(bug: int, number: int) -> dict[str, Any]:
    columns = {"instance_id": f"i{bug}", "order": 1, "attempt": number, "reward": 1.0 if number == 0 else -1.0}
    return episode(f"i{bug}-a{number}", "solver") | columns


INJECTIONS = [episode(f"i{number}", "injector") for number in range(BUGS)]
CHECKED = [
    {"episode_id": f"i{number}", "instance_id": f"i{number}", "valid": True, "check": ""} for number in range(BUGS)
]
SOLUTIONS = [attempt(bug, number) for bug in range(BUGS) for number in range(ATTEMPTS)]


def batch_of(folder: Path, step: int, shards: int) -> Path:
    """What `ssr batch` makes of a generation that was played with the weights of step 0 in some shards."""
    tables: list[tuple[str, Sequence[dict[str, Any]], pa.Schema]] = [
        ("injected", INJECTIONS, pa.schema([*EPISODE_SCHEMA, *INJECTED])),
        ("checked", CHECKED, CHECKS),
        ("solved", SOLUTIONS, pa.schema([*EPISODE_SCHEMA, *SOLVED])),
    ]
    (folder / "checkpoint").mkdir(parents=True)
    (folder / "checkpoint" / "trainer.json").write_text(json.dumps({"step": step}))
    words: list[str] = []
    for name, rows, schema in tables:
        for shard in range(shards):
            path = folder / f"{name}-{shard}.parquet"
            pq.write_table(pa.Table.from_pylist(list(rows[shard::shards]), schema=schema), path)
            words += [f"--{name}", str(path)]
    out = folder / "batch.parquet"
    scale = ["--scale", str(SMOKE), "--run", "ssr", "--checkpoint", str(folder / "checkpoint"), "--out", str(out)]
    done = CliRunner().invoke(app, ["batch", *scale, *words])
    assert done.exit_code == 0, done.output
    return out


@pytest.mark.parametrize(("step", "kept"), [(8, BUGS * ATTEMPTS), (9, 0)])
def test_what_is_nine_steps_old_is_dropped(tmp_path: Path, step: int, kept: int) -> None:
    out = batch_of(tmp_path, step, shards=1)
    statistics = read_statistics(out)
    assert statistics["rows_kept"] == len(read_batch(out)) == kept
    assert statistics["dropped_stale"] == (0 if kept else len(INJECTIONS) + len(SOLUTIONS))
    assert statistics["oldest_steps"] == (step if kept else 0)


def test_a_batch_is_the_same_however_many_shards_played_it(tmp_path: Path) -> None:
    batches = [batch_of(tmp_path / str(shards), 1, shards).read_bytes() for shards in (1, 2, 4)]
    assert batches[0] == batches[1] == batches[2]
