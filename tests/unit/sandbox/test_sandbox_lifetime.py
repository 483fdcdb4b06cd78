"""Start and end of backends: what is missing is named, and nothing is left behind, not even by kill -9."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ssr.config import SandboxConfig
from ssr.errors import SandboxError
from ssr.repository.snapshot import Snapshot
from ssr.sandbox import factory
from ssr.sandbox.bubblewrap import Bubblewrap
from ssr.sandbox.scratch import PREFIX

ROOT = Path(__file__).parents[3]
ORDINARY_USER = 4242

PLAYER = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from ssr.config import SandboxConfig
    from ssr.repository.snapshot import Snapshot
    from ssr.sandbox.bubblewrap import Bubblewrap
    backend = Bubblewrap(SandboxConfig(disk_mb=16, processes=20, memory_mb=300), sys.argv[2])
    snapshot = Snapshot("pocket", Path(sys.argv[1]), "HEAD", (), (".",), sys.argv[3])
    sandbox = backend.open(snapshot)
    shell = sandbox.shell()
""")


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="ssr-test-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_closing_leaves_nothing(snapshot: Snapshot, processes_of_host: Callable[[str], list[int]]) -> None:
    with Bubblewrap(SandboxConfig(), factory.probe()) as backend:
        sandbox = backend.open(snapshot)
        sandbox.shell().run("sleep 54323.1 &", 30)
        sandbox.fork().close()
        sandbox.close()
        assert processes_of_host("sleep 54323.1") == []
        assert processes_of_host(str(backend.scratch.root)) == []
        assert [path for path in backend.scratch.root.iterdir() if path.name.startswith("state")] == []
    assert not backend.scratch.root.exists()


def test_nothing_of_a_sandbox_is_mounted_outside(snapshot: Snapshot) -> None:
    with Bubblewrap(SandboxConfig(), factory.probe()) as backend:
        sandbox = backend.open(snapshot)
        sandbox.run("true", timeout_s=30)
        assert str(backend.scratch.root) not in Path("/proc/mounts").read_text()
        sandbox.close()


def test_a_killed_harness_leaves_no_process_and_the_next_removes_its_folder(
    snapshot: Snapshot,
    public: Path,
    processes_of_host: Callable[[str], list[int]],
    eventually: Callable[[Callable[[], bool]], bool],
) -> None:
    script = f"{PLAYER}shell.run(sys.stdin.readline(), 30)\nprint('playing', flush=True)\ntime.sleep(60)"
    command = [sys.executable, "-c", script, str(snapshot.root), factory.probe(), snapshot.python]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path]), "TMPDIR": str(public)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe) as player:
        assert player.stdin and player.stdout
        player.stdin.write(b"setsid sleep 54323.2 & sleep 54323.2 &\n")  # no argument: only the sleeps are counted
        player.stdin.flush()
        assert player.stdout.readline() == b"playing\n"
        assert eventually(lambda: len(processes_of_host("sleep 54323.2")) == 2)
        player.send_signal(signal.SIGKILL)
    assert eventually(lambda: processes_of_host("sleep 54323.2") == [])
    stale = list(public.glob(f"{PREFIX}*"))
    assert len(stale) == 1
    subprocess.run([sys.executable, "-c", PLAYER, *command[3:]], env=environment, check=True)
    assert list(public.glob(f"{PREFIX}*")) == []


@pytest.mark.parametrize("program", ["nsenter", "bwrap"])
def test_a_command_that_somebody_else_kills_is_no_failure_of_the_command(
    program: str,
    snapshot: Snapshot,
    processes_of_host: Callable[[str], list[int]],
    eventually: Callable[[Callable[[], bool]], bool],
) -> None:
    with Bubblewrap(SandboxConfig(), factory.probe()) as backend, ThreadPoolExecutor(1) as pool:
        sandbox = backend.open(snapshot)
        running = pool.submit(sandbox.run, "sleep 54323.7; true", timeout_s=60)
        assert eventually(lambda: bool(processes_of_host("sleep 54323.7")))
        os.kill(ancestor(processes_of_host("sleep 54323.7")[0], program), signal.SIGKILL)
        with pytest.raises(SandboxError, match=r"killed from outside \(signal 9\)"):
            running.result()
        assert sandbox.run("kill -9 $$", timeout_s=30).exit_code == 137, "the command's own doing"
        sandbox.close()


def ancestor(process: int, program: str) -> int:
    """The nearest process above one that runs a program."""
    name, _, rest = Path(f"/proc/{process}/stat").read_text().partition("(")[2].rpartition(")")
    return process if name == program else ancestor(int(rest.split()[1]), program)


