"""The graph on a Slurm cluster, through its profile and the real executor."""

import re

import pytest
from graph_project import Project

TARGET = "results/smoke/validate/ssr/s0/001/00/checks.parquet"
ONE_NODE = [
    *("--slurm-no-account", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2"),
]
DIES_ONCE = """
if [[ $1 == inject && ! -e died ]]; then
    touch died
    scancel --signal=KILL --full "$SLURM_JOB_ID"
    sleep 60
fi
"""


@pytest.mark.slurm
@pytest.mark.usefixtures("slurm")
def test_a_killed_job_is_submitted_again_with_more_memory(project: Project) -> None:
    stand_in = project.root / "bin" / "ssr"
    first, rest = stand_in.read_text().split("\n", 1)
    stand_in.write_text(f"{first}\n{DIES_ONCE}{rest}")
    scale = project.rewrite("smoke", runs={"ssr": {}}, evaluation={"benchmarks": ["builtin-pro"]})
    profile = ["--profile", "workflow/profiles/slurm", *ONE_NODE]
    out = project.snakemake(TARGET, *profile, "--configfile", scale)
    assert (project.root / TARGET).exists() and (project.root / "died").exists()
    assert "Trying to restart job" in out
    assert re.findall(r"^rule inject:\n(?:.*\n)*?    resources: .*mem_mb=(\d+)", out, re.MULTILINE) == ["8000", "16000"]
    submitted = re.findall(r"has been submitted with SLURM jobid \d+ \(log: .*/rule_(\w+)/", out)
    assert sorted(submitted) == ["inject", "inject", "install", "snapshot", "tasks_held_out", "validate"]
    assert "tasks --" in "\n".join(project.calls), "small rules run where snakemake does"
