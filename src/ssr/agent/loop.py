"""One episode: a conversation between a policy and a sandbox, within budgets of turns and tokens."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TypeVar

from ssr.agent.episode import Episode, Timing
from ssr.agent.formats import FORMATS, FormatProblem, ToolCall
from ssr.agent.tools import ReadSubmission, Tools
from ssr.config import AgentConfig, Sampling
from ssr.contracts import Completion, CompletionRequest, Engine, ExitReason, Message, Role, Sandbox
from ssr.engine.chat import ChatCodec
from ssr.errors import ContextFull
from ssr.seeds import seed_of

T = TypeVar("T")
STEP = 64
"""The tokens left are told in steps of this many, so that a small model need not learn digits."""
GAP = "\n[... the middle is left out ...]\n"
CHARACTERS = 4
"""Taken for a token's length where the engine has no tokenizer."""


@dataclass(frozen=True)
class EpisodeSpec:
    """What is played: everything an episode depends on, its engine and budgets apart."""

    episode_id: str
    role: Role
    messages: Sequence[Message]
    """The first prompt: system and user."""
    open_sandbox: Callable[[], Sandbox]
    seed: int
    read_submission: ReadSubmission
    starts_from: str = ""
    """Names the state that the sandbox opens in."""


@dataclass
class Conversation:
    """Messages, and the ids that grow with them; without a codec the ids stay empty and the server counts tokens."""

    codec: ChatCodec | None
    messages: list[Message]
    ids: list[int] = field(default_factory=list)
    mask: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    tokens: int = 0
    unanswered: int = 0
    """Ids of the last observation."""

    def __post_init__(self) -> None:
        if self.codec is not None:
            self._append(self.codec.start(self.messages))

    def act(self, completion: Completion) -> None:
        """Add a sampled turn; what an endpoint sent that is no text has no place in a record."""
        text = completion.text.encode(errors="replace").decode()
        self.messages.append({"role": "assistant", "content": text})
        if self.codec is None:
            self.tokens = completion.prompt_tokens + completion.completion_tokens
        self._append(completion.token_ids, completion.logprobs)

    def observe(self, text: str, limit: int) -> bool:
        """Add an observation, and the stop token that the turn before it lacks if it was cut off.

        False, and nothing is added, where that leaves no room for a turn below `limit` tokens.
        """
        ids: list[int] = []
        if self.codec is not None:
            cut_off = self.ids[-1] not in self.codec.stop_ids
            ids = [self.codec.stop_id] * cut_off + self.codec.observation(text)
        if self.tokens + len(ids) >= limit:
            return False
        self.messages.append({"role": "tool", "content": text})
        self._append(ids)
        self.unanswered = len(ids)
        return True

    def take_back(self) -> None:
        """Forget the last observation, if no turn has answered it."""
        if self.messages[-1]["role"] == "tool":
            self.messages.pop()
            for values in (self.ids, self.mask, self.logprobs):
                del values[len(values) - self.unanswered :]
            self.tokens -= self.unanswered

    def shortened(self, text: str, tokens: int) -> str:
        """The text without its middle where it is longer than that many tokens."""
        if self.codec is None:
            half = tokens * CHARACTERS // 2
            return text if len(text) <= 2 * half else text[:half] + GAP + text[-half:]
        ids = self.codec.encode(text)
        if len(ids) <= tokens:
            return text
        head, tail = self.codec.decode(ids[: tokens // 2]), self.codec.decode(ids[len(ids) - tokens // 2 :])
        return head.rstrip("\ufffd\n") + GAP + tail.lstrip("\ufffd\n")

    def _append(self, ids: Sequence[int], logprobs: Sequence[float] | None = None) -> None:
        self.ids += ids
        self.mask += [int(logprobs is not None)] * len(ids)
        self.logprobs += [0.0] * len(ids) if logprobs is None else logprobs
        if self.codec is not None:
            self.tokens = len(self.ids)


def remaining(config: AgentConfig, turns: int, tokens: int) -> str:
    """The last line of an observation: what is left after so many turns and tokens."""
    left = max(0, config.context_tokens - tokens) // STEP * STEP
    return f"[{config.max_turns - turns} turns, {left} tokens left]"


async def play(
    spec: EpisodeSpec, sandbox: Sandbox, engine: Engine, config: AgentConfig, sampling: Sampling, threads: Executor
) -> Episode:
    """Play one episode; tools run in `threads`. Infrastructure errors of sandbox and engine pass through."""
    player = _Player(spec, sandbox, engine, config, sampling, threads)
    return player.episode(await player.play())


class _Player:
    """The state of one episode."""

    def __init__(
        self,
        spec: EpisodeSpec,
        sandbox: Sandbox,
        engine: Engine,
        config: AgentConfig,
        sampling: Sampling,
        threads: Executor,
    ) -> None:
        self.spec, self.engine, self.config, self.sampling, self.threads = spec, engine, config, sampling, threads
        self.tools = Tools(sandbox, config, spec.read_submission)
        self.format = FORMATS[config.call_format]
        self.conversation = Conversation(engine.codec, list(spec.messages))
        self.prompt_tokens = self.conversation.tokens
        self.weight_version = engine.weight_version
        self.turns = self.generated = self.format_errors = self.errors_in_row = 0
        self.sandbox_seconds = self.engine_seconds = 0.0

    async def play(self) -> ExitReason:
        """Take turns until one of them, or a budget, ends the episode."""
        if self.prompt_tokens > self.config.prompt_tokens:
            return "context_limit"
        while True:
            room = self.config.context_tokens - self.conversation.tokens
            if room < 1:
                return "context_limit"
            try:
                completion = await self._complete(min(self.config.action_tokens, room))
            except ContextFull:
                self.conversation.take_back()
                return "context_limit"
            if not completion.stopped and completion.completion_tokens >= room:
                return "context_limit"
            if (reason := await self._respond(completion)) is not None:
                return reason

    def episode(self, exit_reason: ExitReason) -> Episode:
        """The record of what was played."""
        talk, submission = self.conversation, self.tools.submission
        known = talk.codec is not None
        return Episode(
            episode_id=self.spec.episode_id,
            role=self.spec.role,
            messages=tuple(talk.messages),
            token_ids=talk.ids if known else None,
            loss_mask=talk.mask if known else None,
            logprobs=talk.logprobs if known else None,
            prompt_tokens=self.prompt_tokens,
            generated_tokens=self.generated,
            weight_version=self.weight_version,
            turns=self.turns,
            format_errors=self.format_errors,
            exit_reason=exit_reason,
            submission_path=submission.path if submission else "",
            submission=submission.content if submission else None,
            timing=Timing(self.sandbox_seconds, self.engine_seconds),
        )

    async def _complete(self, max_tokens: int) -> Completion:
        started = time.monotonic()
        completion = await self.engine.complete(
            CompletionRequest(
                key=f"{self.spec.episode_id}/{self.turns:04d}",
                messages=self.conversation.messages,
                prompt_ids=self.conversation.ids,
                max_tokens=max_tokens,
                temperature=self.sampling.temperature,
                top_p=self.sampling.top_p,
                seed=seed_of(self.spec.seed, "turn", self.turns),
            )
        )
        self.engine_seconds += time.monotonic() - started
        self.conversation.act(completion)
        self.turns += 1
        self.generated += completion.completion_tokens
        return completion

    async def _respond(self, completion: Completion) -> ExitReason | None:
        """Answer a turn; the reason if it ends the episode."""
        parsed = self._parse(completion)
        if isinstance(parsed, FormatProblem):
            if parsed.kind == "no_call" and self.config.resubmission and self.tools.submission is not None:
                return "submitted"
            self.format_errors += 1
            self.errors_in_row += 1
            if self.errors_in_row >= self.config.max_format_errors:
                return "format_error"
            answer = f"Format error: {parsed.message}"
        else:
            self.errors_in_row = 0
            answer = await self._run(parsed)
            if self.tools.submission is not None and not self.config.resubmission:
                return "submitted"
        if self.turns >= self.config.max_turns:
            return "turn_limit"
        return None if self._observe(answer) else "context_limit"

    def _parse(self, completion: Completion) -> ToolCall | FormatProblem:
        if not completion.stopped:
            limit = f"The turn was cut off at {self.config.action_tokens} tokens."
            return FormatProblem("unterminated", limit)
        return self.format.parse(completion.text)

    async def _run(self, call: ToolCall) -> str:
        started = time.monotonic()
        answer = await asyncio.get_running_loop().run_in_executor(self.threads, self.tools.run, call)
        self.sandbox_seconds += time.monotonic() - started
        return answer

    def _observe(self, answer: str) -> bool:
        """Whether the answer left room for another turn."""
        talk, config = self.conversation, self.config
        budget = remaining(config, self.turns, talk.tokens)
        shown = talk.shortened(answer, config.observation_tokens)
        return talk.observe(f"{shown}\n{budget}".lstrip("\n"), config.context_tokens)
