"""What a process inside can see and reach."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ssr.config import SandboxConfig
from ssr.contracts import Sandbox, SandboxBackend
from ssr.repository.snapshot import Snapshot
from ssr.sandbox import interpreter, layout
from ssr.sandbox.factory import open_backend

BACKENDS = ["bubblewrap", pytest.param("docker", marks=pytest.mark.docker)]
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module", params=BACKENDS)
def shared(request: pytest.FixtureRequest) -> Iterator[SandboxBackend]:
    if request.param == "docker":
        request.getfixturevalue("engine")
    with open_backend(SandboxConfig(backend=request.param)) as backend:
        yield backend


@pytest.fixture
def inside(shared: SandboxBackend, snapshot: Snapshot) -> Iterator[Callable[[str], str]]:
    """Runs a script and returns its output, whatever its exit code."""
    sandbox: Sandbox = shared.open(snapshot)
    yield lambda script: sandbox.run(script, timeout_s=60).output
    sandbox.close()


def test_an_ordinary_user_on_a_fixed_machine(inside: Callable[[str], str]) -> None:
    assert inside("id -u; id -un; id -G; hostname; uname -n") == "1000\nuser\n1000\nsandbox\nsandbox\n"
    assert inside("grep -E '^Cap(Prm|Eff|Amb)|^NoNewPrivs' /proc/self/status").split()[1::2] == ["0" * 16] * 3 + ["1"]


def test_the_environment_is_fixed(inside: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSR_SECRET", "host-secret")
    monkeypatch.setenv("PYTHONPATH", "/host")
    variables = dict(line.split("=", 1) for line in inside("env").splitlines())
    assert variables["LC_ALL"] == variables["LANG"] == "C.UTF-8"
    assert variables["TZ"] == "UTC"
    assert variables["PYTHONHASHSEED"] == "0"
    assert variables["PYTHONDONTWRITEBYTECODE"] == "1"
    assert variables["HOME"] == "/tmp/home"
    assert variables["PYTHONPATH"] == "/testbed:/etc/python"
    assert "host-secret" not in inside("env; cat /proc/*/environ")
    assert inside("date +%Z; echo ~; ls -A ~") == "UTC\n/tmp/home\n"


def test_python_draws_the_same_lots_each_time_and_others_with_another_hash_seed(inside: Callable[[str], str]) -> None:
    draw = "python -c 'import random; print(random.random())'"
    assert inside(draw) == inside(draw) == inside(f"cd /tmp; {draw}") != inside(f"PYTHONHASHSEED=1 {draw}")
    assert "Error" not in inside(f"PYTHONHASHSEED=random {draw}; env -u PYTHONHASHSEED {draw}")


@pytest.mark.parametrize("place", ["/root", "/home", "/work", "/var", "/srv", "/mnt", "/boot", "/sys", "/etc/shadow"])
def test_the_hosts_folders_are_not_there(inside: Callable[[str], str], place: str) -> None:
    """But for the folders above the link to the interpreter."""
    prefix = Path(sys.base_prefix).resolve()
    links = [str(path) for path in [*reversed(prefix.parents), prefix] if path.is_relative_to(place)]
    assert inside(f"find {place} -mindepth 1 2> /dev/null").splitlines() == [link for link in links if link != place]


def test_no_file_of_the_host_is_there(inside: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    for path in (tmp_path / "secret", ROOT, Path.home() / ".bashrc", Path(sys.prefix) / "pyvenv.cfg"):
        if path.exists():
            assert "No such file" in inside(f"ls -d {path}")
    assert inside("ls -A /tmp") == "home\n"


def test_only_the_repository_and_tmp_can_be_written(inside: Callable[[str], str]) -> None:
    script = (
        "for d in / /usr /etc /environment /opt/venv /opt/python /opt /run /dev /proc /bin /lib; do"
        ' touch "$d/x" 2>/dev/null && echo "$d"; done; '
        "for d in /testbed /tmp /tmp/home /dev/shm; do touch $d/x && echo $d; done"
    )
    assert inside(script).split() == ["/testbed", "/tmp", "/tmp/home", "/dev/shm"]


def test_the_environment_cannot_be_changed(inside: Callable[[str], str]) -> None:
    script = "cd $(python -c 'import pytest; print(pytest.__path__[0])'); pwd; echo 'x' >> __init__.py; rm -r ."
    lines = inside(script).splitlines()
    assert lines[0].startswith("/environment/lib/") or lines[0].startswith("/opt/venv/lib/")
    assert "denied" in lines[1] or "Read-only" in lines[1]
    before = inside("python -c 'print(1)'; ls -l /environment/lib")
    inside("chmod -R u+w /environment /opt; mv /opt/venv /opt/other; rm -rf /environment /opt; echo > $(which python)")
    assert inside("python -c 'print(1)'; ls -l /environment/lib") == before != ""


def test_there_is_no_network(inside: Callable[[str], str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind("\0ssr-test-abstract")
        local.listen()
        script = (
            "import socket\n"
            f"for target in (('127.0.0.1', {server.getsockname()[1]}), ('192.0.2.1', 80), ('example.org', 80)):\n"
            "    try: print(socket.create_connection(target, 5))\n"
            "    except OSError as error: print('no')\n"
            "try: print(socket.socket(socket.AF_UNIX).connect('\\0ssr-test-abstract'))\n"
            "except OSError: print('no')\n"
        )
        assert inside(f"python - <<'E'\n{script}E") == "no\n" * 4


def test_other_processes_are_invisible(inside: Callable[[str], str]) -> None:
    assert int(inside("ls /proc | grep '^[0-9]' | wc -l")) <= 5
    assert "No such process" in inside(f"kill -0 {os.getpid()}")


@pytest.mark.parametrize(
    "attempt",
    [
        "unshare --user --map-root-user id",
        "mount -t tmpfs x /tmp",
        "umount /tmp",
        "chroot / true",
        "mknod /tmp/n c 1 3",
        "setpriv --reuid 0 true",
        "bwrap --ro-bind / / true",
        "echo 1 > /proc/sys/kernel/panic",
        "echo b > /proc/sysrq-trigger",
        "hostname other",
        "date -s 2000-01-01",
        "renice -n -20 $$",
        "echo -1000 > /proc/self/oom_score_adj",
        "nsenter --target 1 --mount true",
        "chown 0 .",
    ],
)
def test_privileges_cannot_be_gained(inside: Callable[[str], str], attempt: str) -> None:
    assert inside(f"{attempt} && echo succeeded").endswith("succeeded\n") is False


def test_system_programs_gain_nothing_from_their_bits(inside: Callable[[str], str]) -> None:
    mounts = [line.split() for line in inside("cat /proc/mounts").splitlines()]
    loose = [mount[1] for mount in mounts if "nosuid" not in mount[3].split(",")]
    assert [path for path in loose if not path.startswith("/proc/")] == []


def test_devices_are_few(inside: Callable[[str], str]) -> None:
    links = {"core", "fd", "ptmx", "stderr", "stdin", "stdout"}
    devices = {"console", "full", "null", "pts", "random", "shm", "tty", "urandom", "zero"}
    assert set(inside("ls /dev").split()) <= links | devices


def test_python_is_the_interpreter_with_the_snapshots_packages_only(inside: Callable[[str], str]) -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    for name in ("python", "python3"):
        assert inside(f"{name} --version") == f"Python {version}\n"
    script = (
        "import sys; print([p for p in sys.path if not p.startswith(('/testbed', '/opt/', '/usr/', '/nix/store/'))])"
    )
    assert inside(f'cd /tmp; python -c "{script}"') == "['', '/etc/python']\n"
    for module in ("pydantic", "numpy", "pip", "yaml", "ssr"):
        assert "ModuleNotFoundError" in inside(f"python -c 'import {module}'"), module
        assert "ModuleNotFoundError" in inside(f"env -i $(which python) -c 'import {module}'"), module
    assert inside("env -i $(which python) -c 'import pytest; print(1)'") == "1\n"
    assert inside("python -c 'import ssl, sqlite3, ctypes, zlib, multiprocessing, hashlib; print(2)'") == "2\n"


def test_pytest_imports_the_project_from_the_repository(inside: Callable[[str], str]) -> None:
    text = inside("python -m pytest -q -p no:cacheprovider; git status --porcelain")
    assert text.splitlines()[-1].startswith("25 passed in "), text
    assert inside("cd /tmp; python -c 'import pocket; print(pocket.__file__)'") == "/testbed/pocket/__init__.py\n"
    assert inside("rm -r pocket; python -c 'import pocket'").endswith("ModuleNotFoundError: No module named 'pocket'\n")
    named = "find / \\( -path /proc -o -path /testbed -o -path /usr/share \\) -prune -o -iname '*pocket*' -print"
    assert inside(f"{named} 2> /dev/null") == ""


def test_processes_can_be_spread(inside: Callable[[str], str]) -> None:
    script = "import multiprocessing as m\nwith m.Pool(2) as pool: print(sum(pool.map(abs, range(9))))\n"
    assert inside(f"python - <<'E'\n{script}E") == "36\n"


def test_the_same_actions_give_the_same_bytes(shared: SandboxBackend, snapshot: Snapshot) -> None:
    script = (
        "id; env | sort; git log --stat; ls -a / /opt /etc; cat /etc/[!m]*; "
        'python -c \'print({1: hash("x")}, {"a", "b"})\''
    )
    assert (
        shared.open(snapshot).run(script, timeout_s=60).output == shared.open(snapshot).run(script, timeout_s=60).output
    )


def test_the_nix_store_is_there_only_for_what_runs_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store may hold copies of the very sources that a sandbox hides."""
    store = tmp_path / "store"
    (store / "tools" / "bin").mkdir(parents=True)
    for module in (interpreter, layout):
        monkeypatch.setattr(module, "NIX_STORE", store)
    python = interpreter.Interpreter(None, Path("/usr/bin/python3"), ())

    def mounts(name: str) -> list[str]:
        return layout.Layout(SandboxConfig(), python, tmp_path / name).bwrap(tmp_path, {})

    assert str(store) not in mounts("without")
    monkeypatch.setenv("PATH", f"{store}/tools/bin", prepend=os.pathsep)
    assert str(store) in mounts("with")
