"""`ssr plan`: the paper's budget from the paper's scale, and a memory prediction that a real step confirms."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from ssr.bench.training_work import SIZES, lengths_of
from ssr.cli import app
from ssr.config import TrainingConfig, load_scale
from ssr.plan.estimate import Assumptions, activation_bytes, logits_bytes, training_memory, volume
from ssr.training.shape import shape_of

ROOT = Path(__file__).parents[3]
SCALES = sorted((ROOT / "workflow" / "config").glob("*.yaml"))


def planned(scale: Path, *options: str) -> str:
    result = CliRunner().invoke(app, ["plan", "--configfile", str(scale), *options])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("scale", SCALES, ids=lambda path: path.stem)
def test_every_scale_can_be_planned(scale: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    printed = planned(scale)
    for line in (
        "parameters",
        "optimizer",
        "activations",
        "KV cache",
        "episodes in flight",
        "hours of training",
        "disk",
    ):
        assert line in printed


def test_the_papers_scale_gives_the_papers_budget(tmp_path: Path) -> None:
    printed = planned(ROOT / "workflow/config/paper.yaml", "--json", str(tmp_path / "plan.json"))
    figures = json.loads((tmp_path / "plan.json").read_text())
    assert figures["steps"] == 150
    assert figures["step_tokens"] == 16 * 2**20
    assert figures["run_tokens"] == pytest.approx(2.5e9, rel=0.01)
    assert figures["packs_a_step"] == 16 * 8
    assert "2.52 B" in printed and "131072" in printed


def test_old_checkpoints_need_less_disk(tmp_path: Path) -> None:
    scale = yaml.safe_load((ROOT / "workflow/config/paper.yaml").read_text())
    sizes = []
    for kept in (None, 2):
        scale["training"]["keep_states"] = kept
        (tmp_path / "paper.yaml").write_text(yaml.safe_dump(scale))
        planned(tmp_path / "paper.yaml", "--json", str(tmp_path / "plan.json"))
        sizes.append(json.loads((tmp_path / "plan.json").read_text()))
    parameters = sizes[0]["parameters"]
    assert sizes[0]["run_disk_bytes"] - sizes[1]["run_disk_bytes"] == 148 * 8 * parameters
    assert sizes[0]["all_disk_bytes"] - sizes[1]["all_disk_bytes"] == 7 * 148 * 8 * parameters


def test_the_papers_training_section_is_in_its_scale() -> None:
    scale = load_scale(ROOT / "workflow/config/paper.yaml")
    training = scale.training
    assert (training.batch_tokens, training.microbatch_tokens, training.processes) == (16 * 2**20, 131_072, 64)
    assert (training.warmup_steps, training.learning_rate, training.max_off_policy_steps) == (30, 3e-6, 8)
    assert (scale.agent.context_tokens, scale.game.attempts, scale.game.alpha) == (131_072, 8, 0.8)
    assert (scale.selfplay.generations, scale.selfplay.injector_group) == (150, 8)


def test_a_measured_rate_replaces_the_assumed_one() -> None:
    scale = ROOT / "workflow/config/paper.yaml"
    assert planned(scale, "--flops", "2e14").count("at 2e+14 FLOP/s") == 1
    assert "4000 tokens/s an engine" in planned(scale, "--decoded", "4000")
    assert "does not fit a GPU of 24 GB" in planned(scale, "--gpu-gb", "24")


def test_what_saves_memory_is_seen_to() -> None:
    scale = load_scale(ROOT / "workflow/config/small.yaml")
    shape, assumed = shape_of("Qwen/Qwen3-8B"), Assumptions.of(scale)

    def device(**keys: object) -> int:
        changed = scale.model_copy(update={"training": scale.training.model_copy(update=keys)})
        return training_memory(shape, changed, assumed).device

    by_activations = [device(activations=key) for key in ("keep", "checkpoint", "offload")]
    assert by_activations == sorted(by_activations, reverse=True)
    assert device(processes=8) < device() / 2
    assert device(lora=TrainingConfig.model_validate({"lora": {}}).lora) < device() / 2


def test_steps_follow_the_global_token_budget() -> None:
    scale = load_scale(ROOT / "workflow/config/small.yaml")
    found = volume(scale, Assumptions.of(scale))
    assert found.step_tokens == scale.training.batch_tokens
    assert found.generation_tokens == 2 * found.step_tokens
    assert found.accumulation == 32


@pytest.mark.slow
def test_the_memory_of_a_real_step_is_as_predicted() -> None:
    """A step of the trainer in a process of its own: gradients, optimizer, activations of its largest pack, logits."""
    rows, shape = 6, SIZES["2m"]
    line = [sys.executable, "-m", "ssr.bench.training", "--only", "ours", "--size", "2m", "--rows", str(rows)]
    measured = float(subprocess.run(line, capture_output=True, text=True, check=True).stdout.split()[-1])
    lengths = lengths_of(rows, 600, 2048)
    packs = -(-sum(lengths) // 4096)
    config = TrainingConfig(microbatch_tokens=sum(lengths) // packs, logit_chunk=1024)
    activations, _ = activation_bytes(shape, config, 4, sum(lengths) // rows)
    predicted = (12 * shape.parameters + activations + logits_bytes(shape, config, 4)) / 2**20
    assert measured == pytest.approx(predicted, rel=0.3), (measured, predicted)
