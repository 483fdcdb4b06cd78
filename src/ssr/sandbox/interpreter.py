"""The interpreter that runs this package, made visible in a sandbox without anything that is installed into it."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

MOUNT = Path("/opt/python")
VENV = Path("/opt/venv")
NIX_STORE = Path("/nix/store")
_SYSTEM = (Path("/usr"), NIX_STORE)


@dataclass(frozen=True)
class Interpreter:
    """A Python installation as the sandbox sees it."""

    prefix: Path | None
    """Folder of the host to mount at /opt/python; None when it stands in a folder that is visible anyway.

    Its own path becomes a link to there: a shared libpython is looked for at the place that it was built for.
    """
    executable: Path
    """Path inside the sandbox."""
    hidden: tuple[Path, ...]
    """Folders of installed packages inside the sandbox, to be covered."""


def find_interpreter() -> Interpreter:
    """The base installation of the running interpreter."""
    prefix, executable = Path(sys.base_prefix).resolve(), Path(sys.executable).resolve()
    hidden = [path for lib in ("usr/lib", "usr/local/lib") for path in _packages(Path("/", lib))]
    if any(prefix.is_relative_to(system) for system in _SYSTEM):
        hidden += [path for path in _packages(prefix / "lib") if path not in hidden]
        return Interpreter(None, executable, tuple(hidden))
    hidden += [MOUNT / path.relative_to(prefix) for path in _packages(prefix / "lib")]
    return Interpreter(prefix, MOUNT / executable.relative_to(prefix), tuple(hidden))


def _packages(lib: Path) -> list[Path]:
    found = [path for name in ("site-packages", "dist-packages") for path in lib.glob(f"python3*/{name}")]
    return sorted(path for path in found if path.is_dir() and not path.is_symlink())


def write_venv(folder: Path, interpreter: Interpreter) -> None:
    """A virtual environment for /opt/venv: base interpreter, and the packages of the snapshot's environment only."""
    (folder / "bin").mkdir(parents=True)
    for name in ("python", "python3", version_name()):
        (folder / "bin" / name).symlink_to(interpreter.executable)
    (folder / "lib").symlink_to("/environment/lib")
    home = f"home = {interpreter.executable.parent}\n"
    (folder / "pyvenv.cfg").write_text(
        f"{home}include-system-site-packages = false\nversion = {version_name().removeprefix('python')}\n"
    )


def version_name() -> str:
    """The running interpreter's name with its version, as `python3.11`."""
    return "python{}.{}".format(*sys.version_info[:2])


def search_path() -> str:
    """PATH inside: the interpreter, the environment's own commands, then the system's."""
    return ":".join([f"{VENV}/bin", "/environment/bin", *_nix_folders(), "/usr/local/bin", "/usr/bin", "/bin"])


def needs_nix_store(interpreter: Interpreter) -> bool:
    """Whether what runs inside stands in the Nix store; where it does not, sandboxes do not see the store."""
    return bool(_nix_folders()) or interpreter.executable.is_relative_to(NIX_STORE)


def _nix_folders() -> list[str]:
    return [folder for folder in os.get_exec_path() if Path(folder).resolve().is_relative_to(NIX_STORE)]
