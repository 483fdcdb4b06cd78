"""What jobs ask of a cluster, scale by scale."""

from pathlib import Path
from typing import Any

import pytest

from ssr.config import Scale, load_scale
from ssr.plan import jobs

CONFIG = Path(__file__).parents[3] / "workflow" / "config"


def scale(name: str, **changes: Any) -> Scale:  # noqa: ANN401
    return load_scale(CONFIG / f"{name}.yaml", changes)


@pytest.mark.parametrize(
    ("name", "engine", "training", "threads"), [("smoke", None, None, 1), ("small", 1, 1, 8), ("paper", 8, 64, 8)]
)
def test_gpus_and_cores_follow_from_the_scale(
    name: str, engine: int | None, training: int | None, threads: int
) -> None:
    asked = scale(name)
    assert (jobs.engine_gpus(asked), jobs.training_gpus(asked), jobs.training_threads(asked)) == (
        engine,
        training,
        threads,
    )


def test_an_endpoint_has_its_gpus_elsewhere() -> None:
    elsewhere = scale("paper", engine={"kind": "openai", "endpoint": "http://127.0.0.1:1/v1", "model": "cwm"})
    assert jobs.engine_gpus(elsewhere) is None


def test_training_is_started_once_on_each_of_several_machines() -> None:
    assert jobs.launcher(scale("smoke")) == ""
    assert jobs.launcher(scale("paper")) == "srun --ntasks=8 --cpus-per-task=8 --kill-on-bad-exit"
