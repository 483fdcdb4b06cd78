"""What stands beside the code agrees with it."""

import tomllib

import yaml
from docs_pages import ROOT


def test_the_citation_names_this_version_and_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert f" {project['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_pre_commit_runs_what_ci_runs() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    ci = (ROOT / ".ci" / "run").read_text()
    for hook in hooks:
        shell, tool = hook["entry"].split()[:2]
        assert shell == "envs/shell" and f"step {tool}" in ci
