"""The bare graph, beside which planning is measured, has the shape of ours: the same jobs with as many files each."""

import json
import re
from collections import Counter

import pytest
from graph_project import Project

from ssr.bench.graph import BARE, shape
from ssr.config import load_scale

FILES = re.compile(r"^(?:local)?rule (\w+):\n(?:    input: (.*)\n)?(?:    output: (.*)\n)?", re.MULTILINE)
REPORTED = {"figure", "table", "report"}
"""Rules of ours that also read what the paper reports; the bare graph has no files of its own."""


def files(said: str) -> dict[str, Counter[tuple[int, int]]]:
    """Of each rule, how many jobs have so many inputs and outputs."""
    found: dict[str, Counter[tuple[int, int]]] = {}
    for rule, inputs, outputs in FILES.findall(said):
        read = len(inputs.split(", ")) - (rule in REPORTED and "reported.csv" in inputs) if inputs else 0
        found.setdefault(rule, Counter())[read, len(outputs.split(", "))] += 1
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "lag", "seeds"), [("mini-full", 1, [0, 1]), ("paper", 0, [0])])
def test_the_bare_graph_has_the_jobs_and_files_of_ours(
    project: Project, scale: str, lag: int, seeds: list[int]
) -> None:
    path = project.rewrite(scale, selfplay={"generations": 2, "shards": 2, "lag": lag}, seeds=seeds)
    (project.root / "shape.json").write_text(json.dumps(shape(load_scale(project.root / path))))
    ours = files(project.snakemake("-n", "--configfile", path))
    bare = files(project.snakemake("-n", "-s", str(BARE), "--configfile", "shape.json", "--workflow-profile", "none"))
    assert {"inject", "batch", "merge", "summary"} < set(ours)
    for graph in (ours, bare):
        graph["all"] = Counter({(0, 0): 1})  # all formats of all figures and tables, or one file of each
        for rule in ("snapshot", "install"):
            graph[rule] = Counter({(0, 1): graph[rule].total()})
    assert bare == ours
