"""A copy of the project for each page."""

import shutil
from pathlib import Path

import pytest
from docs_pages import ROOT, copy_project


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, with the results of `smoke` where they were played here."""
    folder = tmp_path_factory.mktemp("checkout")
    copy_project(folder)
    if (ROOT / "results" / "smoke" / "tables" / "results.md").exists():
        for name in ("smoke", "snapshots"):
            shutil.copytree(ROOT / "results" / name, folder / "results" / name, symlinks=True)
    return folder
