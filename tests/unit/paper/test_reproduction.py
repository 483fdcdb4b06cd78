"""Claims of the paper beside our numbers: each kind of measure, what agrees, and that no reference is stale."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from ssr.errors import EvaluationError
from ssr.paper.data import Data, load
from ssr.paper.reproduction import Measure, agreement, finding, read_claims, reproduction

ROOT = Path(__file__).parents[3]
CLAIMS = ROOT / "paper" / "claims.yaml"
WRITTEN = ROOT / "paper" / "REPRODUCTION.md"
METRICS = ROOT / "results" / "released" / "mini-full" / "metrics.parquet"


@pytest.mark.parametrize(
    ("expect", "low", "value", "high", "says"),
    [
        ("above", 1, 2, 3, "agrees"),
        ("above", -1, 2, 3, "leans the same way"),
        ("above", -3, -2, 1, "leans the other way"),
        ("above", -3, -2, -1, "disagrees"),
        ("below", -3, -2, -1, "agrees"),
        ("below", -3, -2, 1, "leans the same way"),
        ("below", 1, 2, 3, "disagrees"),
        ("above", -1, 0, 1, "no difference"),
        ("about", -1, 1, 2, "agrees: no difference found"),
        ("about", 1, 2, 3, "disagrees"),
    ],
)
def test_agreement_is_a_matter_of_the_whole_interval(
    expect: str, low: float, value: float, high: float, says: str
) -> None:
    assert agreement(Measure(maximum=True, expect=expect).expect, value, low, high) == says


def test_a_gain_is_that_of_the_results_table(data: Data) -> None:
    row = next(
        row
        for row in data.rows
        if (row.run, row.generation, row.benchmark, row.metric, row.against)
        == ("ssr", 3, "builtin-verified", "resolved_difference", "base")
    )
    found = finding(Measure(gain=("ssr", "base"), benchmark="verified", expect="above"), data)
    assert found.number.startswith(f"{100 * row.value:+.1f} [")
    assert row.low is not None and f"[{100 * row.low:+.1f}, " in found.number
    noise = finding(Measure(noise=("ssr", "base"), benchmark="verified"), data)
    assert row.stderr is not None and noise.number == f"{100 * row.stderr:.1f} points on 40 tasks"


def test_every_kind_of_measure_has_a_number(data: Data) -> None:
    assert finding(Measure(always=("ssr", "baseline")), data).number.endswith("of 2 points")
    assert finding(Measure(one_line=("ssr", "ssr")), data).number == "+0.0 [+0.0, +0.0] (0 % to 0 %)"
    valid = finding(Measure(valid="ssr"), data)
    assert valid.number.startswith("+0.0 [-") and valid.number.endswith("] (33 % to 33 %)")
    assert valid.agreement == "no difference"
    assert finding(Measure(maximum=True), data).agreement == "agrees"
    kept = [replace(one, scale={"selfplay": {"untouched": ["schema"]}}) for one in data.summaries]
    untouched = finding(Measure(untouched=("ssr", "base")), replace(data, summaries=kept))
    assert untouched.number.startswith("schema: ")


def test_a_hundredth_more_small_bugs_is_no_collapse(data: Data) -> None:
    """Where the bugs of both runs are small, a slightly larger share says nothing of either."""
    bug = {"valid": True, "files": 1, "hunks": 1}
    small, large = {**bug, "lines": 2}, {**bug, "lines": 9}
    ssr, direct = (replace(data.summaries[0], run=name, seed=0) for name in ("ssr", "direct"))

    def found(few: int, many: int) -> str:
        played = [
            replace(ssr, artifacts=[small] * few + [large] * (100 - few)),
            replace(direct, artifacts=[small] * many + [large] * (100 - many)),
        ]
        return finding(Measure(one_line=("direct", "ssr")), replace(data, summaries=played)).agreement

    assert (found(99, 100), found(40, 100), found(100, 40)) == ("leans the same way", "agrees", "disagrees")


def test_what_was_not_run_is_said(data: Data) -> None:
    for measure in (
        Measure(gain=("direct", "removal_only")), Measure(gain=("ssr", "base"), benchmark="builtin-bugs"),
        Measure(untouched=("ssr", "base")), Measure(one_line=("direct", "ssr")), Measure(valid="direct"),
        Measure(always=("ssr", "direct")), Measure(noise=("direct", "base")),
    ):  # fmt: skip
        assert finding(measure, data).number == "not run yet"


def test_a_measure_of_two_kinds_or_none_is_refused(tmp_path: Path) -> None:
    measures: list[dict[str, object]] = [{"benchmark": "both"}, {"valid": "ssr", "maximum": True}]
    for measure in measures:
        claims: dict[str, object] = {"One": [{"claim": "x", "paper": "y", "code": [], "measure": measure}]}
        (tmp_path / "claims.yaml").write_text(yaml.safe_dump(claims))
        with pytest.raises(EvaluationError, match="exactly one kind"):
            read_claims(tmp_path / "claims.yaml")


def test_every_path_of_the_claims_is_there() -> None:
    paths = [path for claims in read_claims(CLAIMS).values() for claim in claims for path in claim.code]
    assert paths and [path for path in paths if not (ROOT / path).exists()] == []


def test_the_tracked_page_is_what_the_released_results_say() -> None:
    data, source = Data([], []), "no results yet"
    if METRICS.exists():
        data = load(METRICS, ROOT / "paper" / "reported.csv")
        source = f"the results in `{METRICS.parent.relative_to(ROOT)}`"
    assert WRITTEN.read_text() == reproduction(read_claims(CLAIMS), data, source)
