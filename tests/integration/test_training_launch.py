"""The command of training as the rules run it, in one process and in two of `accelerate launch`."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import Qwen3Config, Qwen3ForCausalLM

from events import read_events
from ssr.config import TrainingConfig, load_scale
from ssr.digests import wrong_files
from ssr.plan.jobs import launcher
from ssr.training.__main__ import main
from ssr.training.batch import Trajectory, prepare, write_batch
from ssr.training.checkpoint import save_checkpoint, verify
from ssr.training.launch import command
from ssr.training.state import read_state


@dataclass(frozen=True)
class Bench:
    """A tiny checkpoint, batches and where a training command writes."""

    folder: Path

    def command(
        self, name: str, processes: int = 1, batch: str = "batch", start: str = "000", **more: object
    ) -> list[str]:
        """The command that trains from checkpoint `start` to `name`."""
        training = {"processes": processes, "threads": 1, "steps": 2, "microbatch_tokens": 128, "learning_rate": 1e-3}
        scale = {"name": "tiny", "repositories": "none", "model": {"base": "000"}, "runs": {"ssr": {}}}
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(scale | {"training": training | more}))
        metrics, out = self.folder / f"{name}.parquet", self.folder / name
        batch_file, checkpoint = self.folder / f"{batch}.parquet", self.folder / start
        return command(load_scale(file).for_run("ssr"), file, "ssr", batch_file, checkpoint, metrics, out)

    def launch(self, name: str, processes: int) -> "subprocess.Popen[str]":
        """Run that command, in the background."""
        return self.popen(self.command(name, processes), {})

    def ranks(self, name: str, processes: int, **options: object) -> "list[subprocess.Popen[str]]":
        """Run what that command launches, one process a rank, in the background."""
        line = self.command(name, processes, **options)  # type: ignore[arg-type]
        module = [sys.executable, "-m", "ssr.training", *module_arguments(line)]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(probe.getsockname()[1])}
        group |= {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
        of_rank = [{"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(processes)]
        return [self.popen(module, group | rank) for rank in of_rank]

    def popen(self, line: list[str], more: dict[str, str]) -> "subprocess.Popen[str]":
        """Start a command with one thread and without a network."""
        environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"} | more
        return subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run_here(self, name: str, **options: object) -> int:
        """Run what that command launches in this process; returns its exit code."""
        return main(module_arguments(self.command(name, **options)))  # type: ignore[arg-type]


def module_arguments(line: list[str]) -> list[str]:
    """What a launch command gives to the module `ssr.training`."""
    return line[line.index("ssr.training") + 1 :]


@pytest.fixture(autouse=True)
def settings_of_torch() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, tie_word_embeddings=True,
    )  # fmt: skip
    tokenizer = tmp_path / "tokenizer"
    tokenizer.mkdir()
    (tokenizer / "tokenizer_config.json").write_text("{}\n")
    save_checkpoint(tmp_path / "000", Qwen3ForCausalLM(config), tokenizer, {"step": 0})
    rows, statistics = prepare([trajectory(number) for number in range(9)], TrainingConfig(), 0)
    write_batch(tmp_path / "batch.parquet", rows, statistics)
    write_batch(tmp_path / "next.parquet", prepare([trajectory(n) for n in range(9, 15)], TrainingConfig(), 0)[0])
    write_batch(tmp_path / "empty.parquet", [])
    return Bench(tmp_path)


def trajectory(number: int) -> Trajectory:
    random = np.random.default_rng(number)
    length = 20 + 5 * number
    mask = (np.arange(length) % 10 >= 6).astype(np.int8)
    logprobs = np.where(mask, -random.uniform(3, 5, length), 0).astype(np.float32)
    tokens = random.integers(0, 64, length).astype(np.int32)
    reward = 1.0 if number % 2 else -1.0
    return Trajectory(f"e{number}", "solver", 1, "bug", tokens, mask, logprobs, 0, reward, "submitted")


def finished(process: "subprocess.Popen[str]") -> str:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


@pytest.mark.slow
def test_one_process_and_two_agree(bench: Bench) -> None:
    started = [bench.launch("one", 1), bench.launch("two", 2)]
    assert bench.run_here("again") == 0
    logs = [finished(process) for process in started]
    assert "1 rank" in logs[0]
    assert "2 ranks" in logs[1]
    for name in ("one", "again", "two"):
        verify(bench.folder / name)
        assert read_state(bench.folder / name) == {"step": 2}
    assert (bench.folder / "one/sha256").read_text() == (bench.folder / "again/sha256").read_text()
    assert (bench.folder / "one.parquet").read_bytes() == (bench.folder / "again.parquet").read_bytes()
    agree(bench.folder / "one", bench.folder / "two")
    one, two = (pq.read_table(bench.folder / f"{name}.parquet").to_pydict() for name in ("one", "two"))
    assert one["sampled_tokens"] == two["sampled_tokens"]
    for name in ("loss", "grad_norm", "entropy", "ratio_mean", "ratio_max", "kl"):
        assert one[name] == pytest.approx(two[name], rel=1e-4)


def agree(one: Path, two: Path) -> None:
    """Weights and optimizer are equal to rounding, and so are the files' names."""
    assert [path.name for path in sorted(one.rglob("*"))] == [path.name for path in sorted(two.rglob("*"))]
    for file in ("model.safetensors", "training/optimizer.safetensors"):
        expected, found = load_file(one / file), load_file(two / file)
        assert expected.keys() == found.keys()
        for key, value in expected.items():
            torch.testing.assert_close(found[key], value, atol=2e-6, rtol=1e-4, msg=key)


