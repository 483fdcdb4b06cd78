"""Results as a scale leaves them, written by the project's own writers from episodes that a script made up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from tokenizers import Tokenizer

from ssr.agent.episode import Episode
from ssr.config import Scale, load_scale
from ssr.contracts import ExitReason, Message, Role
from ssr.evaluation.reports import merge
from ssr.evaluation.run import COLUMNS as EVALUATED
from ssr.game.artifact import BugArtifact
from ssr.game.diffs import reverse
from ssr.game.instance import Instance
from ssr.paper.data import gather
from ssr.paper.metrics import write
from ssr.paper.summarise import summarise
from ssr.selfplay import inject, solve
from ssr.selfplay.artifacts import ARTIFACTS, Submitted
from ssr.selfplay.files import shard_of, write_rows
from ssr.selfplay.stages import collect_generation, replace_episodes, replace_instances
from ssr.selfplay.tasks import InjectionTask, Place
from ssr.selfplay.validate import CHECKS, changed_lines
from ssr.training.batch import Trajectory, prepare, write_batch
from ssr.training.metrics import StepMetrics, write_metrics

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "results" / "released" / "basemodel"
REPOSITORIES = ("cachetools", "toolz")
HOSTILE = "<script>window.taken=1</script><img src=x onerror='window.taken=1'>"
"""What a model may write; a page that reads it as HTML gives itself away."""
BUG = """diff --git a/src/cache.py b/src/cache.py
index 1111111..2222222 100644
--- a/src/cache.py
+++ b/src/cache.py
@@ -10,3 +10,3 @@ class Cache:
     def pop(self, key):
-        raise KeyError(key)
+        raise IndexError(key)
         return None
"""
WEAKENING = """diff --git a/tests/test_cache.py b/tests/test_cache.py
index 3333333..4444444 100644
--- a/tests/test_cache.py
+++ b/tests/test_cache.py
@@ -5,3 +5,2 @@ def test_pop():
     cache = Cache()
-    assert cache.pop(1)
     cache.clear()
"""
EDIT = "<<<<<<< SEARCH\nraise KeyError(key)\n=======\nraise IndexError(key)\n>>>>>>> REPLACE\n"
KINDS = ("some", "none", "invalid", "gave up", "all")
"""How injector episodes go in turn: bugs that some, no or all attempts solve, an invalid artifact, no artifact."""


@dataclass(frozen=True)
class Played:
    """A scale's file and its results."""

    scale_file: Path
    results: Path

    @property
    def scale(self) -> Scale:
        return load_scale(self.scale_file)


def write_results(folder: Path, injections: int = 10, generations: int = 2, seeds: Sequence[int] = (0,)) -> Played:
    """Two runs, `ssr` and the `baseline` on one issue, and every table that a finished scale has."""
    values = yaml.safe_load((ROOT / "workflow/config/smoke.yaml").read_text())
    values |= {"name": "played", "include": list(REPOSITORIES), "seeds": list(seeds)}
    values["repositories"] = str(ROOT / values["repositories"])
    values["model"]["base"] = str(MODEL)
    values["selfplay"] |= {"injections": injections, "generations": generations}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "played.yaml").write_text(yaml.safe_dump(values))
    played = Played(folder / "played.yaml", folder / "played")
    for run in played.scale.runs:
        for seed in seeds:
            for generation in range(1, generations + 1):
                _write_generation(played, Place(run, seed, generation))
    runs = [(run, seed) for run in ("base", *played.scale.runs) for seed in seeds]
    for run, seed in runs:
        _write_evaluations(played, Place(run, seed, 0 if run == "base" else generations))
    summaries = [summarise(played.scale, played.results, run, seed) for run, seed in runs]
    write(gather(summaries), played.results / "metrics.parquet")
    return played


