import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from ssr.cli import app
from ssr.errors import EvaluationError
from ssr.paper.timeline import Job, jobs_of, overlap
from ssr.training.batch import write_batch

JOBS = {
    "inject/ssr/s0/001/00": (0, 10), "solve/ssr/s0/001/00": (10, 30), "train/ssr/s0/001": (31, 61),
    "inject/ssr/s0/002/00": (31, 41), "inject/ssr/s0/002/01": (36, 46), "solve/ssr/s0/002/00": (50, 80),
    "train/ssr/s0/002": (81, 90), "inject/other/s0/001/00": (0, 99),
}  # fmt: skip


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Benchmark files of two generations, the second played while the first trained, with weights of before."""
    for name, (start, end) in JOBS.items():
        path = tmp_path / "timings" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\n{end - start}\t0:00:00\t1\n")
        os.utime(path, (1000 + end, 1000 + end))
    for generation in (1, 2):
        place = f"ssr/s0/{generation:03d}"
        episodes = tmp_path / "solve" / place / "00" / "episodes.parquet"
        episodes.parent.mkdir(parents=True)
        pq.write_table(pa.table({"weight_version": [0, 0]}), episodes)
        write_batch(tmp_path / "batch" / f"{place}.parquet", [], {"dropped_stale": 3 * (generation - 1)})
    for name, step in (("000", 0), ("ssr/s0/001", 4)):
        folder = tmp_path / "checkpoints" / name
        folder.mkdir(parents=True)
        (folder / "trainer.json").write_text(f'{{"step": {step}}}')
    return tmp_path


def test_jobs_are_placed_by_their_benchmark_files(results: Path) -> None:
    jobs = jobs_of(results, "ssr", 0)
    assert jobs[0] == Job("inject", 1, "00", 0, 10)
    assert {(job.stage, job.generation, job.shard): (job.start, job.end) for job in jobs}["train", 1, ""] == (31, 61)
    assert len(jobs) == 7
    with pytest.raises(EvaluationError, match="no benchmark file of ssr/s1"):
        jobs_of(results, "ssr", 1)


def test_overlap_counts_no_second_twice(results: Path) -> None:
    jobs = jobs_of(results, "ssr", 0)
    assert overlap(jobs, 2) == pytest.approx((46 - 31) + (61 - 50))
    assert overlap(jobs, 1) == 0


def test_the_command_draws_and_says_how_old_the_weights_were(results: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["timeline", str(results), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.output.splitlines() if "│" in line]
    assert ["1", "0", "0", "0", "0", "0.0"] in cells
    assert ["2", "0", "4", "4", "3", "26.0"] in cells
    svg = (tmp_path / "out" / "timeline.svg").read_text()
    assert svg.startswith("<?xml") and "#0072b2" in svg and "#e69f00" in svg
