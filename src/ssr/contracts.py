"""The interfaces between rooms: what a sandbox and an engine promise, and the records that cross those lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ssr.engine.chat import ChatCodec
    from ssr.repository.snapshot import Snapshot

Role = Literal["injector", "solver"]
Strategy = Literal["direct", "removal", "history"]
ExitReason = Literal["submitted", "turn_limit", "context_limit", "format_error", "infrastructure"]


class Message(TypedDict):
    """One chat message; an observation has the role `tool`."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str


@dataclass(frozen=True)
class CommandResult:
    """What one command did: exit code, stdout and stderr merged, and how it was cut short if it was."""

    exit_code: int
    output: str
    timed_out: bool = False
    truncated: bool = False
    seconds: float = 0.0


class Shell(Protocol):
    """A persistent bash session in a sandbox: variables and the working directory carry over."""

    def run(self, command: str, timeout_s: float) -> CommandResult:
        """Run one command; a timeout or a flood of output restarts the session and says so in the result."""
        ...

    def close(self) -> None: ...


class Sandbox(Protocol):
    """One private, disposable state of a repository, mounted at /testbed; everything a model wrote runs in one."""

    def shell(self) -> Shell:
        """Start a persistent shell in /testbed. One at a time."""
        ...

    def run(self, script: str, *, stdin: bytes = b"", timeout_s: float) -> CommandResult:
        """Run a bash script once, in /testbed, in a fresh process tree that leaves no process behind."""
        ...

    def read_file(self, path: str, max_bytes: int = 16 * 2**20) -> bytes:
        """Bytes of a file as seen inside; FileNotFoundError, IsADirectoryError or ValueError (too large)."""
        ...

    def write_file(self, path: str, data: bytes) -> None:
        """Write a file inside, making its parents."""
        ...

    def fork(self) -> "Sandbox":
        """An independent sandbox that starts from this one's files; processes are not carried over.

        Not while a command runs in this one: what it deletes meanwhile makes the copy fail.
        """
        ...

    def close(self) -> None:
        """Kill what runs inside and delete the state. Idempotent."""
        ...


class SandboxBackend(Protocol):
    """Opens sandboxes; one a process. A context manager that closes itself."""

    def open(self, snapshot: "Snapshot", commit: str | None = None) -> Sandbox:
        """A fresh sandbox of the snapshot's repository, with its history, at `commit` (default: its head)."""
        ...

    def run_once(self, snapshot: "Snapshot", script: str, *, stdin: bytes = b"", timeout_s: float) -> CommandResult:
        """What `run` gives in a sandbox opened for it alone; cheaper, and /testbed may be read-only."""
        ...

    def close(self) -> None:
        """Free what the backend holds; no sandbox can be opened any more. Idempotent."""
        ...

    def __enter__(self) -> "Self": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: "TracebackType | None"
    ) -> None: ...


@dataclass(frozen=True)
class CompletionRequest:
    """One turn asked of an engine: the conversation so far, as messages and, where the engine has them, as ids."""

    key: str
    """Names episode and turn; batches are ordered by it."""
    messages: Sequence[Message]
    prompt_ids: Sequence[int]
    max_tokens: int
    temperature: float
    top_p: float
    seed: int


@dataclass(frozen=True)
class Completion:
    """One sampled turn. Ids include the stop token; log-probabilities are at the sampling temperature."""

    text: str
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    stopped: bool = True
    """False when `max_tokens` ended it."""
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Engine(Protocol):
    """Turns conversations into completions. Engines that batch in lockstep wait until every joined episode asks."""

    @property
    def codec(self) -> "ChatCodec | None":
        """How messages become ids; None for engines that take text only."""
        ...

    @property
    def weight_version(self) -> int:
        """Optimizer step of the weights that sample."""
        ...

    def join(self) -> None:
        """One more episode is in flight."""
        ...

    def leave(self) -> None:
        """An episode that joined has ended."""
        ...

    async def complete(self, request: CompletionRequest) -> Completion: ...

    def close(self) -> None: ...
