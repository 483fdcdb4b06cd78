"""Who plays: an endpoint, a checkpoint, or the demonstrator; each behind a meter."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import cached_property, partial
from pathlib import Path

from ssr.basemodel.corpus import Source
from ssr.basemodel.demonstrator import Demonstrator, Script, injector_script, solver_script
from ssr.basemodel.dialects import Dialect, read_repository
from ssr.config import EngineConfig, Scale
from ssr.contracts import CompletionRequest, Engine, Role
from ssr.digests import write_digests
from ssr.engine.factory import open_engine
from ssr.engine.openai_engine import OpenAIEngine, key_from
from ssr.errors import ConfigError, RepositoryError
from ssr.game.instance import Instance
from ssr.play.choice import something_to_play, within_reach
from ssr.play.metered import USAGE, Metered
from ssr.play.settings import EngineName
from ssr.repository.snapshot import Snapshot
from ssr.selfplay.stages import Opener
from ssr.selfplay.tasks import InjectionTask

Scripts = Mapping[str, Callable[[], Script]]


def checkpoint_of(engine: EngineName, given: Path | None, out: Path) -> Path:
    """A folder that stages take as checkpoint: what plays, by its digests; an empty one for what has no weights.

    Raises ConfigError for a folder that holds no model.
    """
    folder = out / "checkpoints" / "000"
    if engine != "checkpoint" or given is None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sha256").touch()
        return folder
    if not (given / "config.json").is_file():
        raise ConfigError(f"--checkpoint {given} holds no model: a folder with config.json, weights and tokenizer")
    if (given / "sha256").is_file():
        return given
    if not (folder / "sha256").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(path for path in given.iterdir() if path.is_file()):
            (folder / file.name).unlink(missing_ok=True)
            (folder / file.name).symlink_to(file.resolve())
        write_digests(folder)
    return folder


def say_hello(config: EngineConfig) -> None:
    """Ask an endpoint for one token, so that a wrong address, key or name is known before any work is done.

    Raises EngineError.
    """
    request = CompletionRequest("hello/0000", [{"role": "user", "content": "Say yes."}], (), 1, 1.0, 1.0, 0)
    key = key_from(config.api_key_variable)
    engine = OpenAIEngine(config.endpoint or "", config.model or "", key, config.observation_role, tries=2)
    with closing(engine):
        asyncio.run(engine.complete(request))


class Scripted:
    """Opens the demonstrator for the episodes of a stage."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @cached_property
    def _read(self) -> tuple[Source, Dialect]:
        return within_reach(*read_repository(self._snapshot))

    def injector(self, tasks: list[InjectionTask]) -> Scripts:
        """Scripts of injector episodes, by episode. Raises RepositoryError where there is nothing it would change."""
        source, say = self._read
        strategies = sorted({task.strategy for task in tasks})
        if not any(something_to_play(source, strategy, say) for strategy in strategies):
            raise RepositoryError(
                f"the demonstrator sees no function in {source.name} that tests would notice "
                f"({', '.join(strategies)}): name another --strategy, or play with a model (--engine openai)"
            )
        return {
            task.episode_id: partial(injector_script, source, task.strategy, task.episode_seed, say) for task in tasks
        }

    def solver(self, bugs: list[Instance], attempts: int) -> Scripts:
        """Scripts of solver episodes, which know the gold patch, by episode."""
        return dict(self._solving(bugs, attempts))

    def _solving(self, bugs: list[Instance], attempts: int) -> Iterator[tuple[str, Callable[[], Script]]]:
        source, say = self._read
        for bug in bugs:
            for number in range(attempts):
                yield f"{bug.instance_id}-a{number:02d}", partial(solver_script, source, bug.patch, say)


def opener_of(scripts: Scripts | None, role: Role, out: Path) -> Opener:
    """What a stage opens its engine by: the demonstrator with scripts, else what the scale names."""

    def opened(scale: Scale, checkpoint: Path) -> Engine:
        if scripts is None:
            return Metered(open_engine(scale.engine, checkpoint, scale.model.dtype), role, out / USAGE)
        return Metered(Demonstrator(None, scripts), role, out / USAGE)

    return opened
