"""`snakemake --report`: what it gathers, its captions, and the picture of the workflow."""

import pytest
from graph_project import Project


@pytest.mark.slow
def test_snakemakes_own_report_has_captions_and_the_picture(project: Project) -> None:
    scale = project.rewrite("smoke", runs={"ssr": {}}, selfplay={"generations": 1, "lag": 0, "shards": 1})
    project.snakemake("--cores", "1", "--configfile", scale)
    said = project.snakemake("--configfile", scale, "--report", "report.html")
    assert "Adding figure8.svg" in said and "Adding results.csv" in said
    page = (project.root / "report.html").read_text()
    assert "one language model injects bugs into real repositories" in page and "scale's file (smoke)" in page
    assert "are for a model of 32 B parameters" in page and "standard errors over tasks and seeds" in page
    assert "rulegraph" in page
