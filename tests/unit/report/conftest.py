from pathlib import Path

import pytest

from played_results import ROOT, Played, write_results
from ssr.report.site import make_report


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return write_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def report(played: Played, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "report"
    make_report(played.results, played.scale_file, ROOT / "paper/reported.csv", folder)
    return folder
