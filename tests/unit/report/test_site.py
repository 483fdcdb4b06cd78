import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from played_results import HOSTILE, ROOT, Played
from ssr.errors import ConfigError, EvaluationError
from ssr.evaluation.problem import write_problems
from ssr.report.site import make_report
from typed import ssr

REPORTED = ROOT / "paper/reported.csv"


def value(path: Path) -> Any:  # noqa: ANN401
    return json.loads(path.read_text().partition(",")[2].rstrip().removesuffix(");"))


def rows(report: Path, name: str) -> dict[str, dict[str, Any]]:
    listed = value(report / f"data/{name}.js")
    found = [dict(zip(listed["columns"], row, strict=True)) for row in listed["rows"]]
    return {row["id"]: row for row in found}


def details(report: Path, name: str, entry: str) -> dict[str, Any]:
    return dict(value(report / f"data/{name}/{rows(report, name)[entry]['chunk']}.js")[entry])


def test_the_same_results_give_the_same_bytes(played: Played, report: Path, tmp_path: Path) -> None:
    make_report(played.results, played.scale_file, REPORTED, tmp_path / "again")
    first, second = ({p.relative_to(r): p.read_bytes() for p in r.rglob("*") if p.is_file()}
                     for r in (report, tmp_path / "again"))  # fmt: skip
    assert first == second and len(first) > 15


def test_every_episode_of_every_table_is_there(played: Played, report: Path) -> None:
    tables = [*played.results.glob("inject/**/episodes.parquet"), *played.results.glob("solve/**/episodes.parquet"),
              *played.results.glob("evaluate/**/shards/*/episodes.parquet")]  # fmt: skip
    names = [name for path in tables for name in pq.read_table(path, columns=["episode_id"]).column(0).to_pylist()]
    assert len(names) == 128 and sorted(rows(report, "episodes")) == sorted(names)


def test_rewards_are_those_that_were_trained_on(played: Played, report: Path) -> None:
    listed, compared = rows(report, "episodes"), 0
    for path in played.results.glob("batch/**/*.parquet"):
        for row in pq.read_table(path, columns=["episode_id", "reward", "advantage"]).to_pylist():
            assert listed[row["episode_id"]]["reward"] == pytest.approx(row["reward"])
            assert f"advantage {row['advantage']:+.3f}" in details(report, "episodes", row["episode_id"])["training"]
            compared += 1
    assert compared == 40


def test_an_episode_that_no_batch_holds_says_why(report: Path) -> None:
    assert "every reward of its group is the same" in details(report, "episodes", "ssr-s0-g001-i001-a00")["training"]
    evaluated = details(report, "episodes", "base-s0-g000-builtin-pro-cachetools__000")
    assert (evaluated["why"], evaluated["training"]) == ("Resolved.", "")


def test_bugs_have_their_solve_rates_and_their_orders(report: Path) -> None:
    bugs = rows(report, "bugs")
    own = [bug for bug in bugs.values() if bug["run"] == "ssr" and bug["generation"] == 1]
    shown = [(bug["order"], bug["check"], bug["solved"], bug["attempts"]) for bug in own]
    assert shown[:4] == [(1, "", 1, 4), (1, "test_parser", 0, 0), (1, "", 4, 4), (1, "", 0, 4)]
    assert next(name for name, bug in bugs.items() if bug["order"] == 2) == "ssr-s0-g001-i006-o2"
    assert details(report, "bugs", "ssr-s0-g001-i006-o2")["parent"] == "ssr-s0-g001-i006"
    assert bugs["baseline-s0-g002-cachetools__human-001"]["strategy"] == "issue"


