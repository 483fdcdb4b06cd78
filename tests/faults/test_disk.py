"""A disk that is full or closed, and files that were cut off: one clear line, nothing half written, and on it goes."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from workplace import ROOT, SMOKE

from ssr.errors import StorageError
from ssr.training.checkpoint import load_model, save_checkpoint
from typed import ssr

Run = subprocess.CompletedProcess[str]
KILOBYTES = 256


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A very small disk."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={KILOBYTES}k", "none", folder], capture_output=True
    ).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def tasks(out: Path) -> Run:
    return ssr("tasks", "--scale", SMOKE, "--run", "ssr", "--seed", "0", "--generation", "1", "--out", out)


def install(out: Path) -> Run:
    return ssr("basemodel", "install", "--scale", SMOKE, "--out", out)


def fill(disk: Path) -> Path:
    """Leaves no byte on the disk."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"x" * 1024)
    return path


def assert_one_line(done: Run, says: str) -> None:
    assert done.returncode == 4, done.stderr
    assert done.stderr.startswith("error: ") and says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_full_disk_is_said_and_goes_on_with_room(disk: Path) -> None:
    filler = fill(disk)
    assert_one_line(tasks(disk / "tasks.parquet"), "No space left on device; give it room")
    assert [path.name for path in disk.iterdir()] == ["filler"]
    filler.unlink()
    assert tasks(disk / "tasks.parquet").returncode == 0
    assert pq.read_table(disk / "tasks.parquet").num_rows == 8


def test_a_checkpoint_that_does_not_fit_leaves_nothing(disk: Path) -> None:
    assert_one_line(install(disk / "000"), "No space left on device")
    assert list(disk.iterdir()) == []


def test_trained_weights_that_do_not_fit_leave_nothing(disk: Path) -> None:
    base = ROOT / "results" / "released" / "basemodel"
    with pytest.raises(StorageError, match="No space left on device"):
        save_checkpoint(disk / "001", load_model(base), base, {"step": 1})
    assert list(disk.iterdir()) == []


@pytest.mark.parametrize("command", [tasks, install])
def test_results_that_cannot_be_written_are_said(disk: Path, command: Callable[[Path], Run]) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert_one_line(command(disk / "out"), "Read-only file system")


@pytest.mark.parametrize("keep", [0, 100, -20])
def test_a_table_that_was_cut_off_is_named(tmp_path: Path, keep: int) -> None:
    whole = tmp_path / "tasks.parquet"
    assert tasks(whole).returncode == 0
    whole.write_bytes(whole.read_bytes()[:keep])
    journals, checkpoint = tmp_path / "journals", ROOT / "results" / "released" / "basemodel"
    place = ["--run", "ssr", "--seed", "0", "--generation", "1", "--shard", "0", "--journals", journals]
    done = ssr(
        "inject", "--scale", SMOKE, *place, "--tasks", whole, "--checkpoint", checkpoint, "--out", tmp_path / "out"
    )  # fmt: skip
    assert done.returncode == 1
    line = done.stderr.strip().splitlines()[-1]
    assert (
        line.startswith("error: cannot read ") and os.fspath(whole) in line and "delete it and start snakemake" in line
    )
    assert not (tmp_path / "out").exists()
