"""The report: a folder of static pages, without server or network; the same results give the same bytes."""

import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ssr.config import Scale, load_scale
from ssr.errors import ConfigError, EvaluationError
from ssr.files import written
from ssr.paper.metrics import Row, read
from ssr.paper.reported import Reported, read_reported
from ssr.report.charts import Chart, chart
from ssr.report.chunks import write_script
from ssr.report.curves import Panel, ordered, resolve_panels, selfplay_panels, training_panels
from ssr.report.data import write_data
from ssr.report.files import evaluation_tables, generation_folders
from ssr.report.overview import all_keys, differing_keys, result_tables
from ssr.report.provenance import provenance
from ssr.repository.snapshot import file_digest

SCALES = Path("workflow/config")
TITLES = {
    "index": "Overview",
    "bugs": "Bugs",
    "episodes": "Episodes",
    "generations": "Generations",
    "provenance": "Provenance",
}
"""The pages and their names, in the order of the menu."""


def make_report(results: Path, scale_file: Path | None, reported: Path, out: Path, tokens: bool = True) -> int:
    """Write the report of a scale's results into the folder `out`, whole or not at all; the number of its episodes.

    Stages that are not done yet are left out. Raises ConfigError without a scale's file, and EvaluationError where
    there is nothing to report.
    """
    path = _scale_file(results, scale_file)
    scale = load_scale(path)
    metrics = results / "metrics.parquet"
    rows = read(metrics) if metrics.is_file() else []
    if not rows and not generation_folders(scale, results) and not evaluation_tables(scale, results):
        raise EvaluationError(f"{results} holds neither episodes nor metrics: run snakemake --configfile {path} first")
    with written(out) as partial:
        shutil.copytree(str(files("ssr.report") / "assets"), partial)
        counts = write_data(partial / "data", scale, results, tokens)
        write_script(partial / "data", "provenance", provenance(rows, scale, results))
        values = _overview(scale, rows, read_reported(reported)) | {
            "scale": scale,
            "counts": counts,
            "scale_file": path.as_posix(),
            "scale_digest": file_digest(path),
            "keys": all_keys(scale),
        }
        for name, text in _pages(values).items():
            (partial / f"{name}.html").write_text(text)
    return counts.episodes


def _scale_file(results: Path, named: Path | None) -> Path:
    """The scale's file: the one that is named, or the one that is called like the results."""
    path = named or SCALES / f"{results.name}.yaml"
    if not path.is_file():
        raise ConfigError(f"{path} does not exist: name the file of the scale that made {results} with --scale")
    return path


def _overview(scale: Scale, rows: list[Row], reported: list[Reported]) -> dict[str, Any]:
    styles = ordered({"base", "baseline", "ssr", *scale.runs, *(row.run for row in rows)})

    def charts(panels: list[Panel]) -> list[Chart]:
        return [chart(panel, styles) for panel in panels]

    return {
        "styles": styles,
        "tables": result_tables(rows, reported, styles),
        "resolve": charts(resolve_panels(rows)),
        "selfplay": charts(selfplay_panels(rows)),
        "training": charts(training_panels(rows)),
        "differing": differing_keys(scale),
    }


def _pages(values: dict[str, Any]) -> dict[str, str]:
    """The pages by name, as HTML; everything from outside is escaped."""
    loader = PackageLoader("ssr.report", "templates")
    templates = Environment(
        loader=loader, undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return {name: templates.get_template(f"{name}.html").render(page=name, titles=TITLES, **values) for name in TITLES}
