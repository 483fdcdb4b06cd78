import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ssr.config import Scale
from ssr.errors import EvaluationError
from ssr.evaluation.statistics import gain
from ssr.paper.data import Data, gather
from ssr.paper.metrics import Row, read, write
from ssr.paper.scores import score_rows
from ssr.paper.sources import sources_of
from ssr.paper.summarise import summarise
from ssr.paper.summary import Summary, read_summary, write_summary


def one(rows: Sequence[Row], metric: str, **fields: object) -> Row:
    found = [
        row
        for row in rows
        if row.metric == metric and all(getattr(row, name) == value for name, value in fields.items())
    ]
    assert len(found) == 1, found
    return found[0]


def test_gathers_the_game_of_each_generation(data: Data) -> None:
    rows = data.rows
    place = {"run": "ssr", "seed": 1, "generation": 3}
    assert one(rows, "valid", **place).value == 0.5
    assert one(rows, "valid", **place).n == 4
    assert one(rows, "valid/removal", **place).value == 1
    assert one(rows, "failed/bug_validity", **place).value == 2
    assert one(rows, "exit/injector/turn_limit", **place).value == 2
    assert one(rows, "reward/solver", **place).n == 4
    assert one(rows, "valid/episodes", **place).value == pytest.approx(1 / 3)
    assert one(rows, "length/solver", **place).value == 10
    assert one(rows, "repetition/injector", **place).value == pytest.approx(2 / 3)
    assert one(rows, "gibberish/injector", **place).value == 0
    counts = [one(rows, f"repetition/{role}", **place).n for role in ("injector", "solver", "all")]
    assert counts[0] + counts[1] == counts[2]
    assert one(rows, "solve_rate/order-1", **place).step == 6
    assert not [row for row in rows if row.run == "baseline" and row.metric.startswith(("valid", "exit/injector"))]


def test_bugs_are_counted_with_and_without_duplicates(data: Data) -> None:
    """Both shards make one bug in the first two generations; in the third, the second's and another one."""
    rows = data.rows
    for generation, distinct, new in ((1, 1, 1), (2, 1, 1), (3, 2, 1)):
        place = {"run": "ssr", "seed": 0, "generation": generation}
        counts = [one(rows, name, **place).value for name in ("bugs", "bugs/distinct", "bugs/new")]
        assert counts == [2, distinct, new]
        assert one(rows, "bugs", **place).n == 4
        assert one(rows, "valid/distinct", **place).value == distinct / 4
    assert not [row for row in rows if row.run == "baseline" and row.metric.startswith("bugs")]


def test_the_trainers_monitors_are_kept_step_by_step(data: Data) -> None:
    rows = data.rows
    place = {"run": "baseline", "seed": 0, "generation": 2, "metric": "training/entropy"}
    found = [(row.step, row.value, row.n) for row in rows if all(getattr(row, key) == place[key] for key in place)]
    assert found == [(3, 1.5, 100), (4, 1.4, 200)]


def test_a_failed_machine_is_in_no_solve_rate(data: Data) -> None:
    rows = data.rows
    first = one(rows, "solve_rate/order-1", run="ssr", seed=0, generation=1)
    assert (first.value, first.n) == (0.5, 2)
    assert one(rows, "mixed/order-1", run="ssr", seed=0, generation=1).value == 1
    assert one(rows, "solve_rate/order-2", run="ssr", seed=0, generation=1).value == 0


def test_pools_seeds_and_pairs_with_base_and_baseline(data: Data) -> None:
    rows = data.rows
    spot = {"run": "ssr", "generation": 3, "benchmark": "builtin-verified"}
    by_seed = [one(rows, "resolved", seed=seed, **spot).value for seed in (0, 1)]
    assert one(rows, "resolved", seed=None, **spot).value == pytest.approx(sum(by_seed) / 2)
    gain = one(rows, "resolved_difference", seed=None, against="base", **spot)
    base = one(rows, "resolved", run="base", seed=None, benchmark="builtin-verified")
    assert gain.value == pytest.approx(sum(by_seed) / 2 - base.value)
    assert one(rows, "resolved_difference", seed=None, against="baseline", **spot).n == 40
    assert one(rows, "errors", seed=0, **spot).value == 1
    assert not [row for row in rows if row.run == "base" and row.against]


def outcomes(report: dict[str, Any]) -> Summary:
    """A summary of one evaluation."""
    place = {key: report[key] for key in ("run", "seed", "generation", "step", "benchmark")}
    rows = [
        place | {"instance_id": name, "repo": "toolz", "resolved": resolved, "exit_reason": "submitted"}
        for name, resolved in report["resolved"].items()
    ]
    return Summary(report["run"], report["seed"], {}, rows)


def test_paired_errors_and_intervals_are_those_of_the_differences(make_report: Callable[..., dict[str, Any]]) -> None:
    base, ssr = make_report("base", 0, 0, "builtin-verified"), make_report("ssr", 0, 2, "builtin-verified")
    rows = score_rows([outcomes(base), outcomes(ssr)])
    found, expected = one(rows, "resolved_difference"), gain([ssr["resolved"]], [base["resolved"]])
    assert (found.value, found.stderr, found.low, found.high) == (
        expected.value,
        expected.stderr,
        expected.low,
        expected.high,
    )
    assert found.low is not None and found.high is not None and found.low < found.value < found.high
    unpaired = one(rows, "resolved", run="ssr", seed=0).stderr
    assert found.stderr is not None and unpaired is not None
    assert found.stderr < unpaired * 2**0.5


