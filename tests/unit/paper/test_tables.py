import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from ssr.errors import ConfigError, EvaluationError
from ssr.evaluation.statistics import sign_test
from ssr.paper.data import Data
from ssr.paper.table_game import one_line_percent
from ssr.paper.tables import write_table
from ssr.paper.times import stage_times, table

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def cells_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open()))


def test_results_table_has_every_run_and_the_papers_value(data: Data, tmp_path: Path) -> None:
    write_table("results", data, tmp_path)
    cells = cells_of(tmp_path / "results.csv")
    assert [(cell["benchmark"], cell["run"]) for cell in cells] == [
        (benchmark, run)
        for benchmark in ("both", "builtin-verified", "builtin-pro")
        for run in ("base", "baseline", "ssr")
    ]
    assert [cell["paper_resolved"] for cell in cells[:6]] == ["29.2", "34.9", "38.0", "41.0", "49.0", "51.4"]
    base, _, ssr = cells[3:6]
    assert (ssr["step"], base["minus_base"], base["resolved_noise"]) == ("6", "", "")
    gain = [float(ssr[f"minus_base{part}"]) for part in ("", "_low", "_high")]
    assert float(ssr["resolved"]) - float(base["resolved"]) == pytest.approx(gain[0], abs=0.02)
    assert gain[1] < gain[0] < gain[2]
    text = (tmp_path / "results.md").read_text()
    assert "## builtin-verified, 40 tasks" in text
    assert f"| ssr | 6 | {float(ssr['resolved']):.1f} ± {float(ssr['resolved_stderr']):.1f} [" in text
    first = {path.name: path.read_bytes() for path in tmp_path.glob("results.*s*v")}
    write_table("results", data, tmp_path)
    assert first == {path.name: path.read_bytes() for path in tmp_path.glob("results.*s*v")}


def test_an_untouched_repository_stands_apart_and_first(data: Data, tmp_path: Path) -> None:
    kept = [replace(one, scale={"selfplay": {"untouched": ["toolz"]}}) for one in data.summaries]
    write_table("repositories", replace(data, summaries=kept), tmp_path)
    text = (tmp_path / "repositories.md").read_text()
    assert "has read all of these repositories in pre-training" in text
    assert text.index("| toolz (*untouched*) | 32 | base |") < text.index("| schema | 33 | base |")
    assert {cell["untouched"] for cell in cells_of(tmp_path / "repositories.csv") if cell["repository"] == "toolz"} == {
        "True"
    }


def test_gained_and_lost_tasks_are_named(data: Data, tmp_path: Path) -> None:
    write_table("changes", data, tmp_path)
    cells = [c for c in cells_of(tmp_path / "changes.csv") if (c["benchmark"], c["run"]) == ("builtin-verified", "ssr")]
    outcomes = [row for row in data.outcomes() if row["benchmark"] == "builtin-verified"]
    base = {row["instance_id"]: row["resolved"] for row in outcomes if row["run"] == "base"}
    last = [row for row in outcomes if (row["run"], row["generation"]) == ("ssr", 3)]
    better = sorted({row["instance_id"] for row in last if row["resolved"] and not base[row["instance_id"]]})
    assert better and [cell["task"] for cell in cells if cell["change"] == "gained"] == better
    gained, lost = (sum(cell["change"] == word for cell in cells) for word in ("gained", "lost"))
    assert (
        f"| builtin-verified | ssr | {gained} | {lost} | {sign_test(gained, lost):.3f} |"
        in (tmp_path / "changes.md").read_text()
    )


def test_game_table_counts_failures_by_check(data: Data, tmp_path: Path) -> None:
    write_table("game", data, tmp_path)
    text = (tmp_path / "game.md").read_text()
    assert "| bug_validity | 0 | 12 |" in text
    assert "| ssr | 1 | 3 | 2 of 4 | 2 of 4 | 1 of 4 | 1.000 (n=2) |" in text
    assert "ssr,0,1,failed/bug_validity,2.000000,,4\n" in (tmp_path / "game.csv").read_text()


def test_sizes_tell_one_line_bugs_from_larger_ones(data: Data, tmp_path: Path) -> None:
    write_table("sizes", data, tmp_path)
    cells = cells_of(tmp_path / "sizes.csv")
    assert [cells[0][name] for name in ("run", "strategy", "bugs", "files_mean", "hunks_mean", "lines_median")] == [
        "ssr", "removal", "12", "1.00", "2.00", "3.0",
    ]  # fmt: skip
    small = [{"files": 1, "hunks": 1, "lines": 2}, {"files": 1, "hunks": 1, "lines": 1}]
    large = [{"files": 1, "hunks": 2, "lines": 2}, {"files": 1, "hunks": 1, "lines": 3}]
    assert one_line_percent(small + large) == 50


def test_an_unknown_table_and_metrics_without_benchmarks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="results, repositories"):
        write_table("figure8", Data([], []), tmp_path)
    with pytest.raises(EvaluationError, match="at least one benchmark"):
        write_table("results", Data([], []), tmp_path)


def test_times_are_summed_by_stage_and_the_longest_comes_first(tmp_path: Path) -> None:
    jobs = {
        "inject/ssr/s0/001/00.tsv": "10.5\t0:00:10\t100.0\t1\t1\t1\t0\t0\t90\t9.5\n",
        "inject/ssr/s0/001/01.tsv": "20.0\t0:00:20\t300.0\t1\t1\t1\t0\t0\t90\t18.0\n",
        "metrics.tsv": "0.2\t0:00:00\t-\t-\t-\t-\t-\t-\t-\t-\n",
    }
    for name, line in jobs.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEADER + line)
    times = stage_times(tmp_path)
    assert [(time.stage, time.jobs, time.wall_s, time.longest_s, time.cpu_s, time.peak_mb) for time in times] == [
        ("inject", 2, 30.5, 20.0, 27.5, 300.0),
        ("metrics", 1, 0.2, 0.2, 0.0, 0.0),
    ]
    console = Console(file=io.StringIO(), width=100)
    console.print(table(times))
    assert isinstance(console.file, io.StringIO)
    assert "30.7" in console.file.getvalue()


def test_times_without_benchmark_files_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="run `snakemake` first"):
        stage_times(tmp_path)
