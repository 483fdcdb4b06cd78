"""What figures and tables are made from: the metrics of a scale, the summaries behind them, the paper's numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ssr.paper.metrics import Row, order, read
from ssr.paper.playing import playing_rows
from ssr.paper.reported import Reported, read_reported
from ssr.paper.scores import score_rows
from ssr.paper.summary import Summary, TableRow, folder_of, read_summaries

SUMMARIES = "summary"


@dataclass(frozen=True)
class Data:
    """A scale's numbers, and the paper's, which are never mixed with them."""

    rows: Sequence[Row]
    reported: Sequence[Reported]
    summaries: Sequence[Summary] = ()

    def artifacts(self, run: str) -> list[TableRow]:
        """Submitted artifacts of all seeds of a run."""
        return [row for summary in self.summaries if summary.run == run for row in summary.artifacts]

    def outcomes(self) -> list[TableRow]:
        """Every attempt on a benchmark."""
        return [row for summary in self.summaries for row in summary.outcomes]

    @property
    def runs(self) -> list[str]:
        """Names of the runs that there are, the base model left out."""
        return sorted({row.run for row in self.rows} - {"base"})


def gather(summaries: Sequence[Summary]) -> list[Row]:
    """All metrics of a scale, in a fixed order. Raises EvaluationError where evaluations cannot be compared."""
    rows = [row for summary in summaries for row in playing_rows(summary)]
    return sorted(rows + score_rows(summaries), key=order)


def load(metrics: Path, reported: Path) -> Data:
    """Read metrics.parquet, and the summaries of its runs from the folder `summary` beside it."""
    rows = read(metrics)
    places = sorted({(row.run, row.seed) for row in rows if row.seed is not None})
    folders = [folder_of(metrics.parent / SUMMARIES, run, seed) for run, seed in places]
    return Data(rows, read_reported(reported), read_summaries(folders))
