import csv
import io
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from rich.console import Console

from ssr.errors import ConfigError, EvaluationError
from ssr.evaluation.statistics import sign_test
from ssr.paper.data import Data
from ssr.paper.summary import Summary, different_bugs
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
    assert (ssr["step"], base["minus_base"]) == ("6", "")
    assert 0 < float(base["resolved_noise"]) < float(base["resolved_stderr"])
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
    outcomes = {
        (row["run"], row["seed"], row["instance_id"]): row["resolved"]
        for row in data.outcomes()
        if row["benchmark"] == "builtin-verified" and (row["run"] == "base" or row["generation"] == 3)
    }
    tasks = sorted({task for _, _, task in outcomes})
    total = {(run, task): sum(outcomes[run, s, task] for s in (0, 1)) for run in ("base", "ssr") for task in tasks}
    better = [task for task in tasks if total["ssr", task] > total["base", task]]
    assert better and [cell["task"] for cell in cells if cell["change"] == "gained"] == better
    signs = [[outcomes["ssr", s, task] - outcomes["base", s, task] for task in tasks] for s in (0, 1)]
    gained, lost = ([own.count(sign) for own in signs] for sign in (1, -1))
    ps = [sign_test(up, down) for up, down in zip(gained, lost, strict=True)]
    said = [f"{a}, {b}" for a, b in (gained, lost, ["<0.001" if p < 0.001 else f"{p:.3f}" for p in ps])]
    assert f"| builtin-verified | ssr | {' | '.join(said)} |" in (tmp_path / "changes.md").read_text()


def test_a_run_that_changes_nothing_is_not_said_to_gain(data: Data, tmp_path: Path) -> None:
    """Against one attempt of the base, the mean over several seeds is above it nearly wherever the base fails."""
    random = Random(3)
    names = [f"task-{number}" for number in range(300)]
    hard = {name: random.uniform(0, 0.5) for name in names}
    outcomes = [
        {"run": run, "seed": seed, "generation": generation, "step": 0, "benchmark": "builtin-verified"}
        | {"instance_id": name, "repo": "toolz", "resolved": random.random() < hard[name]}
        for run, generation, seeds in (("base", 0, 1), ("ssr", 1, 3))
        for seed in range(seeds)
        for name in names
    ]
    write_table("changes", replace(data, summaries=[Summary("ssr", 0, {}, outcomes)]), tmp_path)
    line = next(line for line in (tmp_path / "changes.md").read_text().splitlines() if "| ssr |" in line)
    gained, lost, ps = ([float(part) for part in cell.split(", ")] for cell in line.strip("| ").split(" | ")[2:5])
    assert len(ps) == 3 and min(ps) > 0.05
    assert sum(gained) / sum(lost) == pytest.approx(1, abs=0.2)


def test_game_table_counts_failures_by_check(data: Data, tmp_path: Path) -> None:
    write_table("game", data, tmp_path)
    text = (tmp_path / "game.md").read_text()
    assert "| bug_validity | 0 | 12 |" in text
    assert "| ssr | 1 | 3 | 2 of 4 | 2 of 4 | 1 of 4 | 1.000 (n=2) |" in text
    assert "ssr,0,1,failed/bug_validity,2.000000,,4\n" in (tmp_path / "game.csv").read_text()


def test_a_bug_handed_in_twice_in_a_generation_counts_once(data: Data) -> None:
    """In two of the three generations both shards of a seed hand in the same bug."""
    submitted = [row for row in data.artifacts("ssr") if row["valid"]]
    bugs = different_bugs(submitted)
    assert (len(submitted), len(bugs)) == (12, 8)
    places = [(row["seed"], row["generation"], row["fingerprint"]) for row in bugs]
    assert sorted(set(places)) == sorted(places)


def test_sizes_tell_one_line_bugs_from_larger_ones(data: Data, tmp_path: Path) -> None:
    write_table("sizes", data, tmp_path)
    cells = cells_of(tmp_path / "sizes.csv")
    assert [cells[0][name] for name in ("run", "strategy", "bugs", "files_mean", "hunks_mean", "lines_median")] == [
        "ssr", "removal", "8", "1.00", "2.00", "3.0",
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
