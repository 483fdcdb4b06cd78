"""docs/adding.md is followed block by block in a copy of the project."""

import os
from pathlib import Path

import pytest
from docs_pages import ROOT, blocks, follow


@pytest.mark.slow
def test_what_the_page_adds_works(checkout: Path) -> None:
    page = ROOT / "docs" / "adding.md"
    for block in blocks(page):
        if block.note != "root" or os.geteuid() == 0:
            follow(block, checkout)
    assert (checkout / "mine" / "seen").read_text().startswith("valid: 2 of 2")
