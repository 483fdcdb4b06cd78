"""The baseline at scale: a run that trains on a public training set of problems, instead of made issues (section 3).

Tasks are drawn and attempts written as self-play does it, so that batches and everything after know no difference; the
problems are opened and graded as an evaluation does it.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from ssr.agent.episode import Episode
from ssr.agent.prompts import solver_messages
from ssr.agent.rollout import EpisodeSpec, run_episodes
from ssr.config import Scale
from ssr.errors import ConfigError
from ssr.evaluation.problem import load_problems, write_problems
from ssr.evaluation.run import grade_patiently
from ssr.evaluation.stages import snapshots_of, source_of
from ssr.evaluation.tasks import Task, swebench_tasks
from ssr.files import written
from ssr.sandbox.factory import open_backend
from ssr.selfplay import solve
from ssr.selfplay.files import shard_of
from ssr.selfplay.journals import open_journal
from ssr.selfplay.progress import progress
from ssr.selfplay.stages import Opener, engine_of, replace_episodes, replace_instances
from ssr.selfplay.tasks import Place, drawn

Case = tuple[Task, int]
"""A problem and the number of the attempt."""


def draw_problems(scale: Scale, place: Place, pool: Path, out: Path) -> None:
    """The problems of a training set that a generation works on, as `ssr.selfplay.tasks.drawn` draws issues."""
    with written(out) as partial:
        write_problems(partial, drawn(place, load_problems(pool), scale.selfplay.issues))


def attempt_shard(
    scale: Scale,
    place: Place,
    shard: int,
    tasks: Path,
    checkpoint: Path,
    snapshots: Path,
    journals: Path,
    out: Path,
    opener: Opener = engine_of,
) -> None:
    """A shard's attempts: episodes with grades, messages and timings in `out`, and no second-order bugs.

    Raises ConfigError for a run that names no training set, EvaluationError for one that the scale does not have.
    """
    name = scale.selfplay.issues_of
    if name is None:
        raise ConfigError(f"run {place.run!r} has problems of a training set to solve, and no `selfplay.issues_of`")
    problems = shard_of(load_problems(tasks), shard, scale.selfplay.shards)
    repositories = snapshots_of(scale, source_of(scale, name), problems, snapshots)
    with (
        open_backend(scale.sandbox) as backend,
        closing(opener(scale, checkpoint)) as engine,
        progress(f"{place} solver episodes", len(problems) * scale.game.attempts) as advance,
    ):
        loaded = swebench_tasks(problems, repositories, backend, scale.evaluation.test_timeout_s)
        cases = [(task, number) for task in loaded for number in range(scale.game.attempts)]
        journal = open_journal(journals, place, scale, checkpoint, {})
        specs = [_spec(scale, place, case) for case in cases]
        episodes = run_episodes(
            specs, engine, scale.agent, scale.sampling.training, scale.engine.in_flight, advance, journal
        )
        columns = _graded(scale, place, cases, episodes)
        for task in loaded:
            task.release()
    replace_instances(out / "instances.parquet", [])
    replace_episodes(out, episodes, solve.COLUMNS, columns)


def _spec(scale: Scale, place: Place, case: Case) -> EpisodeSpec:
    task, number = case
    messages = solver_messages(scale.agent, task.statement)
    return solve.attempt_spec(
        place, task.instance_id, number, messages=messages, open_sandbox=task.open_agent, starts_from=task.gold
    )


def _graded(scale: Scale, place: Place, cases: Sequence[Case], episodes: Sequence[Episode]) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(scale.sandbox.parallel) as pool:
        return list(pool.map(lambda pair: _columns(scale, place, *pair), zip(cases, episodes, strict=True)))


def _columns(scale: Scale, place: Place, case: Case, episode: Episode) -> dict[str, Any]:
    task, number = case
    what = {"repo": task.repo, "strategy": "issue", "order": 1}
    return solve.attempt_columns(place, task.instance_id, number, what | _outcome(scale, task, episode))


def _outcome(scale: Scale, task: Task, episode: Episode) -> dict[str, Any]:
    """What the benchmark's own grader says of a patch; a machine that failed is not the policy's failure."""
    patch = episode.submission if episode.exit_reason == "submitted" else None
    if not isinstance(patch, str):
        return solve.no_patch(episode.exit_reason)
    grade = grade_patiently(task, patch, str(scale.name), scale.agent.infrastructure_retries)
    if grade is None:
        return solve.no_patch("infrastructure") | {"patch": patch}
    said = "resolved" if grade.resolved else "not resolved" if grade.applied else "does not apply"
    solved = {"verdict": said, "applied": grade.applied, "solved": grade.resolved, "exit_reason": "submitted"}
    return solved | {"patch": patch}
