"""`ssr status` on the graph itself: what is done, running, interrupted and left."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from graph_project import Project

from ssr.terminal.status import Stage, estimate, status_of

TARGET = "selfplay"


def stages(project: Project, scale: str) -> dict[str, Stage]:
    return {stage.name: stage for stage in status_of(Path(scale), TARGET, project.root).stages}


def small(project: Project) -> str:
    return project.rewrite("smoke", runs={"ssr": {}}, selfplay={"generations": 1, "lag": 0, "shards": 1})


@pytest.mark.slow
def test_what_is_left_becomes_done_with_an_estimate(project: Project) -> None:
    scale = small(project)
    before = stages(project, scale)
    assert all((stage.done, stage.running) == (0, 0) and stage.seconds is None for stage in before.values())
    assert before["inject"].left == before["train"].left == before["snapshots"].left == 1
    project.snakemake("--cores", "1", TARGET, "--configfile", scale)
    done = status_of(Path(scale), TARGET, project.root)
    assert {stage.name: stage.done for stage in done.stages} == {name: stage.left for name, stage in before.items()}
    assert estimate(done) == "everything is done"
    shutil.rmtree(project.root / "results" / "smoke" / "checkpoints" / "ssr")
    again = status_of(Path(scale), TARGET, project.root)
    assert {stage.name: stage.left for stage in again.stages if stage.left} == {"train": 1}
    assert again.untimed == 1 and "1 jobs left" in estimate(again)


@pytest.mark.slow
def test_a_job_in_progress_is_running_and_after_a_kill_interrupted(project: Project) -> None:
    scale = small(project)
    with subprocess.Popen(
        project.command("--cores", "1", TARGET, "--configfile", scale),
        cwd=project.root,
        env=project.environment(seconds=60),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as snakemake:
        while not list((project.root / ".snakemake").glob("incomplete/*")):
            assert snakemake.poll() is None
            time.sleep(0.05)
        during = status_of(Path(scale), TARGET, project.root)
        snakemake.kill()
        snakemake.wait()
    assert [job.log.endswith(".log") for job in during.running] == [True] and during.interrupted == ()
    assert sum(stage.running for stage in during.stages) == 1
    after = status_of(Path(scale), TARGET, project.root)
    assert after.running == () and after.interrupted == during.running
