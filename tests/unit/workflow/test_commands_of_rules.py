"""The commands that rules run."""

import re
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from ssr.cli import app

ROOT = Path(__file__).parents[3]
RUN = re.compile(r'(?:"|\} )ssr ((?:[a-z][a-z-]* ?)+)')
LINES = sorted({line.strip() for path in ROOT.glob("rules/*.smk") for line in RUN.findall(path.read_text())})


def test_rules_run_commands() -> None:
    assert len(LINES) > 15


@pytest.mark.parametrize("line", LINES)
def test_every_command_of_a_rule_is_there(line: str) -> None:
    command = typer.main.get_command(app)
    for word in line.split():
        if isinstance(command, TyperGroup):
            assert word in command.commands, f"ssr {line}: there is no {word}"
            command = command.commands[word]
