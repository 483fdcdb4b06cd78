"""What the agent loop costs beside inference: episodes with an instant sandbox against the engine alone.

Episodes are played once and their requests kept. The bare engine then gets the same requests, each conversation's
turns one after the other with nothing between them: no call to parse, no tool, no text to tokenize. Loop and bare
engine take turns in one process, so that a machine that grows faster or slower leaves their ratio alone.
"""

import asyncio
import importlib.util
import json
import statistics
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ssr.agent.episode import Episode
from ssr.agent.prompts import injector_messages
from ssr.agent.rollout import EpisodeSpec, run_episodes
from ssr.config import AgentConfig, Sampling, Scale, load_scale
from ssr.contracts import CommandResult, Completion, CompletionRequest, Engine, Sandbox, Strategy
from ssr.engine.factory import open_engine
from ssr.errors import ConfigError
from ssr.seeds import seed_of

ENGINES = ("transformers", "plain", "vllm")
"""`plain` is the transformers engine decoding by the library's own modelling code."""
STRATEGIES: tuple[Strategy, ...] = ("removal", "history", "direct")
ATTEMPTS = 4
"""Episodes that share a first prompt, as attempts on one bug do."""
LISTING = "".join(f"{number:6}  def f{number}(x):\n        return x + {number}\n" for number in range(1, 9))


class InstantShell:
    """Answers each command at once with the same lines."""

    def run(self, command: str, timeout_s: float) -> CommandResult:
        return CommandResult(0, LISTING)

    def close(self) -> None:
        """Nothing is open."""


class InstantSandbox:
    """Files in memory and a shell that runs nothing; every submission is missing, so that episodes go on."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def shell(self) -> InstantShell:
        return InstantShell()

    def run(self, script: str, *, stdin: bytes = b"", timeout_s: float) -> CommandResult:
        return CommandResult(0, LISTING)

    def read_file(self, path: str, max_bytes: int = 16 * 2**20) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(f"{path} does not exist")
        return self.files[path]

    def write_file(self, path: str, data: bytes) -> None:
        self.files[path] = data

    def fork(self) -> Sandbox:
        forked = InstantSandbox()
        forked.files.update(self.files)
        return forked

    def close(self) -> None:
        """Nothing is open."""


class Recording:
    """An engine that keeps what it is asked."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.codec, self.weight_version = engine.codec, engine.weight_version
        self.join, self.leave, self.close = engine.join, engine.leave, engine.close
        self.requests: list[CompletionRequest] = []

    async def complete(self, request: CompletionRequest) -> Completion:
        """The engine's answer. The ids are copied: a conversation's list grows after it was sent."""
        ids = tuple(request.prompt_ids)
        self.requests.append(CompletionRequest(**{**vars(request), "prompt_ids": ids, "messages": ()}))
        return await self.engine.complete(request)


@dataclass(frozen=True)
class Speed:
    """Generated tokens a second, medians over the rounds; the ratio is the median of each round's own."""

    episodes: int
    turns: int
    tokens: int
    prompt_tokens: int
    """Of all turns, those that a cache holds included."""
    loop_tokens_per_s: float
    bare_tokens_per_s: float
    ratio: float


def measure(
    scale_file: Path, kinds: Sequence[str], in_flight: Sequence[int], turns: int, rounds: int, out: Path | None
) -> None:
    """Measure each engine that is installed, print a table, and write the figures to `out` (JSON).

    Raises ConfigError for an engine that does not decode on this machine.
    """
    scale = load_scale(scale_file)
    if others := set(kinds) - set(ENGINES):
        raise ConfigError(f"{', '.join(sorted(others))}: what can be measured is {', '.join(ENGINES)}")
    speeds = {
        kind: {count: speed_of(scale, kind, count, turns, rounds) for count in in_flight}
        for kind in kinds
        if kind != "vllm" or importlib.util.find_spec("vllm") is not None
    }
    Console().print(_table(speeds))
    if out is not None:
        figures = {kind: {str(count): asdict(s) for count, s in of.items()} for kind, of in speeds.items()}
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps({"scale": scale.name, "rollout": figures}, indent=2) + "\n")