def test_folders_in_use_are_kept(snapshot: Snapshot) -> None:
    with Bubblewrap(SandboxConfig(), "copy") as first, Bubblewrap(SandboxConfig(), "copy"):
        assert first.scratch.root.exists()


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    factory.probe.cache_clear()
    with pytest.raises(SandboxError, match=r"apt install bash bubblewrap git util-linux"):
        factory.open_backend(SandboxConfig())
    factory.probe.cache_clear()


def test_forbidden_namespaces_are_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, snapshot: Snapshot
) -> None:
    """A kernel that says no, by an `unshare` that repeats its words."""
    forbidding = tmp_path / "unshare"
    forbidding.write_text("#!/bin/sh\necho 'unshare: unshare failed: Operation not permitted' >&2\nexit 1\n")
    forbidding.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    factory.probe.cache_clear()
    with pytest.raises(SandboxError, match=r"forbids the namespaces.*unprivileged_userns_clone"):
        factory.open_backend(SandboxConfig())
    factory.probe.cache_clear()


def test_a_sandbox_that_dies_is_an_infrastructure_failure(snapshot: Snapshot) -> None:
    with Bubblewrap(SandboxConfig(), factory.probe()) as backend:
        sandbox = backend.open(snapshot)
        shell = sandbox.shell()
        shell.run("true", 30)
        sandbox._holder._process.kill()
        sandbox._holder._process.wait()
        for action in (lambda: sandbox.run("true", timeout_s=30), lambda: sandbox.read_file("x"), sandbox.fork):
            with pytest.raises(SandboxError):
                action()
        sandbox.close()


def test_a_folder_that_users_cannot_enter_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root's sandboxes run as another user")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(closed))
    with pytest.raises(SandboxError, match="TMPDIR"):
        Bubblewrap(SandboxConfig(), "copy")


def test_an_ordinary_user_has_the_same_sandbox(snapshot: Snapshot, public: Path) -> None:
    """The caller is root here: it becomes an ordinary user, with an interpreter that this user may run."""
    script = PLAYER + textwrap.dedent("""
        sandbox.write_file("a/b", b"written")
        script = "rm -r tests && mkdir tests; echo x > /tmp/t; id -u; hostname; cat a/b; echo; git status -s | tail -1"
        print(shell.run(script, 60).output)
        fork = sandbox.fork()
        sandbox.close()
        print(fork.run("ls tests; cat /tmp/t; ls /root", timeout_s=60).output)
        print(fork.run("python -m pytest --version; python -c 'import pocket'", timeout_s=60).output)
        print(fork.run("python -c 'x = bytearray(2**29)'; cat /dev/zero > /dev/shm/x", timeout_s=60).output)
        print(fork.run("for i in $(seq 40); do sleep 9 & done", timeout_s=5).output)
        fork.close()
        backend.close()
    """)
    root = public / "snapshot"
    shutil.copytree(snapshot.root, root, symlinks=True)
    subprocess.run(["chown", "-R", str(ORDINARY_USER), root], check=True)
    command = ["setpriv", "--reuid", str(ORDINARY_USER), "--regid", str(ORDINARY_USER), "--clear-groups", "env", "-i"]
    command += [f"PATH={os.environ['PATH']}", f"TMPDIR={public}", f"PYTHONPATH={ROOT / 'src'}:{_packages()}"]
    python = _readable_python([*command])
    done = subprocess.run(
        [*command, python, "-c", script, str(root), "copy", snapshot.python], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    facts = done.stdout.split("\n")
    assert facts[:4] == ["1000", "sandbox", "written", "?? a/"], done.stdout
    assert "\nx\nls: cannot access '/root': No such file" in done.stdout
    assert "\npytest " in done.stdout
    for limit in ("MemoryError", "No space left on device", "fork: retry: Resource temporarily unavailable"):
        assert limit in done.stdout
    assert list(public.glob(f"{PREFIX}*")) == []


def _packages() -> str:
    return next(path for path in sys.path if path.endswith("site-packages"))


def _readable_python(command: list[str]) -> str:
    if os.geteuid() != 0:
        pytest.skip("the whole suite runs as an ordinary user already")
    for python in (sys.executable, "/usr/bin/python3"):
        probe = [*command, python, "-c", "import sys, pydantic, yaml; print(sys.version_info[:2])"]
        done = subprocess.run(probe, capture_output=True, text=True)
        if done.stdout.strip() == str(sys.version_info[:2]):
            return python
    pytest.skip("no interpreter of this version that ordinary users may run can import this package's requirements")
