"""Metrics of training as TensorBoard reads them."""

import sys
from pathlib import Path

import pytest

from events import read_events
from ssr.errors import ConfigError
from ssr.training.events import EventFile
from ssr.training.metrics import StepMetrics


def metrics(step: int, loss: float | None) -> StepMetrics:
    return StepMetrics(step, 8, 1000, 400, 1, 0.001, loss)


def test_every_metric_of_a_step_is_written_but_those_that_it_does_not_have(tmp_path: Path) -> None:
    file = EventFile(tmp_path, 4)
    file.add(metrics(4, 0.5))
    file.add(metrics(5, None))
    file.close()
    whole = {"rows": 8, "tokens": 1000, "sampled_tokens": 400, "packs": 1, "learning_rate": pytest.approx(0.001)}
    assert read_events(tmp_path) == {4: whole | {"loss": 0.5}, 5: whole}


def test_steps_that_are_trained_again_replace_those_before(tmp_path: Path) -> None:
    for first, loss in ((1, 0.5), (2, 0.25)):
        file = EventFile(tmp_path, first)
        for step in range(first, 4):
            file.add(metrics(step, loss))
        file.close()
    assert {step: values["loss"] for step, values in read_events(tmp_path).items()} == {1: 0.5, 2: 0.25, 3: 0.25}


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ConfigError, match=r"install ssr\[tensorboard\]"):
        EventFile(tmp_path, 1)