def speed_of(scale: Scale, kind: str, in_flight: int, turns: int, rounds: int) -> Speed:
    """One engine over the scale's base model, with so many episodes, all in flight at once."""
    agent = scale.agent.model_copy(update={"max_turns": turns, "max_format_errors": turns + 1, "resubmission": True})
    specs = episode_specs(scale, agent, in_flight)
    with closing(_opened(scale, kind, in_flight)) as engine:
        recording = Recording(engine)
        episodes = _play(specs, recording, agent)
        pairs = [(_timed_loop(specs, engine, agent), _timed_bare(recording.requests, engine)) for _ in range(rounds)]
    tokens = sum(episode.generated_tokens for episode in episodes)
    return Speed(
        episodes=len(episodes),
        turns=len(recording.requests),
        tokens=tokens,
        prompt_tokens=sum(len(request.prompt_ids) for request in recording.requests),
        loop_tokens_per_s=tokens / statistics.median(loop for loop, _ in pairs),
        bare_tokens_per_s=tokens / statistics.median(bare for _, bare in pairs),
        ratio=statistics.median(bare / loop for loop, bare in pairs),
    )


def _opened(scale: Scale, kind: str, in_flight: int) -> Engine:
    base, dtype = Path(scale.model.base), scale.model.dtype
    if kind == "plain":
        from ssr.engine.transformers_engine import TransformersEngine

        return TransformersEngine(base, dtype, scale.engine.threads, fused=False)
    return open_engine(scale.engine.model_copy(update={"kind": kind, "in_flight": in_flight}), base, dtype)


def episode_specs(scale: Scale, agent: AgentConfig, count: int) -> list[EpisodeSpec]:
    """Injector episodes in instant sandboxes."""
    return [
        EpisodeSpec(
            episode_id=f"e{number:04d}",
            role="injector",
            messages=injector_messages(
                agent,
                STRATEGIES[number // ATTEMPTS % len(STRATEGIES)],
                f"project{number // ATTEMPTS}",
                scale.game,
            ),
            open_sandbox=InstantSandbox,
            seed=seed_of("bench", "rollout", number),
            read_submission=lambda sandbox, path: sandbox.read_file(path),
        )
        for number in range(count)
    ]


def _play(specs: Sequence[EpisodeSpec], engine: Engine, agent: AgentConfig) -> list[Episode]:
    return run_episodes(specs, engine, agent, Sampling(), len(specs))


def _timed_loop(specs: Sequence[EpisodeSpec], engine: Engine, agent: AgentConfig) -> float:
    started = time.perf_counter()
    _play(specs, engine, agent)
    return time.perf_counter() - started


def _timed_bare(requests: Iterable[CompletionRequest], engine: Engine) -> float:
    ordered = sorted(requests, key=lambda request: request.key)
    talks = [list(turns) for _, turns in groupby(ordered, lambda request: request.key.rpartition("/")[0])]
    started = time.perf_counter()
    asyncio.run(_replay(talks, engine))
    return time.perf_counter() - started


async def _replay(talks: Sequence[Sequence[CompletionRequest]], engine: Engine) -> None:
    async def talk(requests: Sequence[CompletionRequest]) -> None:
        for request in requests:
            await engine.complete(request)
        engine.leave()

    for _ in talks:
        engine.join()
    await asyncio.gather(*map(talk, talks))


def _table(speeds: dict[str, dict[int, Speed]]) -> Table:
    table = Table(title="generated tokens a second", box=None)
    for name in ("engine", "in flight", "tokens", "agent loop", "bare engine", "ratio"):
        table.add_column(name, justify="left" if name == "engine" else "right")
    for kind, of in speeds.items():
        for count, speed in of.items():
            rates = f"{speed.loop_tokens_per_s:.0f}", f"{speed.bare_tokens_per_s:.0f}", f"{speed.ratio:.3f}"
            table.add_row(kind, str(count), str(speed.tokens), *rates)
    return table
