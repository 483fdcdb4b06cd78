"""A copy of the graph alone."""

from pathlib import Path

import pytest
from graph_project import Project, copy_graph


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return copy_graph(tmp_path)


@pytest.fixture(scope="session")
def smoke_planned(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a dry run of `smoke` says."""
    return copy_graph(tmp_path_factory.mktemp("smoke")).snakemake("-n", "--configfile", "workflow/config/smoke.yaml")
