"""One arena for all attacks."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest
from arena import Arena
from host import SECRET, Host

from javascript_project import write_javascript
from ssr.config import SandboxConfig
from ssr.daemon import Daemon
from ssr.game.store import RunStore
from ssr.repository.build import make_snapshot
from ssr.repository.listing import GitSpec
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.factory import open_backend

LIMITS = SandboxConfig(memory_mb=400, processes=48, cpu_seconds=2, file_mb=8, disk_mb=24, output_bytes=20_000)


@pytest.fixture(scope="session")
def arena(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    yield from _arena(snapshot, tmp_path_factory.mktemp("host"), "bubblewrap")


@pytest.fixture(scope="session")
def docker_arena(snapshot: Snapshot, daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """The same in containers, where this machine has an engine."""
    yield from _arena(snapshot, tmp_path_factory.mktemp("host"), "docker")


@pytest.fixture(scope="session")
def javascript_arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """The same around a repository whose tests node runs."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    folder = tmp_path_factory.mktemp("javascript")
    spec = GitSpec(
        name="wordlist",
        kind="git",
        licence="MIT",
        environment=Path("none.json"),
        source="javascript.git",
        commit=write_javascript(folder)[-1],
        tests=("*.test.js",),
    )
    made = make_snapshot(spec, folder, folder / "snapshots" / "wordlist")
    yield from _arena(made, tmp_path_factory.mktemp("host"), "bubblewrap")


def _arena(snapshot: Snapshot, folder: Path, kind: Literal["bubblewrap", "docker"]) -> Iterator[Arena]:
    host, whole, limits = Host(folder), SandboxConfig(backend=kind), LIMITS.model_copy(update={"backend": kind})
    with pytest.MonkeyPatch.context() as patch, closing(host):
        patch.setenv("SSR_SECRET", SECRET)
        with (
            open_backend(whole) as backend,
            open_backend(limits) as limited,
            closing(Arena(backend, limited, snapshot, host, limits, RunStore(whole))) as opened,
        ):
            yield opened
