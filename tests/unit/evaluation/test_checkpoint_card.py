"""A checkpoint with its card, as the hub's own library and transformers read them."""

import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from typer.testing import CliRunner

from ssr.cli import app
from ssr.digests import wrong_files

ROOT = Path(__file__).parents[3]
WORDS = ["export-checkpoint", "--scale", str(ROOT / "workflow/config/smoke.yaml"), "--run", "ssr", "--generation", "2"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The released base model in the place of a trained checkpoint, and one report on it."""
    folder = tmp_path / "results"
    checkpoint = folder / "checkpoints" / "ssr" / "s0" / "002"
    shutil.copytree(ROOT / "results" / "released" / "basemodel", checkpoint)
    (checkpoint / "trainer.json").write_text('{"step": 2}')
    (checkpoint / "training").mkdir()
    (checkpoint / "training" / "optimizer.safetensors").touch()
    report = folder / "evaluate" / "ssr" / "s0" / "002" / "builtin-pro" / "report.json"
    report.parent.mkdir(parents=True)
    report.write_text(json.dumps({"benchmark": "builtin-pro", "resolved": {"a": True, "b": False, "c": False}}))
    return folder


def test_the_hub_reads_the_card_and_the_scores_in_it(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(app, [*WORDS, "--results", str(results), "--out", str(out), "--licence", "mit"])
    assert done.exit_code == 0, done.output
    card = ModelCard.load(out / "README.md")
    assert (card.data.license, card.data.library_name) == ("mit", "transformers")
    (score,) = card.data.eval_results or []
    assert (score.dataset_name, score.metric_value) == ("builtin-pro", 0.3333)
    assert "after generation 2 (2 optimizer steps)" in " ".join(card.text.split())
    assert {path.name for path in out.iterdir()} >= {"config.json", "model.safetensors", "tokenizer.json"}
    assert not (out / "training").exists() and wrong_files(out) == []


def test_a_checkpoint_that_is_not_made_says_how_to_make_it(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [*WORDS, "--results", str(tmp_path / "none"), "--out", str(tmp_path / "out")])
    assert "none/checkpoints/ssr/s0/002/sha256` first" in str(done.exception)
