"""Real bug artifacts for the benches: the scripted demonstrator's, made once and kept."""

from functools import partial
from pathlib import Path

from ssr.basemodel.demonstrate import STRATEGIES
from ssr.basemodel.demonstrator import Demonstrator, injector_script
from ssr.basemodel.dialects import read_repository
from ssr.config import Scale
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.factory import open_backend
from ssr.seeds import seed_of
from ssr.selfplay.artifacts import ARTIFACTS, Submitted, read_artifacts
from ssr.selfplay.files import write_rows
from ssr.selfplay.inject import inject, submitted
from ssr.selfplay.progress import progress
from ssr.selfplay.tasks import InjectionTask

RUN = "bench"
EPISODES = 6
"""Episodes played at a time, until there are enough artifacts."""
MOST = 50
"""Times that this is done; a repository in which the demonstrator finds nothing gives fewer artifacts."""


def artifacts_of(scale: Scale, snapshot: Snapshot, needed: int, cache: Path) -> list[Submitted]:
    """Artifacts that the demonstrator handed in, valid or not, strategies in turn; kept in `cache`, a parquet file."""
    path = cache / f"artifacts-{scale.name}-{snapshot.name}-{snapshot.head[:12]}-{needed}.parquet"
    if not path.exists():
        with progress(f"{snapshot.name}: artifacts", needed) as advance:
            found: list[Submitted] = []
            for turn in range(MOST):
                if len(found) < needed:
                    made = _play(scale, snapshot, turn)
                    found += made
                    for _ in made:
                        advance()
        write_rows(path, (item.row for item in found[:needed]), ARTIFACTS)
    return read_artifacts(path)


def _play(scale: Scale, snapshot: Snapshot, turn: int) -> list[Submitted]:
    source, say = read_repository(snapshot)
    tasks = []
    for number in range(turn * EPISODES, (turn + 1) * EPISODES):
        strategy, name = STRATEGIES[number % len(STRATEGIES)], f"{RUN}-{snapshot.name}-{number:03d}"
        tasks.append(InjectionTask(name, RUN, 0, 1, snapshot.name, strategy, number, seed_of(RUN, name)))
    scripts = {
        task.episode_id: partial(injector_script, source, task.strategy, task.episode_seed, say) for task in tasks
    }
    with open_backend(scale.sandbox) as backend:
        episodes = inject(tasks, Demonstrator(None, scripts), backend, {snapshot.name: snapshot}, scale)
    return submitted(tasks, episodes)
