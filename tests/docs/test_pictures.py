"""The pictures of the documentation are those that the command draws."""

import sys

import pytest
from docs_pages import ROOT

sys.path.append(str(ROOT / "docs"))
pictures = pytest.importorskip("pictures")


@pytest.mark.parametrize("name", ["loop", "graph"])
def test_the_picture_is_what_the_command_draws(name: str) -> None:
    drawn = getattr(pictures, name)()
    assert (ROOT / "docs" / f"{name}.svg").read_text() == drawn, "envs/shell python docs/pictures.py draws it anew"
