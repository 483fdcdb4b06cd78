"""Many episodes at once: a bounded number in flight, started in a fixed order, each at home in its own sandbox."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace

from ssr.agent.episode import Episode, Timing
from ssr.agent.journal import Journal
from ssr.agent.loop import Conversation, EpisodeSpec, play
from ssr.config import AgentConfig, Sampling
from ssr.contracts import Engine, Sandbox
from ssr.errors import InfrastructureError

__all__ = ["EpisodeSpec", "run_episodes"]
logger = logging.getLogger(__name__)


def run_episodes(
    specs: Sequence[EpisodeSpec],
    engine: Engine,
    config: AgentConfig,
    sampling: Sampling,
    in_flight: int,
    finished: Callable[[Episode], object] = lambda episode: None,
    journal: Journal | None = None,
) -> list[Episode]:
    """Play the episodes, at most `in_flight` at a time; they come back in the order of `specs`.

    `finished` is told of each as it ends. Those that the `journal` holds are not played; the others are kept in it as
    they end. An episode whose sandbox or engine fails is played again from its start with
    the same seed, `config.infrastructure_retries` times, and then recorded as `infrastructure`. Any other exception
    ends the whole call.
    """
    names = [spec.episode_id for spec in specs]
    if len(set(names)) != len(names):
        raise ValueError("episode ids must differ")
    known = {spec.episode_id: episode for spec in specs if journal and (episode := journal.find(spec))}
    for episode in known.values():
        finished(episode)
    todo = [spec for spec in specs if spec.episode_id not in known]
    played = asyncio.run(_Rollout(todo, engine, config, sampling, finished, journal).run(min(in_flight, len(todo))))
    known |= {episode.episode_id: episode for episode in played}
    return [known[name] for name in names]


class _Rollout:
    """Workers take specs in order. A worker stays joined to the engine from its first episode to its last, so that a
    lockstep engine always waits for the same number of episodes, however they end."""

    def __init__(
        self,
        specs: Sequence[EpisodeSpec],
        engine: Engine,
        config: AgentConfig,
        sampling: Sampling,
        finished: Callable[[Episode], object],
        journal: Journal | None,
    ) -> None:
        self.engine, self.config, self.sampling = engine, config, sampling
        self.finished, self.journal = finished, journal
        self.waiting: Iterator[tuple[int, EpisodeSpec]] = iter(enumerate(specs))
        self.episodes: dict[int, Episode] = {}
        self.joined = 0

    async def run(self, workers: int) -> list[Episode]:
        """All episodes, in the order of the specs."""
        threads = ThreadPoolExecutor(len(os.sched_getaffinity(0)), "tools")
        for _ in range(workers):
            self.engine.join()
        self.joined = workers
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(threads))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            for _ in range(self.joined):
                self.engine.leave()
            threads.shutdown(cancel_futures=True)
        return [self.episodes[index] for index in sorted(self.episodes)]

    async def _work(self, threads: Executor) -> None:
        for index, spec in self.waiting:
            episode = await self._play(spec, threads)
            self.episodes[index] = episode
            if self.journal:
                self.journal.keep(spec, episode)
            self.finished(episode)
        self.joined -= 1
        self.engine.leave()

    async def _play(self, spec: EpisodeSpec, threads: Executor) -> Episode:
        failure = ""
        for retry in range(self.config.infrastructure_retries + 1):
            try:
                async with _opened(spec, threads) as sandbox:
                    episode = await play(spec, sandbox, self.engine, self.config, self.sampling, threads)
                return replace(episode, timing=replace(episode.timing, retries=retry, failure=failure))
            except InfrastructureError as error:
                failure = str(error)
                logger.warning("%s, attempt %d: the machine failed: %s", spec.episode_id, retry + 1, failure)
        return self._failed(spec, failure)

    def _failed(self, spec: EpisodeSpec, failure: str) -> Episode:
        """The record of an episode that the machine, not the policy, made fail: its prompt alone."""
        talk = Conversation(self.engine.codec, list(spec.messages))
        nobody = self.engine.codec is None
        timing = Timing(retries=self.config.infrastructure_retries, failure=failure)
        return Episode(
            episode_id=spec.episode_id,
            role=spec.role,
            messages=tuple(talk.messages),
            token_ids=None if nobody else talk.ids,
            loss_mask=None if nobody else talk.mask,
            logprobs=None if nobody else talk.logprobs,
            prompt_tokens=talk.tokens,
            generated_tokens=0,
            weight_version=self.engine.weight_version,
            turns=0,
            format_errors=0,
            exit_reason="infrastructure",
            timing=timing,
        )


@contextlib.asynccontextmanager
async def _opened(spec: EpisodeSpec, threads: Executor) -> AsyncIterator[Sandbox]:
    """The episode's sandbox, closed at the end; one that cannot even be closed has nothing more to lose."""
    loop = asyncio.get_running_loop()
    sandbox = await loop.run_in_executor(threads, spec.open_sandbox)
    try:
        yield sandbox
    finally:
        with contextlib.suppress(InfrastructureError):
            await loop.run_in_executor(threads, sandbox.close)
