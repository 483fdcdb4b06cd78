"""The graph: what each scale plans, which checkpoint plays, what a changed key runs again."""

import re
import subprocess
from collections import Counter
from dataclasses import dataclass

import pytest
import yaml
from graph_project import ROOT, Project

from ssr.paper.figures import FIGURES
from ssr.paper.tables import TABLES
from ssr.paper.timeline import jobs_of, overlap

CONFIG = ROOT / "workflow" / "config"


@dataclass(frozen=True)
class Job:
    """One planned job, as a dry run prints it."""

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def plan(project: Project, *arguments: str) -> list[Job]:
    return jobs_in(project.snakemake("-n", *arguments))


def jobs_in(said: str) -> list[Job]:
    blocks = re.split(r"^\[.*\]$", said, flags=re.MULTILINE)
    return [job for block in blocks for job in job_of(block)]


def job_of(block: str) -> list[Job]:
    rule = re.search(r"^(?:local)?rule (\w+):", block, re.MULTILINE)
    if not rule:
        return []
    fields = {kind: re.search(rf"^    {kind}: (.*)", block, re.MULTILINE) for kind in ("input", "output")}
    inputs, outputs = (tuple(found.group(1).split(", ")) if found else () for found in fields.values())
    return [Job(rule.group(1), inputs, outputs)]


def maker(jobs: list[Job], output: str) -> Job:
    return next(job for job in jobs if output in job.outputs)


def test_the_default_is_mini_and_ends_in_figures_and_a_table(project: Project) -> None:
    jobs = plan(project)
    target = next(job for job in jobs if job.rule == "all")
    assert "results/mini/figures/figure8.svg" in target.inputs
    assert "results/mini/tables/results.md" in target.inputs
    assert {"snapshot", "inject", "validate", "solve", "batch", "train", "score"} <= {job.rule for job in jobs}


def test_smoke_plays_one_repository_and_makes_everything_once(smoke_planned: str) -> None:
    counts = Counter(job.rule for job in jobs_in(smoke_planned))
    assert counts["snapshot"] == 1
    assert counts["inject"] == 2 * 2
    assert counts["solve"] == 2 * counts["inject"]


@pytest.mark.slow
def test_all_seven_runs_of_the_paper_are_planned(project: Project) -> None:
    paper = yaml.safe_load((CONFIG / "paper.yaml").read_text())
    assert (len(paper["runs"]), paper["selfplay"]["generations"]) == (7, 150)
    scale = project.rewrite("paper", selfplay={"generations": 10})
    out = project.snakemake("-n", "--quiet", "reason", "--configfile", scale)
    counts = {rule: int(number) for rule, number in re.findall(r"^(\w+) +(\d+)$", out, re.MULTILINE)}
    shards = paper["selfplay"]["shards"]
    assert counts["train"] == counts["batch"] == counts["tasks"] == 7 * 10
    assert counts["solve"] == 7 * 10 * shards
    assert counts["inject"] == counts["validate"] == 5 * 10 * shards
    assert counts["bugs"] == 1


@pytest.mark.slow
def test_the_full_mini_scale_makes_the_papers_runs_over_three_seeds_and_sums_each_up(project: Project) -> None:
    full, paper = (yaml.safe_load((CONFIG / f"{name}.yaml").read_text()) for name in ("mini-full", "paper"))
    assert full["runs"] == paper["runs"]
    scale = project.rewrite("mini-full", selfplay={"generations": 1, "shards": 1}, evaluation={"shards": 1})
    out = project.snakemake("-n", "--quiet", "reason", "--configfile", scale)
    counts = {rule: int(number) for rule, number in re.findall(r"^(\w+) +(\d+)$", out, re.MULTILINE)}
    assert counts["summary"] == (7 + 1) * 3
    assert counts["train"] == 7 * 3 and counts["bugs"] == 3
    assert counts["score"] == 3 * (7 + 1) * 3


@pytest.mark.parametrize("lag", [pytest.param(0, marks=pytest.mark.slow), 1, pytest.param(2, marks=pytest.mark.slow)])
def test_lag_is_an_edge_to_an_older_checkpoint(project: Project, lag: int) -> None:
    scale = project.rewrite("smoke", selfplay={"lag": lag, "generations": 4})
    jobs = plan(project, "selfplay", "--configfile", scale)
    for generation in range(1, 5):
        played = max(0, generation - 1 - lag)
        weights = f"ssr/s0/{played:03d}" if played else "000"
        for stage in ("inject", "solve"):
            job = maker(jobs, f"results/smoke/{stage}/ssr/s0/{generation:03d}/00/episodes.parquet")
            assert f"results/smoke/checkpoints/{weights}/sha256" in job.inputs
        before = f"ssr/s0/{generation - 1:03d}" if generation > 1 else "000"
        trained = maker(jobs, f"results/smoke/checkpoints/ssr/s0/{generation:03d}/sha256")
        assert f"results/smoke/checkpoints/{before}/sha256" in trained.inputs


