"""What is kept between two starts: only what follows from the same bytes, and nothing that hinders a start."""

from pathlib import Path

import pytest

from ssr.code import code_digest, source_of
from ssr.remembered import Remembered


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "module.py"
    path.write_text("A = 1")
    (tmp_path / "__pycache__").mkdir()
    return path


def found_out(module: Path, text: bytes) -> bool:
    """Whether a new process has to find out what follows from a text; it does not forget."""
    asked = []
    remembered = Remembered(str(module))
    remembered.value(lambda: asked.append(text), text)
    remembered.keep()
    return bool(asked)


def test_a_value_is_found_out_once_for_the_same_bytes(module: Path) -> None:
    asked = [found_out(module, text) for text in (b"one", b"one", b"two", b"one", b"two")]
    assert asked == [True, False, True, False, False]


def test_another_text_of_the_module_finds_all_out_anew(module: Path) -> None:
    assert found_out(module, b"one")
    module.write_text("A = 2")
    assert found_out(module, b"one")


def test_texts_do_not_run_into_each_other(module: Path) -> None:
    remembered = Remembered(str(module))
    assert remembered.value(lambda: 1, b"ab", b"c") == 1
    assert remembered.value(lambda: 2, b"a", b"bc") == 2


@pytest.mark.parametrize("kept", ["", '{"a": [1'])
def test_a_file_that_was_cut_short_is_made_anew(module: Path, kept: str) -> None:
    path = Remembered(str(module)).path
    path.write_text(kept)
    assert found_out(module, b"one") and not found_out(module, b"one")


def test_values_that_nobody_asks_for_are_forgotten_some_day(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssr.remembered.MOST", 2)
    assert [found_out(module, text) for text in (b"one", b"two", b"three")] == [True] * 3
    assert not found_out(module, b"three") and found_out(module, b"one")


def test_a_folder_that_may_not_be_written_keeps_nothing(module: Path) -> None:
    (module.parent / "__pycache__").rmdir()
    assert found_out(module, b"one") and found_out(module, b"one")
    assert not (module.parent / "__pycache__").exists()


def test_the_digest_of_code_leaves_its_sources_facts_beside_the_byte_code() -> None:
    digest = code_digest(["ssr.files"])
    source = source_of("ssr.code")
    assert source and Remembered(str(source)).path.is_file()
    assert digest == code_digest(["ssr.files"]) != code_digest(["ssr.seeds"])
