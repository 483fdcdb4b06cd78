"""The paper's own numbers, kept beside ours and never mixed with them."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ssr.errors import EvaluationError
from ssr.paper.scores import BOTH

COLUMNS = ["figure", "benchmark", "run", "value", "certainty", "source"]


@dataclass(frozen=True)
class Reported:
    """One number of the paper; resolve rates in percent. Certainty: C seen, S one secondary source, I inferred."""

    figure: str
    benchmark: str
    run: str
    value: float
    certainty: str


def read_reported(path: Path) -> list[Reported]:
    """The rows of paper/reported.csv. Raises EvaluationError for other columns or a value that is no number."""
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != COLUMNS:
            raise EvaluationError(f"{path} has the columns {reader.fieldnames}, not {COLUMNS}")
        try:
            return [
                Reported(row["figure"], row["benchmark"], row["run"], float(row["value"]), row["certainty"])
                for row in reader
            ]
        except ValueError as error:
            raise EvaluationError(f"{path}, line {reader.line_num}: {error}") from error


def of_benchmark(reported: Sequence[Reported], benchmark: str) -> dict[str, float]:
    """The paper's values by run for what `benchmark` stands for: figure 9's for `both`, else figure 8's of its kind."""
    if benchmark == BOTH:
        return {row.run: row.value for row in reported if row.figure == "9"}
    kind = benchmark.rpartition("-")[2]
    return {row.run: row.value for row in reported if row.figure == "8" and row.benchmark.endswith(f"-{kind}")}