def test_tokens_are_those_that_were_sampled(played: Played, report: Path) -> None:
    row = pq.read_table(played.results / "solve/ssr/s0/001/00/episodes.parquet").to_pylist()[0]
    name = row["episode_id"]
    turns = value(report / f"data/tokens/{details(report, 'episodes', name)['tokens']}.js")[name]
    sampled = [(i, p) for i, m, p in zip(row["token_ids"], row["loss_mask"], row["logprobs"], strict=True) if m]
    shown = [pair for turn in turns for pair in zip(turn["ids"], turn["logprobs"], strict=True)]
    assert shown == [(token, round(100 * logprob)) for token, logprob in sampled]
    texts = value(report / "data/vocabulary.js")
    said = "".join(texts[str(token)] for token in turns[0]["ids"])
    assert said == f"Look at {HOSTILE} first.\n<tool: bash>\nls -la src\n</tool>"


def test_tokens_can_be_left_out(played: Played, tmp_path: Path) -> None:
    make_report(played.results, played.scale_file, REPORTED, tmp_path / "report", tokens=False)
    assert not (tmp_path / "report/data/tokens").exists()
    assert details(tmp_path / "report", "episodes", "ssr-s0-g001-i000")["tokens"] == -1


def test_every_number_of_the_metrics_has_a_source_that_is_there(played: Played, report: Path) -> None:
    found = value(report / "data/provenance.js")
    assert len(found["rows"]) == pq.read_metadata(played.results / "metrics.parquet").num_rows
    rules = {source["rule"] for source in found["sources"]}
    assert rules == {"inject", "validate", "solve", "inject and solve", "batch", "train", "merge"}
    assert {file for source in found["sources"] for file in source["files"]} == set(found["digests"])
    assert set(map(len, found["digests"].values())) == {64}


def test_pages_hold_nothing_of_a_model_and_no_address(report: Path) -> None:
    pages = [path.read_text() for path in report.glob("*.html")]
    assert len(pages) == 5
    for text in pages:
        assert "Content-Security-Policy" in text and "default-src 'none'" in text
        assert HOSTILE not in text and "http:" not in text and "https:" not in text


def test_a_run_can_be_watched_before_it_is_done(played: Played, tmp_path: Path) -> None:
    shutil.copytree(played.results, tmp_path / "played")
    for gone in ("metrics.parquet", "batch", "evaluate", "validate/ssr/s0/002", "solve/ssr/s0/002"):
        path = tmp_path / "played" / gone
        path.unlink() if path.is_file() else shutil.rmtree(path)
    write_problems(tmp_path / "played/tasks/baseline/s0/002.parquet", [])
    make_report(tmp_path / "played", played.scale_file, REPORTED, tmp_path / "report")
    assert "No metrics yet" in (tmp_path / "report/index.html").read_text()
    waiting = rows(tmp_path / "report", "episodes")["ssr-s0-g002-i000"]
    assert (waiting["outcome"], waiting["reward"]) == ("not checked yet", None)
    name = "baseline-s0-g002-cachetools__human-001-a00"
    assert rows(tmp_path / "report", "episodes")[name]["bug"] == "", "a problem of a data set is no bug of the report"
    assert details(tmp_path / "report", "episodes", name)["problem"] == "cachetools__human-001"
    assert "batch is not made yet" in details(tmp_path / "report", "episodes", "ssr-s0-g001-i000")["training"]


def test_metrics_alone_are_a_report(tmp_path: Path) -> None:
    out = tmp_path / "report"
    assert make_report(ROOT / "results/released/mini-full", ROOT / "workflow/config/mini-full.yaml", REPORTED, out) == 0
    text = (out / "index.html").read_text()
    assert "builtin-verified" in text and "made without episodes" in text


def test_what_is_missing_is_named(played: Played, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="holds neither episodes nor metrics"):
        make_report(tmp_path, played.scale_file, REPORTED, tmp_path / "report")
    with pytest.raises(ConfigError, match="--scale"):
        make_report(tmp_path / "unknown", None, REPORTED, tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_the_command_writes_the_report(played: Played, tmp_path: Path) -> None:
    words = ["report", "--results", played.results, "--scale", played.scale_file, "--out", tmp_path / "report"]
    done = ssr(*words)
    assert done.stdout == f"128 episodes: open {tmp_path}/report/index.html\n"
