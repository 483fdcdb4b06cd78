"""A sandbox, and the pocket project with its three commits as releases."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared import made_once
from ssr.config import EvaluationConfig, SandboxConfig
from ssr.contracts import SandboxBackend
from ssr.evaluation.builtin import make_benchmark
from ssr.game.instance import Instance, read_instances, write_instances
from ssr.repository.git import git
from ssr.repository.snapshot import Release, Snapshot
from ssr.sandbox.factory import open_backend


@pytest.fixture(scope="session")
def backend() -> Iterator[SandboxBackend]:
    with open_backend(SandboxConfig()) as backend:
        yield backend


@pytest.fixture(scope="session")
def pocket(snapshot: Snapshot) -> Snapshot:
    commits = git("rev-list", "--reverse", "HEAD", cwd=snapshot.tree).split()
    return replace(snapshot, releases=tuple(Release(str(i), commit) for i, commit in enumerate(commits, start=1)))


@pytest.fixture(scope="session")
def wanted() -> EvaluationConfig:
    return EvaluationConfig(verified_tasks=3, pro_tasks=1, human_tasks=3, test_timeout_s=120)


@pytest.fixture(scope="session")
def verified(
    pocket: Snapshot, backend: SandboxBackend, wanted: EvaluationConfig, tmp_path_factory: pytest.TempPathFactory
) -> list[Instance]:
    def make(folder: Path) -> None:
        write_instances(folder / "tasks.parquet", make_benchmark("builtin-verified", [pocket], backend, wanted))

    return read_instances(made_once(tmp_path_factory, "verified", make) / "tasks.parquet")


@pytest.fixture(scope="session")
def pro(pocket: Snapshot, backend: SandboxBackend, wanted: EvaluationConfig) -> list[Instance]:
    return make_benchmark("builtin-pro", [pocket], backend, wanted)


@pytest.fixture(scope="session")
def human(pocket: Snapshot, backend: SandboxBackend, wanted: EvaluationConfig) -> list[Instance]:
    return make_benchmark("human", [pocket], backend, wanted)
