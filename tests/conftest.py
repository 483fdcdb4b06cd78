"""Fixtures that several rooms share: a wheelhouse, a tiny snapshot made without a network, a real one, a report."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from pocket_project import write_repository
from shared import made_once
from ssr.config import SandboxConfig
from ssr.daemon import Daemon
from ssr.errors import SandboxError
from ssr.repository.build import make_snapshot
from ssr.repository.listing import GitSpec, load_repositories
from ssr.repository.snapshot import Snapshot
from wheelhouse import fill_wheelhouse, no_index

if TYPE_CHECKING:
    from played_results import Played

ROOT = Path(__file__).parent.parent
settings.register_profile("everything", derandomize=True, deadline=None)
settings.register_profile("everyday", derandomize=True, deadline=None, max_examples=20)
settings.load_profile("everything")


def pytest_configure(config: pytest.Config) -> None:
    """The everyday part tries a fifth of the cases of hypothesis; the same ones everywhere."""
    if "not slow" in config.getoption("markexpr"):
        settings.load_profile("everyday")


@dataclass(frozen=True)
class Wheelhouse:
    """Wheels of pytest and what it needs, and hashed requirements that name them."""

    folder: Path
    requirements: str


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Wheelhouse:
    folder = tmp_path_factory.mktemp("wheelhouse")
    return Wheelhouse(folder, fill_wheelhouse(folder))


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory, wheelhouse: Wheelhouse) -> Snapshot:
    """`pocket`: three modules, 25 tests in a second, three commits; its tests need pytest only."""
    folder = made_once(tmp_path_factory, "pocket", lambda folder: make_pocket(folder, wheelhouse))
    return Snapshot.load(folder / "snapshots" / "pocket")


def make_pocket(folder: Path, wheelhouse: Wheelhouse) -> None:
    """Write the project and make its snapshot below a folder."""
    commits = write_repository(folder)
    (folder / "pytest.txt").write_text(wheelhouse.requirements)
    spec = GitSpec(
        name="pocket",
        kind="git",
        licence="MIT",
        environment=Path("pytest.txt"),
        source="pocket.git",
        commit=commits[-1],
        version="3",
    )
    with pytest.MonkeyPatch.context() as patch:
        no_index(patch, wheelhouse.folder)
        make_snapshot(spec, folder, folder / "snapshots" / "pocket")


@pytest.fixture(scope="session")
def real_snapshot(request: pytest.FixtureRequest) -> Snapshot:
    """cachetools as in the list of `mini`: the one under results/, or one made once and kept in pytest's cache."""
    return kept_snapshot(request, "mini.yaml", "cachetools")


@pytest.fixture(scope="session")
def real_javascript(request: pytest.FixtureRequest) -> Snapshot:
    """qs as in the list `javascript`, likewise; needs npm."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    return kept_snapshot(request, "javascript.yaml", "qs")


def kept_snapshot(request: pytest.FixtureRequest, listed: str, name: str) -> Snapshot:
    """A snapshot of one of the project's lists, made where it is nowhere yet."""
    path = ROOT / "workflow" / "repositories" / listed
    spec = load_repositories(path)[name]
    cache = request.config.cache
    assert cache is not None
    kept = cache.mkdir("snapshots") / os.environ.get("PYTEST_XDIST_WORKER", "main") / spec.name
    for folder in (ROOT / "results" / "snapshots" / spec.name, kept):
        if (folder / "manifest.json").exists():
            return Snapshot.load(folder)
    return make_snapshot(spec, path.parent, kept)


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> "Played":
    """Results as a scale leaves them, of episodes that a script made up."""
    from played_results import write_results

    return write_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def report(played: "Played", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static site of those results."""
    from ssr.report.site import make_report

    folder = tmp_path_factory.mktemp("site") / "report"
    make_report(played.results, played.scale_file, ROOT / "paper/reported.csv", folder)
    return folder


@pytest.fixture(scope="session")
def daemon() -> Daemon:
    """The Docker engine of this machine, with the image that sandboxes start from."""
    try:
        daemon = Daemon(None)
        with daemon.errors("no Docker tests"):
            daemon.api.inspect_image(SandboxConfig().image)
    except SandboxError as error:
        pytest.skip(f"{error} (envs/docker-engine, envs/docker-image)")
    return daemon


@pytest.fixture(scope="session")
def slurm() -> None:
    """A Slurm cluster that answers."""
    if shutil.which("sinfo") is None or subprocess.run(["sinfo"], capture_output=True).returncode != 0:
        pytest.skip("no Slurm answers (envs/slurm-node)")
