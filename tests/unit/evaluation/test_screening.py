"""Screening: variants of a commit through its tests, each in a fork of one process in one sandbox."""

from pathlib import Path

import pytest

from ssr.contracts import SandboxBackend
from ssr.errors import EvaluationError
from ssr.evaluation import driver
from ssr.evaluation.screening import Variant, screen
from ssr.repository.git import git
from ssr.repository.snapshot import Snapshot

NUMBERS = "pocket/numbers.py"
TESTS = ("tests/test_numbers.py",)


def text(snapshot: Snapshot, path: str) -> str:
    return git("show", f"{snapshot.head}:{path}", cwd=snapshot.tree)


def test_each_variant_starts_from_the_commit(snapshot: Snapshot, backend: SandboxBackend) -> None:
    source = text(snapshot, NUMBERS)
    broken = source.replace("max(low, min(value, high))", "max(low, value)")
    variants = [
        Variant({NUMBERS: broken}, TESTS),
        Variant({}, TESTS),
        Variant({NUMBERS: None}, (*TESTS, "tests/test_text.py")),
        Variant({NUMBERS: broken, "pocket/new.py": "x = 1\n"}, TESTS),
        Variant({}, TESTS),
    ]
    first, second, gone, third, last = screen(backend, snapshot, snapshot.head, variants, 0)
    assert first.failed == third.failed == {"tests/test_numbers.py::test_clamp_above"}
    (failure,) = first.failures
    assert failure.message.startswith("assert 9 == 5") and "clamp(9, 1, 5)" in failure.message
    assert text(snapshot, TESTS[0]).split("\n")[failure.line - 1].strip() == "assert clamp(9, 1, 5) == 5"
    assert second == last and not second.failed and len(second.passed) == 15
    assert gone.failed == {"tests/test_numbers.py"} and "tests/test_text.py::test_slug" in gone.passed
    assert "pocket.numbers" in gone.failures[0].message


def test_a_variant_that_never_ends_is_cut_off(
    snapshot: Snapshot, backend: SandboxBackend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    quick = (
        Path(driver.__file__)
        .read_text()
        .replace("CPU_SECONDS = 8", "CPU_SECONDS = 1")
        .replace("QUIET_SECONDS = 5", "QUIET_SECONDS = 2")
    )
    (tmp_path / "driver.py").write_text(quick)
    monkeypatch.setattr("ssr.evaluation.screening.DRIVER", tmp_path / "driver.py")
    endless = text(snapshot, NUMBERS).replace("for divisor in range(2, number)", "while divisor := 2")
    deadlock = "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()\n"
    variants = [Variant({NUMBERS: endless}, TESTS), Variant({NUMBERS: deadlock}, TESTS), Variant({}, TESTS)]
    stuck, locked, fine = screen(backend, snapshot, snapshot.head, variants, 0)
    assert not stuck.finished and not locked.finished
    assert fine.finished and len(fine.passed) == 15


def test_a_repository_where_pytest_cannot_run_is_an_error(
    snapshot: Snapshot, backend: SandboxBackend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "driver.py").write_text("import no_such_module\n")
    monkeypatch.setattr("ssr.evaluation.screening.DRIVER", tmp_path / "driver.py")
    with pytest.raises(EvaluationError, match="pytest cannot run"):
        screen(backend, snapshot, snapshot.head, [Variant({}, TESTS)], 0)
