import json
import random
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from ssr.config import Scale, load_scale
from ssr.game.instance import Instance, write_instances
from ssr.paper.data import Data, gather
from ssr.paper.metrics import write
from ssr.paper.reported import read_reported
from ssr.paper.summarise import summarise
from ssr.paper.summary import Summary, folder_of, write_summary

BENCHMARKS = {"builtin-verified": 40, "builtin-pro": 25}
SCALE: dict[str, Any] = {
    "name": "tiny",
    "repositories": "repositories.yaml",
    "seeds": [0, 1],
    "model": {"base": "base"},
    "selfplay": {"generations": 3, "shards": 2},
    "evaluation": {"every": 2, "benchmarks": list(BENCHMARKS)},
    "runs": {"ssr": {}, "baseline": {"selfplay": {"data": "issues", "shards": 1}}},
}
PLACES = [(run, seed) for run in ("base", "ssr", "baseline") for seed in (0, 1)]
REPORTED = Path(__file__).parents[3] / "paper" / "reported.csv"
DIFF = """--- a/code.py
+++ b/code.py
@@ -1 +1 @@
-a = 1
+a = 2
@@ -9 +9,2 @@
 b = 1
+c = 2
"""
SKILL = {"base": 0.2, "baseline": 0.3, "ssr": 0.4}


def report(run: str, seed: int, generation: int, benchmark: str) -> dict[str, Any]:
    """A report of an evaluation in which a better run resolves mostly the same tasks, and more."""
    noise = random.Random(f"{run}{seed}{generation}")
    share = 0.2 if generation == 0 else SKILL[run] + 0.02 * generation
    names = [f"task-{number}" for number in range(BENCHMARKS[benchmark])]
    resolved = {name: random.Random(name).random() + noise.gauss(0, 0.05) < share for name in names}
    return {
        "run": run,
        "seed": seed,
        "generation": generation,
        "step": 2 * generation,
        "benchmark": benchmark,
        "resolved": resolved,
        "errors": ["task-3"] if run == "ssr" else [],
        "repositories": {name: "toolz" if number % 2 else "schema" for number, name in enumerate(names)},
    }


def table(path: Path, **columns: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def episodes(path: Path, role: str, exit_reason: list[str], **columns: list[Any]) -> None:
    """episodes.parquet of a shard; every episode sampled ten times the same token, which it found certain."""
    count, name = len(exit_reason), "-".join(path.parts[-6:-1])
    given: dict[str, list[Any]] = {
        "episode_id": [f"{name}-{number}" for number in range(count)],
        "role": [role] * count,
        "exit_reason": exit_reason,
        "turns": [2] * count,
        "format_errors": [0] * count,
        "generated_tokens": [10] * count,
        "token_ids": [[1, *[7] * 10]] * count,
        "loss_mask": [[0, *[1] * 10]] * count,
        "logprobs": [[0.0] * 11] * count,
        "repo": ["toolz"] * count,
        "strategy": ["removal"] * count,
    }
    table(path, **(given | columns))


def bug(name: str) -> Instance:
    texts = ("base_commit", "version", "problem_statement", "patch", "test_patch", "test_weaken_diff", "test_script")
    lists: dict[str, Any] = {"FAIL_TO_PASS": [], "PASS_TO_PASS": [], "test_files": [], "test_parser": ""}
    return Instance(
        instance_id=name, repo="toolz", bug_inject_diff=DIFF, strategy="removal", **dict.fromkeys(texts, ""), **lists
    )


def write_generation(results: Path, run: str, seed: int, generation: int, shards: int) -> None:
    spot = f"{run}/s{seed}/{generation:03d}"
    trained = []
    for shard in range(shards):
        name = f"{spot}/{shard:02d}"
        if run == "ssr":
            names = [f"{shard}-{letter}" for letter in "abc"]
            reasons = ["submitted", "submitted", "turn_limit"]
            episodes(results / "inject" / name / "episodes.parquet", "injector", reasons, episode_id=names)
            trained.append(names[0])
            table(
                results / "validate" / name / "checks.parquet",
                episode_id=names[:2],
                instance_id=names[:2],
                repo=["toolz", "toolz"],
                valid=[True, False],
                check=["", "bug_validity"],
                strategy=["removal", "history"],
                fingerprint=[f"bug-{generation if generation < 3 else shard + 2}", ""],
                fail_to_pass=[1, 0],
            )
            write_instances(results / "validate" / name / "instances.parquet", [bug(names[0])])
        attempts = [f"{run}-{shard}-{number}" for number in range(4)]
        episodes(
            results / "solve" / name / "episodes.parquet",
            "solver",
            ["submitted", "turn_limit", "infrastructure", "submitted"],
            episode_id=attempts,
            instance_id=[f"{shard}-a", f"{shard}-a", f"{shard}-a", f"{shard}-c"],
            order=[1, 1, 1, 2],
            reward=[1.0, -1.0, None, -1.0],
        )
        trained += attempts[:2]
    table(results / "batch" / f"{spot}.parquet", episode_id=trained)
    steps = [2 * generation - 1, 2 * generation]
    table(results / f"training/{spot}.parquet", step=steps, sampled_tokens=[100, 200], entropy=[1.5, 1.4])


def write_report(results: Path, content: dict[str, Any]) -> Path:
    spot = Path(content["run"], f"s{content['seed']}", f"{content['generation']:03d}", content["benchmark"])
    path = results / "evaluate" / spot / "report.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))
    names = list(content["resolved"])
    reasons = ["infrastructure" if name in content["errors"] else "submitted" for name in names]
    episodes(path.parent / "episodes.parquet", "solver", reasons, instance_id=names)
    return path


def write_scale(folder: Path) -> Scale:
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(SCALE))
    return load_scale(path)


def write_results(folder: Path) -> Path:
    for seed, benchmark in product((0, 1), BENCHMARKS):
        write_report(folder, report("base", seed, 0, benchmark))
    for run, shards in (("ssr", 2), ("baseline", 1)):
        for seed in (0, 1):
            for generation in (1, 2, 3):
                write_generation(folder, run, seed, generation, shards)
                for benchmark in BENCHMARKS if generation > 1 else ():
                    write_report(folder, report(run, seed, generation, benchmark))
    return folder


@pytest.fixture
def scale(tmp_path: Path) -> Scale:
    return write_scale(tmp_path)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Result files of a whole small scale: two runs, two seeds, three generations, two benchmarks."""
    return write_results(tmp_path / "results")


@pytest.fixture
def make_report() -> Callable[..., dict[str, Any]]:
    return report


@pytest.fixture(scope="session")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> list[Summary]:
    folder = tmp_path_factory.mktemp("scale")
    scale, results = write_scale(folder), write_results(folder / "results")
    return [summarise(scale, results, run, seed) for run, seed in PLACES]


@pytest.fixture(scope="session")
def data(summaries: list[Summary]) -> Data:
    return Data(gather(summaries), read_reported(REPORTED), summaries)


@pytest.fixture
def metrics(summaries: list[Summary], data: Data, tmp_path: Path) -> Path:
    """metrics.parquet with the summaries beside it, as the rules leave them."""
    for summary in summaries:
        write_summary(folder_of(tmp_path / "drawn" / "summary", summary.run, summary.seed), summary)
    write(data.rows, tmp_path / "drawn" / "metrics.parquet")
    return tmp_path / "drawn" / "metrics.parquet"