def _write_generation(played: Played, place: Place) -> None:
    scale, spot = played.scale.for_run(place.run), f"{place.run}/s{place.seed}/{place.generation:03d}"
    tables: dict[str, list[Path]] = {"inject": [], "validate": [], "solve": []}
    for shard in range(scale.selfplay.shards):
        folders = {stage: played.results / stage / spot / f"{shard:02d}" for stage in tables}
        bugs = [instance_of(f"{REPOSITORIES[0]}__human-001", "cachetools", "issue")]
        if scale.selfplay.data == "selfplay":
            tasks = shard_of(list(_tasks(place, scale.selfplay.injections)), shard, scale.selfplay.shards)
            bugs = _inject(tasks, folders["inject"], folders["validate"])
            tables["inject"].append(folders["inject"] / "episodes.parquet")
            tables["validate"].append(folders["validate"] / "checks.parquet")
        else:
            replace_instances(played.results / "tasks" / f"{spot}.parquet", bugs)
            bugs = bugs if shard == 0 else []
        _solve(place, bugs, scale, folders["solve"])
        tables["solve"].append(folders["solve"] / "episodes.parquet")
    fields, unrewarded = collect_generation(scale, tables["inject"], tables["validate"], tables["solve"])
    kept, statistics = prepare((Trajectory(**row) for row in fields), scale.training, 0)
    (played.results / "batch" / spot).parent.mkdir(parents=True, exist_ok=True)
    write_batch(played.results / "batch" / f"{spot}.parquet", kept, statistics | unrewarded)
    step = StepMetrics(
        place.generation, len(kept), 900, 300, 2, 1e-4, -0.1, 0.2, 0.5 / place.generation, 1.0, 1.2, 0.0, 0.0
    )
    write_metrics(played.results / "training" / f"{spot}.parquet", [step])


def _tasks(place: Place, number: int) -> Iterator[InjectionTask]:
    for index in range(number):
        repo, strategy = REPOSITORIES[index % 2], ("direct", "removal")[index // 2 % 2]
        yield InjectionTask(
            f"{place}-i{index:03d}", place.run, place.seed, place.generation, repo, strategy, index, index
        )  # type: ignore[arg-type]


def kind_of(episode_id: str) -> str:
    """Which of KINDS an injector's episode, or a bug of it, is."""
    return KINDS[int(episode_id.partition("-i")[2][:3]) % len(KINDS)]


def _inject(tasks: Sequence[InjectionTask], folder: Path, checked: Path) -> list[Instance]:
    episodes, artifacts, checks, instances = [], [], [], []
    for task in tasks:
        kind = kind_of(task.episode_id)
        reason: ExitReason = "turn_limit" if kind == "gave up" else "submitted"
        episodes.append(_episode(task.episode_id, "injector", f"Introduce a bug into {task.repo}.", reason))
        if kind == "gave up":
            continue
        place = {name: getattr(task, name) for name in ("episode_id", "run", "seed", "generation", "repo", "strategy")}
        texts = ("pytest -q tests", "tests/test_cache.py\n", "print('{}')\n", BUG, WEAKENING)
        artifacts.append(Submitted(place, BugArtifact(*texts)).row)
        valid = kind != "invalid"
        reasons = ("", "") if valid else ("test_parser", f"bad_json: the parser prints {HOSTILE}")
        checks.append(
            place
            | {
                "instance_id": task.episode_id,
                "valid": valid,
                "check": reasons[0],
                "reason": reasons[1],
                "tail": "no\n",
            }
            | {"fail_to_pass": 2, "pass_to_pass": 5, "set_aside": 0}
            | {"changed_lines": changed_lines(BUG), "fingerprint": task.episode_id if valid else ""}
        )
        if valid:
            instances.append(instance_of(task.episode_id, task.repo, task.strategy))
    write_rows(folder / "artifacts.parquet", artifacts, ARTIFACTS)
    replace_episodes(folder, episodes, inject.COLUMNS, [inject.columns_of(task) for task in tasks])
    write_rows(checked / "checks.parquet", checks, CHECKS)
    replace_instances(checked / "instances.parquet", instances)
    return instances


def instance_of(name: str, repo: str, strategy: Any, order: Any = 1) -> Instance:  # noqa: ANN401
    """A bug with the diffs of this module."""
    second = {"parent_id": name.removesuffix("-o2"), "failed_patch": BUG} if order == 2 else {}
    return Instance(
        instance_id=name, repo=repo, base_commit="0" * 40, version="1.0", patch=reverse(BUG),
        problem_statement=f"These tests, and all other relevant tests, must pass:\n\n{reverse(WEAKENING)}",
        test_patch=reverse(WEAKENING), FAIL_TO_PASS=["tests/test_cache.py::test_pop", "tests/test_cache.py::test_two"],
        PASS_TO_PASS=[f"tests/test_cache.py::test_{number}" for number in range(5)], bug_inject_diff=BUG,
        test_weaken_diff=WEAKENING, test_script="pytest", test_files=["tests/test_cache.py"], test_parser="",
        strategy=strategy, order=order, **second,
    )  # fmt: skip


def _solve(place: Place, bugs: Sequence[Instance], scale: Scale, folder: Path) -> None:
    harder = [
        instance_of(f"{bug.instance_id}-o2", bug.repo, bug.strategy, 2)
        for bug in bugs
        if bug.strategy != "issue" and kind_of(bug.instance_id) == "none"
    ]
    attempts = [(bug, number) for bug in [*bugs, *harder] for number in range(scale.game.attempts)]
    episodes, columns = [], []
    for bug, number in attempts:
        prefix = "" if bug.instance_id.startswith(str(place)) else f"{place}-"
        kind = "some" if bug.strategy == "issue" else kind_of(bug.instance_id)
        solved = kind == "all" or (kind == "some" and number == 1)
        name = f"{prefix}{bug.instance_id}-a{number:02d}"
        episodes.append(_episode(name, "solver", bug.problem_statement, "submitted"))
        place_of = {
            "run": place.run,
            "seed": place.seed,
            "generation": place.generation,
            "instance_id": bug.instance_id,
        }
        verdict = "solved" if solved else "tests_failed: of 7 tests not all pass"
        columns.append(
            place_of
            | {"repo": bug.repo, "strategy": bug.strategy, "order": bug.order, "attempt": number, "patch": reverse(BUG)}
            | {"verdict": verdict, "applied": True, "solved": solved, "reward": 1.0 if solved else -1.0}
        )
    replace_instances(folder / "instances.parquet", harder)
    replace_episodes(folder, episodes, solve.COLUMNS, columns)


def _write_evaluations(played: Played, place: Place) -> None:
    for benchmark in played.scale.evaluation.benchmarks:
        spot = Path(place.run, f"s{place.seed}", f"{place.generation:03d}", benchmark)
        folder = played.results / "evaluate" / spot
        names = {f"cachetools__{number:03d}": "cachetools" for number in range(6)}
        columns = [
            {"run": place.run, "seed": place.seed, "generation": place.generation, "benchmark": benchmark}
            | {"instance_id": name, "repo": repo, "patch": BUG, "applied": True}
            | {"resolved": number < {"base": 1, "baseline": 2, "ssr": 4}[place.run]}
            for number, (name, repo) in enumerate(names.items())
        ]
        episodes = [
            _episode(f"{place}-{benchmark}-{name}", "solver", "Solve.", "submitted", place.generation) for name in names
        ]
        replace_episodes(folder / "shards/00", episodes, EVALUATED, columns)
        merge(names, [folder / "shards/00/episodes.parquet"], folder)


@cache
def _tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(MODEL / "tokenizer.json"))