@pytest.mark.slurm
@pytest.mark.usefixtures("slurm")
def test_two_tasks_of_srun_train_as_one_process(bench: Bench) -> None:
    """Two machines are two tasks on one node here: each starts `ssr train`, which meets the other and agrees."""
    options = module_arguments(bench.command("two", processes=2, machines=2))
    start = launcher(load_scale(bench.folder / "two.yaml")).split()
    launched = bench.popen([*start, "--overcommit", sys.executable, "-m", "ssr", "train", *options], {})
    assert bench.run_here("one") == 0
    log = finished(launched)
    assert log.count("on 2 ranks") == 2, "the first of both says each of the two steps"
    agree(bench.folder / "one", bench.folder / "two")


SHARDED = {"sharding": "fsdp2", "activations": "checkpoint"}


@pytest.mark.slow
def test_two_sharded_processes_equal_one_and_hand_over_to_one(bench: Bench) -> None:
    started = bench.ranks("two", 2, **SHARDED)
    assert bench.run_here("one") == 0
    for process in started:
        finished(process)
    agree(bench.folder / "one", bench.folder / "two")
    assert bench.run_here("one-more", batch="next", start="one") == 0
    assert bench.run_here("handed-over", batch="next", start="two") == 0
    agree(bench.folder / "one-more", bench.folder / "handed-over")


@pytest.mark.slow
def test_sharded_adapters_equal_those_of_one_process(bench: Bench) -> None:
    lora = {"rank": 4, "alpha": 8}
    started = bench.ranks("two", 2, **SHARDED, lora=lora)
    assert bench.run_here("one", lora=lora) == 0
    for process in started:
        finished(process)
    agree(bench.folder / "one", bench.folder / "two")


KILLED = """
import os, signal, sys
from ssr.training import trainer
from ssr.plan.jobs import launcher
from ssr.training.__main__ import main
right = trainer.Trainer.train_step
def fatal(self, rows):
    if self.step == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return right(self, rows)
trainer.Trainer.train_step = fatal
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_a_killed_generation_goes_on_to_the_same_bytes(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Killed in its third step of four, it goes on after the second, and ends as if nothing had been."""
    arguments = module_arguments(bench.command("killed", steps=4))
    killed = bench.popen([sys.executable, "-c", KILLED, *arguments], {})
    assert bench.run_here("whole", steps=4) == 0
    killed.communicate(timeout=300)
    assert killed.returncode == -signal.SIGKILL
    assert not (bench.folder / "killed").exists() and (bench.folder / ".killed.unfinished").exists()
    caplog.clear()
    caplog.set_level(logging.INFO)
    assert bench.run_here("killed", steps=4) == 0
    assert [message[:7] for message in caplog.messages if message.startswith("step")] == ["step 3:", "step 4:"]
    assert (bench.folder / "whole/sha256").read_text() == (bench.folder / "killed/sha256").read_text()
    assert (bench.folder / "whole.parquet").read_bytes() == (bench.folder / "killed.parquet").read_bytes()


