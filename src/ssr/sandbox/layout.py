"""What a command sees and what it may use, translated into arguments of bwrap."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from ssr.config import SandboxConfig
from ssr.sandbox.inside import ENVIRONMENT, ETC, REPOSITORY, first_process, limits
from ssr.sandbox.interpreter import MOUNT, NIX_STORE, VENV, Interpreter, needs_nix_store, search_path, write_venv

_HOST_ETC = ("alternatives", "ld.so.cache")


class Layout:
    """The part of bwrap's arguments that all sandboxes of a backend share."""

    def __init__(self, config: SandboxConfig, interpreter: Interpreter, image: Path) -> None:
        """Write the fixed files into the new folder `image` and remember what does not depend on the sandbox."""
        self.interpreter = interpreter
        _write_image(image, interpreter)
        self._path = search_path()
        self._image = image
        self._system = _system_mounts(nix=needs_nix_store(interpreter))
        self._limits = limits(config, "cntufv", clip=True)
        self._disk_bytes = config.disk_mb * 2**20

    def bwrap(self, state: Path, variables: Mapping[str, str], *, kept: bool = True) -> list[str]:
        """bwrap and its options for the state mounted at `state` (see Holder); options and a command may follow.

        Unless what the command writes is `kept`, it sees /testbed read-only and temporary folders of its own.
        """
        arguments = ["bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000"]
        arguments += ["--hostname", "sandbox", "--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"]
        for name, value in (ENVIRONMENT | {"PATH": self._path} | dict(variables)).items():
            arguments += ["--setenv", name, value]
        arguments += [*self._system, "--proc", "/proc", "--dev", "/dev"]
        arguments += ["--ro-bind", f"{self._image}/etc", "/etc", "--ro-bind", f"{self._image}/venv", str(VENV)]
        if self.interpreter.prefix is not None:
            arguments += ["--ro-bind", f"{state}/interpreter", str(MOUNT)]
            arguments += ["--symlink", str(MOUNT), str(self.interpreter.prefix)]
        for hidden in self.interpreter.hidden:
            arguments += ["--ro-bind", f"{state}/empty", str(hidden)]
        arguments += ["--ro-bind", f"{state}/environment", "/environment"]
        arguments += ["--bind" if kept else "--ro-bind", f"{state}/testbed", REPOSITORY]
        for name, folder in (("tmp", "/tmp"), ("shm", "/dev/shm")):
            own = ["--size", str(self._disk_bytes), "--tmpfs", folder]
            arguments += ["--bind", f"{state}/{name}", folder] if kept else own
        arguments += [] if kept else ["--dir", ENVIRONMENT["HOME"]]
        return [*arguments, "--chdir", REPOSITORY, "--remount-ro", "/dev"]

    def first_process(self, command: str, *arguments: str) -> list[str]:
        """The end of the command line; its process 1 ends before bwrap returns, and with it the whole namespace."""
        script = first_process(self._limits, command)
        return ["--remount-ro", "/", "bash", "--noprofile", "--norc", "-c", script, "bash", *arguments]


def _write_image(image: Path, interpreter: Interpreter) -> None:
    etc = image / "etc"
    etc.mkdir(parents=True)
    for name, text in ETC.items():
        (etc / name).parent.mkdir(exist_ok=True)
        (etc / name).write_text(text)
    for source in (Path("/etc", name) for name in _HOST_ETC):
        if source.is_dir():
            shutil.copytree(source, etc / source.name, symlinks=True)
        elif source.exists():
            shutil.copyfile(source, etc / source.name)
    write_venv(image / "venv", interpreter)
    for path in [image, *image.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755)


def _system_mounts(*, nix: bool) -> list[str]:
    arguments: list[str] = []
    system = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
    for name in (*system, str(NIX_STORE)) if nix else system:
        if os.path.islink(name):
            arguments += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            arguments += ["--ro-bind", name, name]
    return arguments