@pytest.mark.parametrize(("lag", "waits"), [(0, False), (1, True), pytest.param(2, True, marks=pytest.mark.slow)])
def test_generations_are_played_one_after_the_other(project: Project, lag: int, waits: bool) -> None:
    scale = project.rewrite("smoke", selfplay={"lag": lag, "generations": 3})
    jobs = plan(project, "selfplay", "--configfile", scale)
    for run in ("ssr", "baseline"):
        for generation in range(1, 4):
            drawn = maker(jobs, f"results/smoke/tasks/{run}/s0/{generation:03d}.parquet")
            before = [file for file in drawn.inputs if "/solve/" in file]
            shards = [f"results/smoke/solve/{run}/s0/{generation - 1:03d}/{n:02d}/episodes.parquet" for n in (0, 1)]
            assert before == (shards if waits and generation > 1 else [])
            assert not any(
                "/batch/" in file or f"{run}/s0/" in file.partition("checkpoints/")[2] for file in drawn.inputs
            )


@pytest.mark.slow
def test_a_lag_overlaps_play_and_training_of_the_generation_before(project: Project) -> None:
    scale = project.rewrite("smoke", runs={"ssr": {}}, selfplay={"lag": 1, "generations": 3})
    environment = project.environment(seconds=0.3)
    command = project.command("--cores", "3", "selfplay", "--configfile", scale)
    subprocess.run(command, cwd=project.root, env=environment, check=True, capture_output=True)
    jobs = jobs_of(project.root / "results" / "smoke", "ssr", 0)
    for generation in (2, 3):
        assert overlap(jobs, generation) > 0
    ends = [max(job.end for job in jobs if (job.stage, job.generation) == ("solve", number)) for number in (1, 2, 3)]
    starts = [
        min(job.start for job in jobs if (job.stage, job.generation) == ("tasks", number)) for number in (1, 2, 3)
    ]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))


@pytest.mark.parametrize(
    ("kept", "newest"),
    [
        pytest.param({}, 2, marks=pytest.mark.slow),
        ({"keep_states": 3}, 3),
        pytest.param({"keep_states": None}, None, marks=pytest.mark.slow),
    ],
)
def test_the_newest_checkpoints_keep_their_optimizer_state(
    project: Project, kept: dict[str, int], newest: int | None
) -> None:
    scale = project.rewrite("smoke", runs={"ssr": {}}, selfplay={"generations": 5}, training=kept)
    out = project.snakemake("-n", "-p", "selfplay", "--configfile", scale)
    commands = [line.split() for line in out.splitlines() if " ssr train " in f" {line}"]
    given_up = {}
    for words in commands:
        spent = [words[words.index("--spent") + 1]] if "--spent" in words else []
        given_up[words[words.index("--out") + 1]] = spent
    folder = "results/smoke/checkpoints/ssr/s0"
    last = {number: number - newest if newest else 0 for number in range(1, 6)}
    assert given_up == {f"{folder}/{n:03d}": [f"{folder}/{old:03d}"] if old > 0 else [] for n, old in last.items()}


@pytest.mark.slow
def test_what_is_kept_and_logged_beside_the_weights_runs_nothing_again(project: Project) -> None:
    scale = project.rewrite("smoke", runs={"ssr": {}}, selfplay={"generations": 3, "shards": 1})
    project.snakemake("--cores", "2", "selfplay", "--configfile", scale)
    project.rewrite("smoke", training={"keep_states": 3}, logging={"tensorboard": True})
    assert "Nothing to be done" in project.snakemake("-n", "selfplay", "--configfile", scale)
    again = project.snakemake("-n", "-p", "selfplay", "--forcerun", "train", "--configfile", scale)
    assert again.count(" --events results/smoke/logs/tensorboard/ssr/s0 ") == 3
    assert not any("--events" in call for call in project.calls)


def test_the_baseline_draws_issues_and_injects_nothing(smoke_planned: str) -> None:
    jobs = jobs_in(smoke_planned)
    drawn = maker(jobs, "results/smoke/tasks/baseline/s0/001.parquet")
    assert "results/smoke/benchmarks/human.parquet" in drawn.inputs
    solved = maker(jobs, "results/smoke/solve/baseline/s0/001/00/episodes.parquet")
    assert "results/smoke/tasks/baseline/s0/001.parquet" in solved.inputs
    assert not any("baseline" in output for job in jobs if job.rule in ("inject", "validate") for output in job.outputs)


def test_a_command_is_given_each_file_of_its_shard_once(project: Project) -> None:
    said = project.snakemake("-n", "-p", "--configfile", "workflow/config/smoke.yaml")
    commands = [line.split() for line in said.splitlines() if " ssr solve " in f" {line}"]
    assert len(commands) == 8
    for words in commands:
        run, generation = (words[words.index(name) + 1] for name in ("--run", "--generation"))
        given = [words[number + 1] for number, word in enumerate(words) if word == "--instances"]
        bugs = [f"results/smoke/validate/{run}/s0/{generation}/{n:02d}/instances.parquet" for n in (0, 1)]
        assert given == (bugs if run == "ssr" else [f"results/smoke/tasks/{run}/s0/{generation}.parquet"])


