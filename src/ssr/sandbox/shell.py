"""A persistent bash session. Commands go in on one channel; output, then the exit code, comes out on another."""

import re
import secrets
import time
from collections.abc import Callable

from ssr.contracts import CommandResult
from ssr.errors import SandboxError
from ssr.sandbox.process import FLOODED, TIMED_OUT, Process, own_exit_code

DRIVER = r"""
exec 3<&0 4>&1 9>&1 </dev/null 2>&1
__code=0 __errors=/dev/shm/.errors
__last() { return "$__code"; }
__apart() {
  if ((++__count < 1000)) && [[ /dev/fd/2 -ef /dev/fd/9 || /dev/fd/2 -ef $__file ]]; then
    printf -v __file '%s/%06d-%010d' $__errors $__count $BASHPID
    exec 2>>"$__file"
  fi
  : "$1"
}
__split() {
  __count=0 __file=
  if [[ $__command = *\|* ]] && mkdir -p $__errors 2>/dev/null; then
    set -T
    trap '__apart "$_"' DEBUG
  fi
  __last
}
__join() {
  __code=$?
  trap - DEBUG
  set +T
  if [[ $__file ]]; then
    if [[ /dev/fd/2 -ef $__file ]]; then exec 2>&9; fi
    cat $__errors/* >&9 2>/dev/null
    rm -rf $__errors
  fi
}
while IFS= read -r -d '' -u 3 __end && IFS= read -r -d '' -u 3 __command; do
  __split; eval "$__command" 3<&- 4>&- </dev/null
  __join; printf '%s%s\n' "$__end" "$__code" >&4
done
"""
"""Two texts that end with a zero byte make a command: what to print before its exit code, and what to run. Nothing that
a command reads or prints gets into the driver's channels by accident.

Programs in a pipe run at once, so what they say on standard error would come in another order, and torn, each time. In
a command with a pipe each program's errors are kept apart therefore, and stand after the output in the order of the
programs; those of a command that never ends are lost.
"""

_MARK_BYTES = 32
_CODE_BYTES = 4
"""Exit code and newline, at most."""


class BashShell:
    """Implements ssr.contracts.Shell; background processes live until the session ends."""

    def __init__(self, start: Callable[[], Process], output_bytes: int) -> None:
        """`start` starts the driver (see DRIVER) in the sandbox."""
        self._start = start
        self._limit = output_bytes
        self._process: Process | None = None
        self._early = b""
        self._notice = ""
        self._closed = False

    def run(self, command: str, timeout_s: float) -> CommandResult:
        """Run one command. Raises SandboxError when no session can be started, or after close()."""
        if self._closed:
            raise SandboxError("the shell is closed")
        if self._process is None:
            self._process = self._start()
            self._process.await_ready()
        exchange = _Exchange(self._process, command, self._early, self._limit)
        exchange.run(time.monotonic() + timeout_s)
        self._early = exchange.rest
        return self._result(exchange, timeout_s)

    def interrupt(self, reason: str) -> bool:
        """End the session, which the next command's output says; False where there is none."""
        if self._process is None:
            return False
        self._end()
        self._notice = f"{reason}: the shell was restarted"
        return True

    def close(self) -> None:
        """End the session and all its processes. Idempotent."""
        self._closed = True
        self._end()

    def _result(self, exchange: "_Exchange", timeout_s: float) -> CommandResult:
        code, failure = exchange.exit_code, ""
        timed_out = truncated = False
        if len(exchange.output) > self._limit:
            truncated, code = True, FLOODED
            failure = f"more than {self._limit} bytes of output: the command was killed and the shell restarted"
        elif code is None and exchange.ended:
            assert self._process
            code = own_exit_code(self._process)
            failure = "the shell exited and was restarted"
        elif code is None:
            timed_out, code = True, TIMED_OUT
            failure = f"no end after {timeout_s:g} s: the command was killed and the shell restarted"
        if failure:
            self._end()
        notice, self._notice = failure or self._notice, ""
        output = bytes(exchange.output[: self._limit]).decode(errors="replace")
        if notice:
            output += ("\n" if output and not output.endswith("\n") else "") + f"[{notice}]\n"
        return CommandResult(code or 0, output, timed_out, truncated, exchange.seconds)

    def _end(self) -> None:
        process, self._process, self._early = self._process, None, b""
        if process is not None:
            try:
                process.kill()
            finally:
                process.close()


class _Exchange:
    """One command and its answer. The mark before the exit code is drawn anew each time."""

    def __init__(self, process: Process, command: str, early: bytes, limit: int) -> None:
        self.output = bytearray(early)
        self.rest = b""
        """What was printed after the command's end."""
        self.exit_code: int | None = None
        self.ended = False
        self.seconds = 0.0
        self._process = process
        mark = secrets.token_hex(_MARK_BYTES // 2).encode()
        self._end = re.compile(mark + rb"([0-9]{1,3})\n")
        self._pending = mark + b"\0" + command.replace("\0", "").encode(errors="replace") + b"\0"
        self._limit = limit

    def run(self, deadline: float) -> None:
        """Send the command and read until its exit code, the end of the session, a flood or the deadline."""
        started = time.monotonic()
        while self.exit_code is None and not self.ended and len(self.output) <= self._limit + _MARK_BYTES + _CODE_BYTES:
            try:
                sent, said = self._process.exchange(self._pending, deadline)
            except TimeoutError:
                break
            self._pending = self._pending[sent:]
            self.ended = said is None
            self._hear(said or b"")
        self.seconds = time.monotonic() - started

    def _hear(self, said: bytes) -> None:
        """Look for the mark in what is new, with as much before it as a part of the mark may take."""
        start = max(0, len(self.output) - _MARK_BYTES - _CODE_BYTES)
        self.output += said
        if found := self._end.search(self.output, start):
            self.exit_code = int(found[1])
            self.rest = bytes(self.output[found.end() :])
            del self.output[found.start() :]
