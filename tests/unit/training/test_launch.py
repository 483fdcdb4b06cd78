"""What starts training, and where machines that train together meet."""

import sys
from pathlib import Path

import pytest

from ssr.config import Scale, TrainingConfig
from ssr.training.launch import command, launch_options, meeting_place


def test_srun_says_who_meets_where() -> None:
    told = meeting_place({"SLURM_JOB_ID": "1234567", "SLURM_PROCID": "3", "SLURM_LAUNCH_NODE_IPADDR": "10.0.0.7"})
    assert told == {"MACHINE_RANK": "3", "MASTER_ADDR": "10.0.0.7", "MASTER_PORT": "24567"}


def test_what_a_person_says_counts_more() -> None:
    said = {"MACHINE_RANK": "1", "MASTER_ADDR": "head", "MASTER_PORT": "4000"}
    assert meeting_place(said | {"SLURM_JOB_ID": "7", "SLURM_PROCID": "0"}) == said


def test_only_several_machines_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_ADDR", "head")
    assert "head" not in launch_options(TrainingConfig())
    assert "head" in launch_options(TrainingConfig(processes=2, machines=2))


@pytest.mark.parametrize(("processes", "starts"), [(1, "ssr.training"), (2, "accelerate.commands.launch")])
def test_one_process_is_started_without_a_launcher(processes: int, starts: str) -> None:
    keys = {"name": "tiny", "repositories": "none", "model": {"base": "000"}, "runs": {"ssr": {}}}
    scale = Scale.model_validate(keys | {"training": {"processes": processes}})
    line = command(scale, Path("tiny.yaml"), "ssr", *(Path(name) for name in ("batch", "000", "metrics", "001")))
    assert line[:3] == [sys.executable, "-m", starts]