def test_repair_only_takes_the_bugs_of_the_run_it_names(project: Project) -> None:
    runs = {"ssr": {}, "repair_only": {"selfplay": {"data": "bugs", "bugs_of": "ssr", "train_roles": ["solver"]}}}
    jobs = plan(project, "--configfile", project.rewrite("smoke", runs=runs))
    drawn = maker(jobs, "results/smoke/tasks/repair_only/s0/001.parquet")
    assert "results/smoke/bugs/ssr/s0.parquet" in drawn.inputs
    gathered = maker(jobs, "results/smoke/bugs/ssr/s0.parquet")
    assert "results/smoke/solve/ssr/s0/002/01/instances.parquet" in gathered.inputs


def test_the_base_model_is_scored_once_and_each_run_at_its_generations(project: Project) -> None:
    scale = project.rewrite("smoke", selfplay={"generations": 5}, evaluation={"every": 2})
    jobs = plan(project, "--configfile", scale)
    reports = [job.outputs[0].split("/") for job in jobs if job.rule == "merge"]
    scored = sorted({(parts[3], parts[5]) for parts in reports})
    runs = [(run, generation) for run in ("baseline", "ssr") for generation in ("002", "004", "005")]
    assert scored == sorted([("base", "000"), *runs])


def test_no_bug_may_touch_a_benchmark(smoke_planned: str) -> None:
    jobs = jobs_in(smoke_planned)
    checked = maker(jobs, "results/smoke/validate/ssr/s0/001/00/checks.parquet")
    assert {f"results/smoke/benchmarks/builtin-{name}.parquet" for name in ("verified", "pro")} <= set(checked.inputs)


def test_another_scale_leaves_nothing_of_the_default_behind(smoke_planned: str) -> None:
    assert "results/smoke/" in smoke_planned
    assert "results/mini" not in smoke_planned and "run=direct" not in smoke_planned


@pytest.mark.slow
def test_a_key_on_the_command_line_makes_a_scale_that_the_commands_are_given(project: Project) -> None:
    smoke = ("--configfile", "workflow/config/smoke.yaml", "--config")
    out = project.snakemake("-n", "-p", *smoke, "name=other", "game={attempts: 2}")
    (scale,) = set(re.findall(r"--scale (\S+)", out))
    values = yaml.safe_load((project.root / scale).read_text())
    assert scale.startswith("results/other/scales/") and values["game"]["attempts"] == 2
    assert "greater than or equal to 1" in project.fails("-n", *smoke, "game={attempts: 0}")


@pytest.mark.slow
def test_a_key_on_the_command_line_runs_again_what_depends_on_it(project: Project) -> None:
    scale = project.rewrite("smoke", runs={"ssr": {}}, selfplay={"generations": 1, "lag": 0, "shards": 1})
    project.snakemake("--cores", "1", "selfplay", "--configfile", scale)
    jobs = plan(project, "selfplay", "--configfile", scale, "--config", "game={alpha: 0.5}")
    assert {job.rule for job in jobs} == {"batch", "train", "selfplay"}


@pytest.mark.slow
def test_one_benchmark_of_one_run_can_be_evaluated(project: Project) -> None:
    paper = ["--configfile", "workflow/config/paper.yaml"]
    jobs = plan(project, "evaluate", *paper, "--config", "benchmark=swebench-pro")
    assert {job.rule for job in jobs} == {"install", "tasks_held_out", "score", "merge", "evaluate"}
    report = "results/paper/evaluate/base/s0/000/swebench-pro/report.json"
    assert [job.outputs[0] for job in jobs if job.rule == "merge"] == [report]
    smoke = ["evaluate", "--configfile", "workflow/config/smoke.yaml", "--config", "benchmark=builtin-pro"]
    assert "train" in {job.rule for job in plan(project, *smoke, "run=baseline")}
    assert "has no such benchmark or run" in project.fails("-n", *smoke[:-1], "benchmark=nothing")


@pytest.mark.slow
def test_released_results_are_drawn_from_what_is_tracked_alone(project: Project) -> None:
    assert "holds no summaries" in project.fails("-n", "figures", "--config", "results=released")
    assert "takes one word" in project.fails("-n", "figures", "--config", "results=other")
    for folder in ("mini/summary/base/s0", "mini/summary/ssr/s1", "other/summary/base/s0"):
        path = project.root / "results" / "released" / folder / "scale.json"
        path.parent.mkdir(parents=True)
        path.touch()
    jobs = plan(project, "figures", "--config", "results=released")
    assert {job.rule for job in jobs} == {"metrics", "figure", "figures"}
    gathered = maker(jobs, "results/released/mini/metrics.parquet")
    assert gathered.inputs == tuple(f"results/released/mini/summary/{run}/scale.json" for run in ("base/s0", "ssr/s1"))
    assert maker(jobs, "results/released/other/figures/figure8.pdf")


def test_every_figure_and_table_is_drawn(smoke_planned: str) -> None:
    outputs = [output for job in jobs_in(smoke_planned) for output in job.outputs]
    names = {folder: {path.split("/")[3].split(".")[0] for path in outputs if f"/{folder}/" in path}
             for folder in ("figures", "tables")}  # fmt: skip
    assert names == {"figures": set(FIGURES), "tables": set(TABLES)}
