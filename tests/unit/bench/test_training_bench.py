"""The bench of training, on shapes so small that its figures mean nothing: keys, and that no part of it breaks."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from ssr.bench import training, training_gpu, training_work
from ssr.training.shape import ModelShape

TINY = ModelShape(128, 32, 2, 4, 2, 8, 48, tied=True, head_norms=True)


@pytest.fixture(autouse=True)
def settings_of_torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(training_work.SIZES, "2m", TINY)
    threads = torch.get_num_threads()
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


def test_every_way_does_the_same_work_and_its_figures_have_stable_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "_peak_of", lambda *_: 1.0)
    monkeypatch.setattr(training, "_trl_is_installed", lambda: False)
    training.main(["--size", "2m", "--rows", "2", "--rounds", "1", "--json", str(tmp_path / "figures.json")])
    figures = json.loads((tmp_path / "figures.json").read_text())["sizes"]["2m"]
    assert figures["parameters"] == TINY.parameters
    for way in ("ours", "bare", "plain"):
        assert set(figures[way]) == {"tokens_per_s", "tokens_per_cpu_s", "peak_mb", "flops_share"}
        assert all(value > 0 for value in figures[way].values())
    assert {"ours_over_bare", "ours_over_plain", "tokens", "rows", "longest", "matmul_gflops"} <= set(figures)
    printed = capsys.readouterr().out
    assert all(way in printed for way in ("ours", "bare", "plain", "tokens/s"))


@pytest.mark.slow
def test_parts_of_the_gpu_bench_run_on_a_cpu_too() -> None:
    skip = ("step", "gradients_keep_compiled", "gradients_checkpoint_compiled")
    figures = training_gpu.measure_size(TINY, 1e12, "cpu", pack_tokens=256, longest=256, skip=skip)
    assert len(figures) == 2 + 8
    assert not [name for name, value in figures.items() if isinstance(value, dict) and "error" in value]
    assert figures["parity"]["packed_alone_max"] < 0.2
    assert figures["longest_checkpoint"]["tokens"] == 256
    assert figures["gradients_keep"]["flops_share"] > 0


@pytest.mark.slow
def test_the_bench_imports_no_more_than_pytorch_transformers_and_accelerate_bring() -> None:
    others = ("pydantic", "pyarrow", "peft", "typer", "docker", "swebench", "snakemake", "trl", "datasets")
    code = f"""
import sys, ssr.bench.training, ssr.bench.training_gpu, ssr.bench.training_work as work
from ssr.training.policy import policy_of
policy_of(work.random_model(work.SIZES["2m"], __import__("torch").float32, "cpu"), work.settings())
print([name for name in {others} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
