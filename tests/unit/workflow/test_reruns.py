"""What runs again: after a kill, only what was not finished; after a changed key, only what depends on it."""

import os
import shutil
import subprocess
import time
from collections import Counter
from dataclasses import replace

import pytest
from graph_project import ROOT, Project


@pytest.mark.slow
def test_a_killed_run_goes_on(project: Project) -> None:
    scale = project.rewrite("smoke", runs={"ssr": {}})
    command = ("--cores", "2", "selfplay", "--configfile", scale)
    with subprocess.Popen(
        project.command(*command),
        cwd=project.root,
        env=project.environment(seconds=0.3),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        while len(project.calls) < 6:
            time.sleep(0.05)
            assert running.poll() is None
        running.kill()
    time.sleep(1)  # The stand-in does not end with its parent; its jobs end by themselves.
    finished = project.calls
    project.snakemake(*command)
    twice = [call for call, number in Counter(project.calls).items() if number > 1]
    assert set(twice) <= set(finished[-2:]), "only jobs that ended while snakemake was killed are made again"
    assert "Nothing to be done" in project.snakemake(*command)
    for number, path in enumerate(sorted(path for path in (project.root / "results").rglob("*") if path.is_file())):
        moved = path.stat().st_mtime + (-1) ** number * 24 * 3600  # as a clock leaves them that jumps by a day
        os.utime(path, (moved, moved))
    assert "Nothing to be done" in project.snakemake(*command)


@pytest.mark.slow
def test_a_changed_key_runs_again_what_depends_on_it_and_nothing_else(project: Project) -> None:
    scale = project.rewrite("smoke", runs={"ssr": {}}, selfplay={"generations": 1, "lag": 0, "shards": 1})
    project.snakemake("--cores", "2", "--configfile", scale)
    drawn = {"score", "merge", "summary", "metrics", "figure", "table", "report", "all"}
    for section, key, old, new, rerun in (
        ("training", "learning_rate", 1.0e-4, 1.0e-3, {"train"}),
        ("game", "alpha", 0.8, 0.5, {"batch", "train"}),
        ("game", "attempts", 4, 3, {"solve", "batch", "train"}),
        ("selfplay", "distinct", False, True, {"solve", "batch", "train"}),
        ("evaluation", "verified_tasks", 4, 5, {"tasks_held_out", "validate", "solve", "batch", "train"}),
    ):
        project.rewrite("smoke", **{section: {key: new}})
        assert planned(project.snakemake("-n", "--configfile", scale)) == rerun | drawn, key
        project.rewrite("smoke", **{section: {key: old}})
    assert "Nothing to be done" in project.snakemake("-n", "--configfile", scale)


TRAINED = {"train", "score", "merge", "summary", "metrics", "figure", "table", "report", "all"}
CHANGES: list[tuple[dict[str, str], set[str]]] = [
    ({"src/ssr/selfplay/validate.py": "MORE = 1"}, {"validate", "solve", "batch", *TRAINED}),
    ({"src/ssr/selfplay/solve.py": "MORE = 1"}, {"solve", "batch", *TRAINED}),
    ({"src/ssr/training/objective.py": "MORE = 1"}, TRAINED),
    (
        {"src/ssr/evaluation/reports.py": "MORE = 1"},
        {"merge", "summary", "metrics", "figure", "table", "report", "all"},
    ),
    ({"src/ssr/paper/tables.py": "MORE = 1"}, {"table", "all"}),
    ({"src/ssr/agent/prompts/brief/injector.md": "More."}, {"inject", "validate", "solve", "batch", *TRAINED}),
    ({"src/ssr/agent/prompts/brief/solver.md": "More."}, {"solve", "batch", *TRAINED}),
    ({"envs/cpu.lock": "accelerate==1"}, TRAINED),
    (
        {
            "src/ssr/training/objective.py": "# A comment.",
            "src/ssr/bench/rollout.py": "MORE = 1",
            "src/ssr/agent/prompts/full/solver.md": "More.",
            "envs/cpu.lock": "ruff==1",
        },
        set(),
    ),
]
"""What is added to files, and the rules that run again then."""


@pytest.mark.slow
def test_a_changed_file_runs_again_what_needs_it_and_nothing_else(project: Project) -> None:
    shutil.copytree(ROOT / "src", project.root / "src", ignore=shutil.ignore_patterns("__pycache__"))
    keys = {"selfplay": {"generations": 1, "lag": 0, "shards": 1}, "evaluation": {"benchmarks": ["builtin-verified"]}}
    scale = project.rewrite("smoke", runs={"ssr": {}}, **keys)
    project.snakemake("--cores", "2", "--configfile", scale)
    for added, rerun in CHANGES:
        texts = {name: (project.root / name).read_text() for name in added}
        for name, text in added.items():
            (project.root / name).write_text(f"{texts[name]}\n{text}\n")
        assert planned(project.snakemake("-n", "--configfile", scale)) == rerun, added
        for name, text in texts.items():
            (project.root / name).write_text(text)
    assert "Nothing to be done" in project.snakemake("-n", "--configfile", scale)


@pytest.mark.slow
def test_another_environment_is_known_by_its_own_lock(project: Project) -> None:
    """`SSR_LOCK=big envs/shell` works in .venv-big, whose packages are those of big.lock and not of cpu.lock."""
    project = replace(project, venv=".venv-big")
    locks = {name: project.root / "envs" / f"{name}.lock" for name in ("big", "cpu")}
    shutil.copyfile(locks["cpu"], locks["big"])
    keys = {"selfplay": {"generations": 1, "lag": 0, "shards": 1}, "evaluation": {"benchmarks": ["builtin-verified"]}}
    scale = project.rewrite("smoke", runs={"ssr": {}}, **keys)
    project.snakemake("--cores", "2", "--configfile", scale)
    for name, rerun in (("cpu", set()), ("big", TRAINED)):
        with locks[name].open("a") as file:
            file.write("accelerate==1\n")
        assert planned(project.snakemake("-n", "--configfile", scale)) == rerun, name


def planned(out: str) -> set[str]:
    return {line.split()[1].rstrip(":") for line in out.splitlines() if line.startswith(("rule ", "localrule "))}
