"""What the tests of a shard share."""

import pytest

from rollout_shard import Bench, make_bench
from ssr.repository.snapshot import Snapshot


@pytest.fixture(scope="package")
def bench(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_bench(snapshot, tmp_path_factory.mktemp("rollout"))
