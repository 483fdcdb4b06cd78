"""Training as a command line: one process on this machine, or `accelerate launch` of as many as the scale says."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ssr.config import Scale, TrainingConfig


def command(
    scale: Scale,
    scale_file: Path,
    run: str,
    batch: Path,
    checkpoint: Path,
    metrics: Path,
    out: Path,
    spent: Path | None = None,
    events: Path | None = None,
) -> list[str]:
    """The command that trains one generation of a run; `scale` is that run's.

    One process needs no launcher, whose start takes longer than a step of a small model.

    Where several machines share the processes, each starts this command with `MASTER_ADDR` and its own number in
    `MACHINE_RANK`, or as one task each of `srun`, which says both.
    """
    several = scale.training.processes > 1
    launcher = ["-m", "accelerate.commands.launch", *launch_options(scale.training)] if several else []
    start = [sys.executable, *launcher, "-m", "ssr.training"]
    module = [*start, "--scale", str(scale_file), "--run", run, "--batch", str(batch)]
    files = ["--checkpoint", str(checkpoint), "--metrics", str(metrics), "--out", str(out)]
    more = {"--spent": spent, "--events": events}
    return [*module, *files, *(word for name, path in more.items() if path for word in (name, str(path)))]


def launch_options(config: TrainingConfig) -> list[str]:
    """Accelerate's options. Types and wrapping of FSDP2 are set in `parallel.py`, where Accelerate takes them whole.

    `--multi_gpu` is how Accelerate is asked for several processes, with or without GPUs. Machines keep the numbers that
    they are given (`static`): who computes what is the same each time.
    """
    options = ["--num_machines", str(config.machines), "--num_processes", str(config.processes)]
    if config.processes > 1:
        options += ["--multi_gpu"]
    if config.machines > 1:
        told = meeting_place(os.environ)
        options += ["--machine_rank", told["MACHINE_RANK"], "--main_process_ip", told["MASTER_ADDR"]]
        options += ["--main_process_port", told["MASTER_PORT"], "--rdzv_backend", "static"]
    options += ["--num_cpu_threads_per_process", str(config.threads)]
    return [*options, "--mixed_precision", "no", "--dynamo_backend", "no"]


def meeting_place(environment: Mapping[str, str]) -> dict[str, str]:
    """This machine's number, and the address and port of number 0. Under `srun` task 0 runs where `srun` was started;
    jobs that share a machine meet at ports of their own."""
    port = 20000 + int(environment["SLURM_JOB_ID"]) % 10000 if "SLURM_JOB_ID" in environment else 29500
    told = {
        "MACHINE_RANK": environment.get("SLURM_PROCID", "0"),
        "MASTER_ADDR": environment.get("SLURM_LAUNCH_NODE_IPADDR", "127.0.0.1"),
        "MASTER_PORT": str(port),
    }
    return {name: environment.get(name) or value for name, value in told.items()}
