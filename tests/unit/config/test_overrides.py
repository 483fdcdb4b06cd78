"""Keys changed for one command: what may be written, what file the changed scale is, who is refused."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from ssr.cli import app
from ssr.config import load_scale
from ssr.config.overrides import changed_keys, effective_scale, parse_overrides
from ssr.errors import ConfigError
from ssr.selfplay.tasks import read_tasks

ROOT = Path(__file__).parents[3]
SMOKE = ROOT / "workflow" / "config" / "smoke.yaml"


def test_dotted_and_nested_words_mean_the_same() -> None:
    assert parse_overrides(["game.attempts=2", "name=other"]) == parse_overrides(["game={attempts: 2}", "name=other"])


def test_values_are_yaml() -> None:
    words = ["training.learning_rate=1.0e-3", "seeds=[0, 1]", "include=null", "game.canary=false"]
    values = {"training": {"learning_rate": 1e-3}, "seeds": [0, 1], "include": None, "game": {"canary": False}}
    assert parse_overrides(words) == values


@pytest.mark.parametrize("word", ["game.attempts", "=3", "game..attempts=3", "game.attempts=[1"])
def test_a_word_that_changes_nothing_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match="-c"):
        parse_overrides([word])


def test_the_changed_scale_is_one_file_named_by_its_content(tmp_path: Path) -> None:
    first = effective_scale(SMOKE, {"game": {"attempts": 2}}, tmp_path)
    again = effective_scale(SMOKE, {"game": {"attempts": 2}}, tmp_path)
    other = effective_scale(SMOKE, {"game": {"attempts": 3}}, tmp_path)
    assert first == again and first != other and first.parent == tmp_path / "smoke" / "scales"
    assert load_scale(first) == load_scale(SMOKE, {"game": {"attempts": 2}})
    assert effective_scale(SMOKE, {}, tmp_path) == SMOKE


def test_what_snakemake_was_given_as_text_is_read_as_yaml() -> None:
    values = load_raw() | {"game": load_raw()["game"] | {"attempts": "2", "canary": "false"}, "seeds": ["0", "1"]}
    assert changed_keys(values, SMOKE) == {"game": {"attempts": 2, "canary": False}, "seeds": [0, 1]}
    assert changed_keys(load_raw(), SMOKE) == {}


def test_a_command_is_given_the_changed_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "workflow", "workflow")
    shutil.copyfile(SMOKE, "smoke.yaml")
    place = ["--run", "ssr", "--seed", "0", "--generation", "1", "--out", "tasks.parquet"]
    made = CliRunner().invoke(
        app, ["tasks", "--scale", "smoke.yaml", "-c", "selfplay.injections=4", *place], catch_exceptions=False
    )
    assert made.exit_code == 0, made.output
    assert len(read_tasks(Path("tasks.parquet"))) == 4


def test_a_key_that_no_scale_has_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"game\.atempts: Extra inputs"):
        effective_scale(SMOKE, {"game": {"atempts": 2}}, tmp_path)
    assert not any(tmp_path.iterdir())


def load_raw() -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load(SMOKE.read_text())
    return raw