@cache
def _ids(text: str) -> tuple[int, ...]:
    return tuple(_tokenizer().encode(text, add_special_tokens=False).ids)


def _episode(name: str, role: Role, task: str, reason: ExitReason, version: int = 0) -> Episode:
    """Three turns: a command after a thought, an edit, and a turn without a call or the submission."""
    said = [
        f"Look at {HOSTILE} first.\n<tool: bash>\nls -la src\n</tool>",
        f"<tool: edit>\nsrc/cache.py\n{EDIT}</tool>",
        "<tool: submit>\n/tmp/bug\n</tool>" if reason == "submitted" else "I do not know what to do.",
    ]
    messages: list[Message] = [{"role": "system", "content": "Call a tool."}, {"role": "user", "content": task}]
    ids, mask, logprobs = [*_ids(task)], [0] * len(_ids(task)), [0.0] * len(_ids(task))
    for turn, text in enumerate(said):
        sampled = _ids(text)
        messages.append({"role": "assistant", "content": text})
        ids += sampled
        mask += [1] * len(sampled)
        logprobs += [-(7 * (turn + index) % 60) / 10 for index in range(len(sampled))]
        if turn < 2:
            seen = f"total {turn}\n[{9 - turn} turns left]"
            messages.append({"role": "tool", "content": seen})
            ids += _ids(seen)
            mask += [0] * len(_ids(seen))
            logprobs += [0.0] * len(_ids(seen))
    return Episode(
        episode_id=name, role=role, messages=messages, token_ids=ids, loss_mask=mask, logprobs=logprobs,
        prompt_tokens=len(_ids(task)), generated_tokens=sum(mask), weight_version=version, turns=3, format_errors=0,
        exit_reason=reason, submission_path="/tmp/bug" if reason == "submitted" else "",
    )  # fmt: skip