def test_both_benchmarks_weigh_each_task_the_same(data: Data) -> None:
    spot = {"run": "ssr", "seed": None, "generation": 3}
    both = one(data.rows, "resolved", benchmark="both", **spot)
    verified, pro = (one(data.rows, "resolved", benchmark=f"builtin-{name}", **spot) for name in ("verified", "pro"))
    assert both.n == verified.n + pro.n == 65
    assert both.value == pytest.approx((40 * verified.value + 25 * pro.value) / 65)
    assert one(data.rows, "resolved_difference", benchmark="both", against="baseline", **spot).noise is not None


def test_a_base_that_was_scored_once_cannot_tell_its_noise(summaries: list[Summary]) -> None:
    rows = score_rows([one for one in summaries if (one.run, one.seed) != ("base", 1)])
    spot = {"run": "ssr", "seed": None, "generation": 3, "benchmark": "both"}
    assert one(rows, "resolved_difference", against="base", **spot).noise is None
    assert one(rows, "resolved_difference", against="baseline", **spot).noise is not None


def test_a_task_with_two_outcomes_of_one_seed_is_refused(summaries: list[Summary]) -> None:
    with pytest.raises(EvaluationError, match="two outcomes of base, seed 0"):
        score_rows([*summaries, next(one for one in summaries if one.run == "base")])


def test_rates_by_repository_add_up_to_the_whole(data: Data) -> None:
    spot = {"run": "ssr", "seed": None, "generation": 3, "benchmark": "builtin-pro"}
    parts = [one(data.rows, f"resolved/{repo}", **spot) for repo in ("toolz", "schema")]
    whole = one(data.rows, "resolved", **spot)
    assert sum(part.n for part in parts) == whole.n == 25
    assert sum(part.n * part.value for part in parts) == pytest.approx(25 * whole.value)
    assert one(data.rows, "resolved_difference/toolz", against="base", **spot).n == 12


def test_runs_scored_on_other_instances_are_not_compared(make_report: Callable[..., dict[str, Any]]) -> None:
    base, ssr = make_report("base", 0, 0, "builtin-verified"), make_report("ssr", 0, 2, "builtin-verified")
    del ssr["resolved"]["task-1"]
    with pytest.raises(EvaluationError, match="one of the two"):
        score_rows([outcomes(base), outcomes(ssr)])
    other = make_report("ssr", 1, 2, "builtin-verified")
    with pytest.raises(EvaluationError, match="different instances"):
        score_rows([outcomes(base), outcomes(ssr), outcomes(other)])


def test_what_the_run_does_not_name_is_not_read(scale: Scale, results: Path) -> None:
    before = summarise(scale, results, "ssr", 0)
    shutil.copytree(results / "solve/ssr/s0/003", results / "solve/ssr/s0/004")
    shutil.copytree(results / "solve/ssr/s0/003/00", results / "solve/ssr/s0/003/02")
    assert summarise(scale, results, "ssr", 0) == before
    (results / "solve/ssr/s0/003/01/episodes.parquet").unlink()
    with pytest.raises(EvaluationError, match=r"003/01/episodes.parquet is missing"):
        sources_of(scale, results, "ssr", 0)


def test_a_summary_says_what_became_of_each_artifact(scale: Scale, results: Path) -> None:
    summary = summarise(scale, results, "ssr", 1)
    assert len(summary.artifacts) == 3 * 4
    valid = [row for row in summary.artifacts if row["valid"]]
    assert {(row["files"], row["hunks"], row["lines"]) for row in valid} == {(1, 2, 3)}
    assert {(row["solved"], row["attempts"], row["reward"]) for row in valid} == {(1, 2, 1 - 1.8 * 0.5)}
    assert {row["reward"] for row in summary.artifacts if not row["valid"]} == {-1.0}
    failed = [row for row in summary.episodes if row["exit_reason"] == "infrastructure"]
    assert len(failed) == 6 and {row["reward"] for row in failed} == {None}
    assert summary.scale["game"]["alpha"] == 0.8


def test_shards_leave_no_trace_in_a_summary(scale: Scale, results: Path) -> None:
    before = summarise(scale, results, "ssr", 0)
    for stage in ("inject", "validate", "solve"):
        first, second = (results / stage / "ssr/s0/001" / shard for shard in ("00", "01"))
        first.rename(first.with_name("aside"))
        second.rename(first)
        first.with_name("aside").rename(second)
    cheaper = scale.engine.model_copy(update={"in_flight": 1})
    assert summarise(scale.model_copy(update={"engine": cheaper}), results, "ssr", 0) == before


def test_a_summary_reads_back_and_holds_neither_texts_nor_tokens(summaries: list[Summary], tmp_path: Path) -> None:
    ssr = next(summary for summary in summaries if summary.run == "ssr")
    write_summary(tmp_path / "ssr" / "s0", ssr)
    back = read_summary(tmp_path / "ssr" / "s0")
    assert gather([back]) == gather([ssr])
    columns = {name for file in (tmp_path / "ssr" / "s0").glob("*.parquet") for name in pq.read_schema(file).names}
    assert columns.isdisjoint({"token_ids", "logprobs", "patch", "content", "bug_inject_diff"})
    with pytest.raises(EvaluationError, match="is no summary"):
        read_summary(tmp_path / "ssr")


def test_written_metrics_read_back_and_are_the_same_bytes(summaries: list[Summary], tmp_path: Path) -> None:
    rows = gather(summaries)
    write(rows, tmp_path / "a.parquet")
    write(gather(list(reversed(summaries))), tmp_path / "b.parquet")
    assert read(tmp_path / "a.parquet") == rows
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
