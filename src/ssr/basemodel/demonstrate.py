"""The demonstrator's episodes in the game: same loop, sandbox, checks and verdicts as anyone's; successes are kept."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ssr.agent.episode import Episode
from ssr.agent.prompts import injector_messages, solver_messages, specification
from ssr.agent.rollout import EpisodeSpec, run_episodes
from ssr.agent.tools import read_patch
from ssr.basemodel.demonstrator import Demonstrator, Script, injector_script, solver_script
from ssr.basemodel.dialects import read_repository
from ssr.basemodel.pretrain import snapshots_of
from ssr.basemodel.tokenizer import load_tokenizer
from ssr.config import Scale
from ssr.contracts import SandboxBackend, Strategy
from ssr.digests import write_digests
from ssr.engine.chat import ChatCodec
from ssr.files import written
from ssr.game.artifact import BugArtifact
from ssr.game.codebase import open_codebase
from ssr.game.consistency import check
from ssr.game.instance import Instance, instance_of
from ssr.game.verdict import judge
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.factory import open_backend
from ssr.seeds import seed_of

Scripts = Mapping[str, Callable[[], Script]]
STRATEGIES: Sequence[Strategy] = ("removal", "history", "direct")
SCHEMA = pa.schema(
    [
        ("episode_id", pa.string()), ("role", pa.string()), ("strategy", pa.string()),
        ("token_ids", pa.list_(pa.int32())), ("loss_mask", pa.list_(pa.int8())),
    ]
)  # fmt: skip


class Demonstrations:
    """Plays the demonstrator in one repository and keeps what succeeded."""

    def __init__(self, scale: Scale, snapshot: Snapshot, codec: ChatCodec, backend: SandboxBackend) -> None:
        self.scale, self.snapshot, self.codec, self.backend = scale, snapshot, codec, backend
        self.source, self.say = read_repository(snapshot)
        self.rows: list[dict[str, object]] = []

    def make(self, count: int, report: Callable[[str], None]) -> None:
        """Play `count` injector episodes, then one solver episode on each valid bug."""
        instances = self.inject(count)
        report(f"{self.snapshot.name}: {len(instances)} of {count} artifacts valid")
        solved = self.solve(instances)
        report(f"{self.snapshot.name}: {solved} of {len(instances)} bugs solved")

    def inject(self, count: int) -> list[Instance]:
        """Valid bugs out of `count` injector episodes, strategies in turn."""
        chosen = {f"{self.snapshot.name}-{n}": STRATEGIES[n % len(STRATEGIES)] for n in range(count)}
        scripts: Scripts = {
            name: partial(injector_script, self.source, strategy, seed_of("demonstrator", name), self.say)
            for name, strategy in chosen.items()
        }
        specs = [self._injector(name, strategy) for name, strategy in chosen.items()]
        episodes = self._play(specs, scripts)
        return [i for e in episodes if (i := self._checked(e, chosen[e.episode_id])) is not None]

    def solve(self, instances: Sequence[Instance]) -> int:
        """Solve each bug by its gold patch; how many verdicts agreed."""
        by_id = {f"{instance.instance_id}-solver": instance for instance in instances}
        scripts: Scripts = {
            name: partial(solver_script, self.source, instance.patch, self.say) for name, instance in by_id.items()
        }
        specs = [self._solver(name, instance) for name, instance in by_id.items()]
        solved = 0
        for episode in self._play(specs, scripts):
            instance = by_id[episode.episode_id]
            patch = episode.submission
            if isinstance(patch, str) and judge(self.backend, self.snapshot, instance, patch, self.scale.game).solved:
                self._keep(episode, "solver", instance.strategy)
                solved += 1
        return solved

    def _play(self, specs: Sequence[EpisodeSpec], scripts: Scripts) -> list[Episode]:
        engine = Demonstrator(self.codec, scripts)
        return run_episodes(specs, engine, self.scale.agent, self.scale.sampling.training, self.scale.engine.in_flight)

    def _injector(self, name: str, strategy: Strategy) -> EpisodeSpec:
        messages = injector_messages(self.scale.agent, strategy, self.snapshot.name, self.scale.game)
        opened = partial(self.backend.open, self.snapshot)
        return EpisodeSpec(name, "injector", messages, opened, 0, BugArtifact.from_sandbox)

    def _solver(self, name: str, instance: Instance) -> EpisodeSpec:
        messages = solver_messages(self.scale.agent, instance.problem_statement)
        opened = partial(open_codebase, self.backend, self.snapshot, instance)
        return EpisodeSpec(name, "solver", messages, opened, 0, read_patch)

    def _checked(self, episode: Episode, strategy: Strategy) -> Instance | None:
        artifact = episode.submission
        if not isinstance(artifact, BugArtifact):
            return None
        report = check(artifact, self.backend, self.snapshot, self.scale.game)
        if not report.valid:
            return None
        self._keep(episode, "injector", strategy)
        instance = instance_of(artifact, report, self.snapshot, strategy, episode.episode_id, "")
        return instance.model_copy(update={"problem_statement": specification(self.scale.agent, instance.test_patch)})

    def _keep(self, episode: Episode, role: str, strategy: str) -> None:
        self.rows.append(
            {
                "episode_id": episode.episode_id, "role": role, "strategy": strategy,
                "token_ids": episode.token_ids, "loss_mask": episode.loss_mask,
            }
        )  # fmt: skip


def demonstrate(scale: Scale, snapshots: Path, tokenizer: Path, out: Path, report: Callable[[str], None]) -> None:
    """Play `basemodel.demonstrations` injections in each repository; successful episodes go to `out`, a file each."""
    codec = ChatCodec(load_tokenizer(tokenizer))
    backend = open_backend(scale.sandbox)
    with written(out) as partial:
        partial.mkdir()
        for snapshot in snapshots_of(scale, snapshots):
            made = Demonstrations(scale, snapshot, codec, backend)
            made.make(scale.basemodel.demonstrations, report)
            write_demonstrations(partial / f"{snapshot.name}.parquet", made.rows)
        write_digests(partial)


def write_demonstrations(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write successful episodes to parquet (zstd)."""
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=SCHEMA)
    pq.write_table(table, path, compression="zstd")
