"""Every command of the README and of docs/ is run, or it is said why not; every link leads somewhere."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from docs_pages import NOT_RUN, ROOT, Block, blocks, commands, follow, pages

from ssr.cli import app

FOLLOWED = ("adding.md",)
"""Pages with a test of their own."""
SHELL = [block for page in pages() for block in blocks(page) if block.language in ("bash", "")]
RUN = [block for block in SHELL if block.language == "bash" and block.page.name not in FOLLOWED]


@pytest.mark.slow
@pytest.mark.parametrize("block", RUN, ids=str)
def test_the_block_runs(block: Block, checkout: Path) -> None:
    """Snakemake plans only, pytest reads its options only; everything else is done in a copy of the project."""
    if block.note in NOT_RUN:
        pytest.skip(NOT_RUN[block.note])
    if block.note == "played" and not (checkout / "results" / "smoke").exists():
        pytest.skip("results/smoke is not played here")
    follow(block, checkout)


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_commands_of_ssr_have_the_options_that_a_page_gives_them(block: Block) -> None:
    for line in commands(block):
        words = re.split(r"(?:^|\s)ssr ", line.replace("…", ""), maxsplit=1)
        if len(words) == 2 and re.match(r"[a-z]", words[1]):
            unknown = unknown_options(shlex.split(words[1].split(" | ")[0]))
            assert not unknown, f"{block}: {line}: {unknown}"


def unknown_options(words: list[str]) -> list[str]:
    """Words of a command of `ssr` that name a command or an option that it has not."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        if not words or words[0] not in command.commands:
            return [] if words and words[0].startswith("-") else words[:1]
        command, words = command.commands[words[0]], words[1:]
    known = {"--help", *(name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts))}
    return [word for word in words if word.startswith("-") and word.partition("=")[0] not in known]


def test_an_unknown_option_is_found() -> None:
    assert unknown_options(["times", "results/mini"]) == []
    assert unknown_options(["evaluate", "batch", "--scale", "x", "--nothing", "1"]) == ["--nothing"]
    assert unknown_options(["no-such-command"]) == ["no-such-command"]


def test_every_block_says_its_language() -> None:
    assert [str(block) for page in pages() for block in blocks(page) if not block.language] == []


def test_notes_of_blocks_are_known() -> None:
    notes = {block.note for block in RUN}
    assert notes <= {*NOT_RUN, "", "played"}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_page_is_listed() -> None:
    listed = (ROOT / "docs" / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in listed] == ["README.md"]
