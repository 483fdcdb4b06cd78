"""Processes of a sandbox, seen from outside: start, read within limits, kill."""

import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from ssr.errors import SandboxError

TIMED_OUT = 124
FLOODED = 137
START_SECONDS = 60
KILL_SECONDS = 20
CHUNK = 65_536
_NO_SIGNAL_IGNORED = ("env", "--default-signal")
"""Begins a command line: what nohup or a shell's background ignores, a child would ignore, too."""


@dataclass(frozen=True)
class Outcome:
    """What a process did; `output` holds stdout and stderr, at most the limit."""

    exit_code: int
    output: bytes
    timed_out: bool
    truncated: bool
    seconds: float


class Process(Protocol):
    """The first process of a command, and with it all others of its namespace."""

    def await_ready(self) -> None:
        """Wait for the line `ready` on its stderr. Raises SandboxError with what it said instead."""
        ...

    def exchange(self, pending: bytes, deadline: float) -> tuple[int, bytes | None]:
        """Wait until it takes some of `pending` or prints something: bytes taken, and its output (None at its end).

        Raises TimeoutError at the deadline (a time.monotonic), SandboxError when the process is out of reach.
        """
        ...

    def kill(self) -> None:
        """Kill all processes and wait for their end. Raises SandboxError when they live on."""
        ...

    def wait(self) -> int:
        """Exit code, once its output has ended or it was killed. Raises SandboxError when it does not end."""
        ...

    def close(self) -> None:
        """Close this side of the channels. Idempotent."""
        ...


def own_exit_code(process: Process) -> int:
    """Exit code of a process that has ended or is about to. Raises SandboxError where it did not end by itself."""
    code = process.wait()
    if code < 0:
        raise SandboxError(f"a process of a sandbox was killed from outside (signal {-code})")
    return code


def finish(process: Process, limit: int, timeout_s: float) -> Outcome:
    """Read a started process to its end; kill it when it takes too long or prints too much.

    The time limit counts from the moment that it is ready (see first_process), so that a busy machine is not taken for
    a slow command. Raises SandboxError when it never becomes ready, cannot be killed, or was killed by somebody else.
    """
    try:
        process.await_ready()
        started = time.monotonic()
        output, timed_out = _read(process, limit + 1, started + timeout_s)
        truncated = len(output) > limit
        if timed_out or truncated:
            process.kill()
            process.wait()
            code = TIMED_OUT if timed_out else FLOODED
        else:
            code = own_exit_code(process)
    finally:
        process.close()
    return Outcome(code, bytes(output[:limit]), timed_out, truncated, time.monotonic() - started)


def _read(process: Process, limit: int, deadline: float) -> tuple[bytearray, bool]:
    output = bytearray()
    while len(output) < limit:
        try:
            _, said = process.exchange(b"", deadline)
        except TimeoutError:
            return output, True
        if said is None:
            break
        output += said
    return output, False


class LocalProcess:
    """Implements Process: a child of this one. Nothing is fed to it but over its standard input."""

    def __init__(self, command: list[str], stdin: int | IO[bytes], pass_fds: tuple[int, ...] = ()) -> None:
        """Start a command whose stderr is a channel of its own, with no signal ignored. Raises SandboxError."""
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                [*_NO_SIGNAL_IGNORED, *command],
                stdin=stdin,
                stdout=pipe,
                stderr=pipe,
                cwd="/",
                env=_environment(),
                pass_fds=pass_fds,
            )
        except OSError as error:
            raise SandboxError(f"a process of a sandbox cannot be started: {error}") from error
        if self._process.stdin:
            os.set_blocking(self._process.stdin.fileno(), False)
        self.pid = self._process.pid

    def await_ready(self) -> None:
        """Wait for the line `ready` on its stderr. Raises SandboxError with what it said instead."""
        assert self._process.stderr
        said, deadline = b"", time.monotonic() + START_SECONDS
        while b"\n" not in said:
            if not _wait_for(self._process.stderr, None, deadline):
                said += b"no answer"
                break
            if not (chunk := os.read(self._process.stderr.fileno(), CHUNK)):
                break
            said += chunk
        if not said.startswith(b"ready\n"):  # what a command says at once may follow
            self._process.kill()
            self._process.wait()
            self.close()
            raise SandboxError(f"a sandbox could not be started: {said.decode(errors='replace').strip()}")

    def exchange(self, pending: bytes, deadline: float) -> tuple[int, bytes | None]:
        """See Process.exchange; a process that takes no input any more takes everything."""
        assert self._process.stdout
        channels = _wait_for(self._process.stdout, self._process.stdin if pending else None, deadline)
        if not channels:
            raise TimeoutError
        sent, output = 0, b""
        if self._process.stdin in channels:
            try:
                sent = os.write(self._process.stdin.fileno(), pending[:CHUNK])
            except BrokenPipeError:
                sent = len(pending)
        if self._process.stdout in channels:
            output = os.read(self._process.stdout.fileno(), CHUNK)
            return sent, output or None
        return sent, output

    def kill(self) -> None:
        """Kill the whole tree of nsenter > bwrap > process 1.

        nsenter ends after bwrap, bwrap after process 1, and process 1 after all others of its namespace. Killing
        nsenter, which is what remains while the tree is not yet complete, kills the same processes but does not wait
        for them.
        """
        first = _grandchild(self.pid) if self._process.poll() is None else None
        if first is None:
            self._process.kill()
        else:
            os.kill(first, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Exit code of a process that has ended or is about to. Raises SandboxError when it does not end."""
        try:
            return self._process.wait(timeout=KILL_SECONDS)
        except subprocess.TimeoutExpired as error:
            self._process.kill()
            raise SandboxError("a process of a sandbox does not end") from error

    def close(self) -> None:
        """Close this side of the pipes; a process that waits for the end of its input goes on."""
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _wait_for(readable: IO[bytes], writable: IO[bytes] | None, deadline: float) -> list[IO[bytes]]:
    """Which of the two pipes can be used; none at the deadline."""
    with selectors.DefaultSelector() as selector:
        selector.register(readable, selectors.EVENT_READ)
        if writable is not None:
            selector.register(writable, selectors.EVENT_WRITE)
        left = max(0.0, deadline - time.monotonic())
        return [pipe for key, _ in selector.select(left) for pipe in (readable, writable) if pipe is key.fileobj]


def _grandchild(pid: int) -> int | None:
    for _ in range(2):
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return None
        if len(children) != 1:
            return None
        pid = int(children[0])
    return pid
