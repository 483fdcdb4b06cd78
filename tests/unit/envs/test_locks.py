"""envs/check_locks.py: what the locks hold is what pyproject.toml asks for, and what is wrong with one is said."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
sys.path.append(str(ROOT / "envs"))
check_locks = pytest.importorskip("check_locks")
LOCK = os.environ.get("VIRTUAL_ENV", "").partition(".venv-")[2] or "cpu"
"""The lock of the environment that runs this: the one whose packages' own requirements can be read."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The requirements of the project, and of its locks the one of this environment."""
    (tmp_path / "envs").mkdir()
    shutil.copyfile(ROOT / "envs" / f"{LOCK}.lock", tmp_path / "envs" / f"{LOCK}.lock")
    text = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(re.sub(rf"^locks\.(?!{LOCK} ).*\n", "", text, flags=re.MULTILINE))
    return tmp_path


def test_the_locks_agree_with_the_project() -> None:
    command = [sys.executable, str(ROOT / "envs" / "check_locks.py"), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"envs/(\w+)\.lock: \d{3} pins, 0 faults", done.stdout) == ["cpu", "cuda", "vllm"]


def test_no_lock_names_an_address() -> None:
    for lock in (ROOT / "envs").glob("*.lock"):
        assert "://" not in lock.read_text() and "index-url" not in lock.read_text()


def without(pin: str) -> Callable[[str], str]:
    return lambda text: re.sub(rf"^{pin}==.*\n(?:    .*\n)+", "", text, flags=re.MULTILINE)


ANOTHER = f"nobody-asked==1 \\\n    --hash=sha256:{'0' * 64}\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("pydantic"), "pyproject.toml needs pydantic>=2.14, which is not pinned"),
        (without("markupsafe"), "jinja2 needs MarkupSafe>=2.0, which is not pinned"),
        (lambda text: re.sub(r"^typer==\S+", "typer==0.1.0", text, flags=re.MULTILINE), "typer>=0.29, pinned is 0.1.0"),
        (lambda text: text + ANOTHER, "nobody-asked is pinned and nothing needs it"),
        (lambda text: text + "nobody-asked==1 \\\n", "the last pin has no hash"),
        (lambda text: text + "--index-url https://example.org/simple\n", "is neither a pin nor a hash: --index-url"),
        (lambda text: text + "ssr @ https://example.org/ssr.whl\n", "is neither a pin nor a hash: ssr @"),
    ],
)
def test_a_fault_is_named(
    project: Path, change: Callable[[str], str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = project / "envs" / f"{LOCK}.lock"
    lock.write_text(change(lock.read_text()))
    assert check_locks.main(project, None) == 1
    printed = capsys.readouterr().err
    assert said in printed and f"envs/{LOCK}.lock: " in printed


def test_a_new_requirement_is_missed_in_every_lock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "envs", tmp_path / "envs")
    text = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(text.replace('"unidiff>=1.0"', '"unidiff>=1.0", "flask>=3"'))
    assert check_locks.main(tmp_path, None) == 1
    assert capsys.readouterr().err.count("pyproject.toml needs flask>=3, which is not pinned") == 3