@pytest.mark.slow
def test_a_generation_that_is_killed_after_its_checkpoint_takes_its_last_step_again_and_no_other(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Killed from outside when its checkpoint is whole and its metrics are not: the step before the last is kept."""
    in_the_way = bench.folder / ".killed.parquet.partial"  # takes a while to remove
    in_the_way.mkdir()
    for number in range(20_000):
        (in_the_way / str(number)).touch()
    running = bench.popen(bench.command("killed", steps=4), {})
    while not (bench.folder / "killed" / "sha256").exists():
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    running.kill()
    running.communicate(timeout=60)
    assert running.returncode == -signal.SIGKILL and not (bench.folder / "killed.parquet").exists()
    caplog.set_level(logging.INFO)
    assert bench.run_here("killed", steps=4) == 0
    assert [message[:7] for message in caplog.messages if message.startswith("step")] == ["step 4:"]
    assert bench.run_here("whole", steps=4) == 0
    assert (bench.folder / "whole/sha256").read_text() == (bench.folder / "killed/sha256").read_text()
    assert (bench.folder / "whole.parquet").read_bytes() == (bench.folder / "killed.parquet").read_bytes()


def test_a_generation_whose_end_nobody_noted_takes_its_last_step_again_until_the_next_one_is_trained(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """As when snakemake is killed before it notes the job's end: it takes the job's files back and starts it anew."""
    caplog.set_level(logging.INFO)

    def steps() -> list[str]:
        caplog.clear()
        assert bench.run_here("001", steps=3) == 0
        return [message[:7] for message in caplog.messages if message.startswith("step")]

    assert steps() == ["step 1:", "step 2:", "step 3:"]
    written = {path.name: path.read_bytes() for path in (bench.folder / "001").iterdir() if path.is_file()}
    shutil.rmtree(bench.folder / "001")
    assert steps() == ["step 3:"]
    assert written == {path.name: path.read_bytes() for path in (bench.folder / "001").iterdir() if path.is_file()}
    assert bench.run_here("002", batch="next", start="001") == 0
    assert not (bench.folder / ".001.unfinished").exists() and (bench.folder / ".002.unfinished").exists()


@pytest.mark.parametrize("lora", [None, {"rank": 2, "alpha": 4}])
def test_an_old_checkpoint_gives_up_its_optimizer_state_when_a_later_one_is_whole(
    bench: Bench, capsys: pytest.CaptureFixture[str], lora: dict[str, int] | None
) -> None:
    def train(start: str, name: str, *more: str) -> int:
        options = {"batch": "next", "lora": lora} if lora else {"batch": "next"}
        return main([*module_arguments(bench.command(name, start=start, **options)), *more])  # type: ignore[arg-type]

    old, state = bench.folder / "001", bench.folder / "001" / "training" / "optimizer.safetensors"
    assert train("000", "001") == train("001", "002") == train("002", "unspent") == 0
    before = (old / "sha256").read_text()
    assert train("missing", "003", "--spent", str(old)) != 0 and state.exists()
    assert train("002", "003", "--spent", str(old)) == 0
    assert not state.exists() and (old / "model.safetensors").exists() and (old / "sha256").read_text() == before
    assert wrong_files(old, deep=False) == []
    assert (bench.folder / "003/sha256").read_text() == (bench.folder / "unspent/sha256").read_text()
    for name in ("002", "003"):
        verify(bench.folder / name)
    capsys.readouterr()
    assert train("001", "again") == 1
    assert "gave up its optimizer state" in capsys.readouterr().err


def test_metrics_are_logged_for_tensorboard_beside_the_same_bytes(bench: Bench) -> None:
    assert bench.run_here("plain") == 0
    for name, batch, start in (("001", "batch", "000"), ("002", "next", "001")):
        line = [*bench.command(name, batch=batch, start=start), "--events", str(bench.folder / "events")]
        assert main(module_arguments(line)) == 0
    assert (bench.folder / "plain/sha256").read_text() == (bench.folder / "001/sha256").read_text()
    rows = [row for name in ("001", "002") for row in pq.read_table(bench.folder / f"{name}.parquet").to_pylist()]
    logged = read_events(bench.folder / "events")
    assert list(logged) == [row["step"] for row in rows] == [1, 2, 3, 4]
    for row in rows:
        del row["step"]
    assert list(logged.values()) == [pytest.approx(row, rel=1e-6) for row in rows]


def test_an_empty_batch_passes_the_weights_on(bench: Bench) -> None:
    assert bench.run_here("001", batch="empty") == 0
    before, after = (bench.folder / name / "model.safetensors" for name in ("000", "001"))
    assert before.read_bytes() == after.read_bytes()
    assert read_state(bench.folder / "001") == {"step": 0}
    metrics = pq.read_table(bench.folder / "001.parquet").to_pylist()
    assert [(row["step"], row["rows"], row["loss"]) for row in metrics] == [(0, 0, None)]


def test_an_error_is_one_line_and_no_checkpoint(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.run_here("001", batch="missing") == 1
    assert capsys.readouterr().err.startswith(f"error: {bench.folder / 'missing.parquet'} is no batch")
    assert not (bench.folder / "001").exists()
