"""Inference by any OpenAI-compatible chat endpoint: for playing without training, because no token ids come back."""

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from ssr.contracts import Completion, CompletionRequest, Message
from ssr.errors import ContextFull, EngineError

logger = logging.getLogger(__name__)
TRIES = 6
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
TIMEOUT_S = 600.0
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Status codes that may pass."""
TOO_LONG = ("context_length_exceeded", "maximum context length", "context length is only")
"""What servers say of a conversation that leaves no room for the turn."""


class OpenAIEngine:
    """Asks `{endpoint}/chat/completions`, again after growing pauses when the server is busy or unreachable.

    Observations are sent in the role `observation_role` and without tool ids, because calls are plain text here. Raises
    ContextFull when the server says that the conversation is too long for the model, and EngineError when it refuses,
    stays unreachable, or answers with something else than a completion.
    """

    def __init__(
        self,
        endpoint: str,
        model: str,
        key: str | None = None,
        observation_role: str = "user",
        first_pause_s: float = FIRST_PAUSE_S,
        tries: int = TRIES,
    ) -> None:
        self._url = f"{endpoint.rstrip('/')}/chat/completions"
        self._model = model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._observation_role = observation_role
        self._first_pause_s = first_pause_s
        self._tries = tries
        self._clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}

    @property
    def codec(self) -> None:
        """None: the endpoint takes text."""
        return None

    @property
    def weight_version(self) -> int:
        """0: not this project's weights."""
        return 0

    def join(self) -> None:
        """Requests do not wait for each other."""

    def leave(self) -> None:
        """Requests do not wait for each other."""

    def close(self) -> None:
        """Forget the connections; their event loops have ended."""
        self._clients.clear()

    async def complete(self, request: CompletionRequest) -> Completion:
        """One turn; token counts are the server's."""
        body = {
            "model": self._model,
            "messages": _as_chat(request.messages, self._observation_role),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed,
        }
        return _completion(await self._post(body))

    async def _post(self, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        problem = ""
        for again in range(self._tries):
            if again:
                logger.info("%s: %s; asked again", self._url, problem)
                await asyncio.sleep(min(LONGEST_PAUSE_S, self._first_pause_s * 2 ** (again - 1)))
            try:
                response = await self._client().post(self._url, json=body)
            except httpx.TransportError as error:
                problem = f"{type(error).__name__}: {error}"
                continue
            if response.status_code == 200:
                return _json(response)
            problem = f"status {response.status_code}: {response.text[:200]}"
            if response.status_code == 400 and any(words in response.text for words in TOO_LONG):
                raise ContextFull(f"{self._url}: {problem}")
            if response.status_code not in AGAIN:
                break
        raise EngineError(f"{self._url} gave no completion: {problem}")

    def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            limits = httpx.Limits(max_connections=None)
            self._clients[loop] = httpx.AsyncClient(headers=self._headers, timeout=TIMEOUT_S, limits=limits)
        return self._clients[loop]


def key_from(variable: str) -> str | None:
    """The endpoint's key from the environment, if it is set there."""
    return os.environ.get(variable)


def _as_chat(messages: Sequence[Message], observation_role: str) -> list[dict[str, str]]:
    role = {"tool": observation_role}
    return [{"role": role.get(m["role"], m["role"]), "content": m["content"]} for m in messages]


def _json(response: httpx.Response) -> Any:  # noqa: ANN401
    try:
        return response.json()
    except ValueError as error:
        raise EngineError(f"{response.url} answered no JSON: {response.text[:200]}") from error


def _completion(answer: Any) -> Completion:  # noqa: ANN401
    try:
        choice = answer["choices"][0]
        usage = answer.get("usage") or {}
        return Completion(
            text=choice["message"].get("content") or "",
            stopped=choice.get("finish_reason") != "length",
            prompt_tokens=int(usage.get("prompt_tokens", 0)),
            completion_tokens=int(usage.get("completion_tokens", 0)),
        )
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise EngineError(f"the endpoint's answer is no chat completion: {str(answer)[:200]}") from error
