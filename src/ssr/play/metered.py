"""An engine whose every turn is counted, on disk: what was asked and paid for, interrupted episodes included."""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from ssr.contracts import Completion, CompletionRequest, Engine, Role
from ssr.engine.chat import ChatCodec

USAGE = "usage.jsonl"


@dataclass
class Usage:
    """Tokens of all turns of a role; each turn reads its whole conversation anew."""

    turns: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def money(self, price_in: float, price_out: float) -> float:
        """What they cost at prices for a million tokens."""
        return (self.prompt_tokens * price_in + self.completion_tokens * price_out) / 1e6


class Metered:
    """Passes everything on to an engine and adds a line to `file` for each turn that came back."""

    def __init__(self, engine: Engine, role: Role, file: Path) -> None:
        self._engine, self._role, self._file = engine, role, file

    @property
    def codec(self) -> ChatCodec | None:
        """The engine's."""
        return self._engine.codec

    @property
    def weight_version(self) -> int:
        """The engine's."""
        return self._engine.weight_version

    def join(self) -> None:
        """One more episode is in flight."""
        self._engine.join()

    def leave(self) -> None:
        """An episode that joined has ended."""
        self._engine.leave()

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()

    async def complete(self, request: CompletionRequest) -> Completion:
        """The engine's turn."""
        completion = await self._engine.complete(request)
        line = {"role": self._role, "turn": request.key, "prompt_tokens": completion.prompt_tokens,
                "completion_tokens": completion.completion_tokens}  # fmt: skip
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return completion


def read_usage(file: Path) -> dict[str, Usage]:
    """Sums by role; empty without a file. A line that was cut off by a kill does not count."""
    found: defaultdict[str, Usage] = defaultdict(Usage)
    for line in file.read_text().splitlines() if file.exists() else []:
        if not line.endswith("}"):
            continue
        turn = json.loads(line)
        usage = found[turn["role"]]
        usage.turns += 1
        usage.prompt_tokens += turn["prompt_tokens"]
        usage.completion_tokens += turn["completion_tokens"]
    return dict(found)
