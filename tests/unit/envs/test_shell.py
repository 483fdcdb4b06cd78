"""envs/shell on a small project of its own: a lock with one local wheel, and a build backend that needs no network."""

import hashlib
import os
import resource
import shutil
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "envs" / "shell"
BACKEND = """
import zipfile
from pathlib import Path

def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(Path(folder, "tiny-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("tiny.pth", str(Path.cwd() / "src"))
        wheel.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n")
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")
    return "tiny-1-py3-none-any.whl"
"""


def make_wheel(folder: Path, name: str) -> str:
    """Write a wheel with one module and return its line of a lock."""
    path = folder / f"{name}-1-py3-none-any.whl"
    info = f"{name}-1.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", "answer = 42\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return f"{name}==1 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def make_project(folder: Path) -> Path:
    root = folder / "project"
    for name in ("envs", "src", "backend"):
        (root / name).mkdir(parents=True)
    (folder / "wheels").mkdir()
    (folder / "home").mkdir()
    (root / "envs" / "shell").write_bytes(SCRIPT.read_bytes())
    (root / "envs" / "shell").chmod(0o755)
    (root / "envs" / "cpu.lock").write_text(make_wheel(folder / "wheels", "locked"))
    (root / "flake.nix").write_text("{ }\n")
    (root / "src" / "own.py").write_text("")
    (root / "backend" / "tiny_backend.py").write_text(BACKEND)
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "tiny_backend"\nbackend-path = ["backend"]\n'
    )
    return root


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose environment is there; tests that share it leave it as it is."""
    root = make_project(tmp_path_factory.mktemp("made"))
    first = shell(root, "python", "-c", "import locked, own, sys; print(locked.answer); sys.exit(7)")
    assert (first.returncode, first.stdout) == (7, "42\n"), first.stderr
    assert "making .venv" in first.stderr
    return root


def shell(project: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(project.parent / "home"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(project.parent / "wheels"),
        "SSR_NIX": "0",
    }
    return subprocess.run(
        [project / "envs" / "shell", *command], env=environment | variables, capture_output=True, text=True, timeout=600
    )


def processor_seconds() -> float:
    """What the processes started here have used, however busy the machine is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fake_tool(folder: Path, name: str, body: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/bash\n{body}\n")
    (folder / name).chmod(0o755)


def link_tools(folder: Path, *names: str) -> None:
    for name in names:
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)


@pytest.mark.slow
def test_a_second_call_makes_nothing(made: Path) -> None:
    before = processor_seconds()
    second = shell(made, "bash", "-c", "echo $VIRTUAL_ENV $PYTHONHASHSEED $OMP_NUM_THREADS")
    assert (second.stdout, second.stderr) == (f"{made}/.venv 0 1\n", "")
    assert processor_seconds() - before < 0.5


@pytest.mark.slow
def test_a_wrong_wheel_is_refused_and_what_is_half_made_or_outdated_made_again(project: Path) -> None:
    lock = project / "envs" / "cpu.lock"
    right = lock.read_text()
    lock.write_text(right.split("sha256:")[0] + "sha256:" + "0" * 64 + "\n")
    result = shell(project, "true")
    assert result.returncode == 1
    assert "could not install envs/cpu.lock" in result.stderr
    assert "PIP_FIND_LINKS" in result.stderr
    (project / ".venv" / "half").write_text("")
    lock.write_text(right)
    assert shell(project, "python", "-c", "import locked, own").returncode == 0
    assert not (project / ".venv" / "half").exists()
    lock.write_text(right + make_wheel(project.parent / "wheels", "later"))
    assert shell(project, "python", "-c", "import locked, later").returncode == 0


@pytest.mark.slow
def test_another_lock_makes_another_environment(made: Path) -> None:
    (made / "envs" / "big.lock").write_text(make_wheel(made.parent / "wheels", "larger"))
    command = "python -c 'import larger, own' && echo $VIRTUAL_ENV ${SSR_LOCK-}"
    result = shell(made, "bash", "-c", command, SSR_LOCK="big")
    assert result.stdout == f"{made}/.venv-big\n"
    assert "making .venv-big from envs/big.lock" in result.stderr
    assert shell(made, "python", "-c", "import larger").returncode == 1


@pytest.mark.slow
def test_a_linked_environment_is_another_checkouts_and_stays_as_it_is(made: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(made, clone, ignore=shutil.ignore_patterns(".venv*"))
    (clone / ".venv").symlink_to(made / ".venv")
    (clone / "src" / "own.py").write_text("print('of the clone')\n")
    before = (made / ".venv" / "stamp").read_bytes()
    result = shell(clone, "python", "-c", "import locked, own")
    assert (result.returncode, result.stdout, result.stderr) == (0, "of the clone\n", "")
    assert (made / ".venv" / "stamp").read_bytes() == before


@pytest.mark.slow
def test_calls_side_by_side_make_one_environment(project: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: shell(project, "python", "-c", "import locked, own"), range(3)))
    assert [result.returncode for result in results] == [0, 0, 0]
    assert sum("making .venv" in result.stderr for result in results) == 1


def test_no_command_is_a_usage_error(project: Path) -> None:
    result = shell(project)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "usage" in result.stderr


def test_a_missing_tool_is_one_clear_line_for_an_ordinary_user(project: Path, tmp_path: Path) -> None:
    fake_tool(tmp_path, "id", "echo 1000")
    link_tools(tmp_path, "bash", "env", "dirname", "cat", "sha256sum", "cut", "flock", "git")
    result = shell(project, "true", PATH=str(tmp_path))
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "bubblewrap is missing: install it (Debian and Ubuntu: apt-get install bubblewrap)" in result.stderr


@pytest.mark.slow
def test_root_gets_a_missing_tool_from_apt(made: Path, tmp_path: Path) -> None:
    fake_tool(tmp_path, "id", "echo 0")
    fake_tool(tmp_path, "apt-get", f"[[ $1 == install ]] && echo >{tmp_path}/bwrap && chmod +x {tmp_path}/bwrap")
    link_tools(tmp_path, "bash", "env", "dirname", "cat", "sha256sum", "cut", "flock", "git", "chmod")
    result = shell(made, "python", "-c", "import locked", PATH=str(tmp_path))
    assert (result.returncode, result.stderr) == (0, "envs/shell: installing bubblewrap\n")


@pytest.mark.slow
def test_nix_that_does_not_work_is_tried_once(made: Path, tmp_path: Path) -> None:
    fake_tool(tmp_path, "nix", "exit 1")
    path = f"{tmp_path}:{os.environ['PATH']}"
    first = shell(made, "python", "-c", "import locked", SSR_NIX="1", PATH=path)
    assert first.returncode == 0
    assert "nix develop does not work here" in first.stderr
    assert shell(made, "true", SSR_NIX="1", PATH=path).stderr == ""


@pytest.mark.slow
def test_nix_that_works_runs_the_command_inside(project: Path) -> None:
    tools = project.parent / "tools"
    body = 'while [[ $1 != --command ]]; do [[ $1 == --profile ]] && touch "$2"; shift; done; shift\n'
    fake_tool(tools, "nix", body + 'IN_NIX_SHELL=impure exec "$@"')
    path = f"{tools}:{os.environ['PATH']}"
    result = shell(project, "bash", "-c", "echo $IN_NIX_SHELL $VIRTUAL_ENV", SSR_NIX="1", PATH=path)
    assert result.stdout == f"impure {project}/.venv\n", result.stderr
