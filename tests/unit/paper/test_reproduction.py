"""Claims of the paper beside our numbers: each kind of measure, what agrees, and that no reference is stale."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from ssr.errors import EvaluationError
from ssr.paper.data import Data, load
from ssr.paper.measures import Expected, Measure, agreement, finding
from ssr.paper.reproduction import Claim, read_claims, reproduction
from ssr.paper.summary import Summary, TableRow

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
        ("above", -1, 0, 1, "undecided"),
        ("above", -0.018, 0, 0.018, "no difference"),
        ("below", 0.001, 0.01, 0.02, "no difference"),
        ("above", -0.021, 0.001, 0.02, "leans the same way"),
        ("about", -0.02, 0.01, 0.02, "agrees"),
        ("about", 0.01, 0.015, 0.02, "agrees"),
        ("about", -0.09, 0.0, 0.08, "undecided"),
        ("about", 0.01, 0.02, 0.03, "undecided"),
        ("about", 0.03, 0.04, 0.05, "disagrees"),
        ("about", -0.05, -0.04, -0.03, "disagrees"),
    ],
)
def test_agreement_is_a_matter_of_the_whole_interval(
    expect: Expected, low: float, value: float, high: float, says: str
) -> None:
    assert agreement(expect, value, low, high) == says


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
    assert (
        row.stderr is not None and noise.number == f"{100 * row.stderr:.1f} points on 40 tasks, with the seeds' spread"
    )


def test_every_kind_of_measure_has_a_number(data: Data) -> None:
    assert finding(Measure(always=("ssr", "baseline")), data).number.count(" [") == 2
    assert finding(Measure(one_line=("ssr", "ssr")), data).number == "+0.0 [+0.0, +0.0] (0 % to 0 %)"
    valid = finding(Measure(valid="ssr"), data)
    assert valid.number.startswith("+0.0 [-") and valid.number.endswith("] (33 % to 33 %)")
    assert valid.agreement == "undecided"
    assert finding(Measure(distinct="ssr"), data).number.endswith("] (17 % to 33 %)")
    assert finding(Measure(maximum=True), data).agreement == "agrees"
    kept = [replace(one, scale={"selfplay": {"untouched": ["schema"]}}) for one in data.summaries]
    untouched = finding(Measure(untouched=("ssr", "base")), replace(data, summaries=kept))
    assert untouched.number.startswith("schema: ")


def test_above_at_every_point_is_a_matter_of_every_interval(data: Data) -> None:
    """Two small gains whose intervals hold zero are no agreement, and one small loss is no disagreement."""

    def found(*shares: float) -> str:
        names = [f"task-{number}" for number in range(100)]
        scored = [("baseline", 2, 0.5), ("baseline", 3, 0.5), ("ssr", 2, shares[0]), ("ssr", 3, shares[1])]
        outcomes = [
            {"run": run, "seed": 0, "generation": generation, "benchmark": "builtin-verified", "instance_id": name}
            | {"repo": "toolz", "resolved": (37 * number) % 100 < 100 * share}
            for run, generation, share in scored
            for number, name in enumerate(names)
        ]
        played = replace(data, summaries=[Summary("ssr", 0, {}, outcomes)])
        return finding(Measure(always=("ssr", "baseline"), benchmark="verified"), played).agreement

    assert found(0.9, 0.9) == "agrees"
    assert found(0.51, 0.52) == "leans the same way"
    assert found(0.51, 0.49) == "undecided"
    assert found(0.9, 0.51) == "leans the same way"
    assert found(0.9, 0.1) == "disagrees"


def test_an_injector_that_hands_in_one_bug_again_and_again_brings_nothing_new(data: Data) -> None:
    """More valid artifacts of the same bug, at the same reward: the three measures tell that apart."""

    def rows(generation: int, valid: int) -> tuple[list[TableRow], list[TableRow]]:
        place = {"run": "ssr", "seed": 0, "generation": generation}
        ids = [f"{generation}-{number:02d}" for number in range(40)]
        episodes = [
            place | {"episode_id": name, "role": "injector", "exit_reason": "submitted", "reward": -0.8} for name in ids
        ]
        artifacts = [place | {"episode_id": name, "valid": True, "fingerprint": "same"} for name in ids[:valid]]
        return episodes, artifacts

    (few, first), (many, last) = rows(1, 4), rows(2, 36)
    data = replace(data, summaries=[Summary("ssr", 0, {}, episodes=few + many, artifacts=first + last)])
    kinds = {kind: finding(Measure.model_validate({kind: "ssr"}), data) for kind in ("valid", "distinct", "reward")}
    assert kinds["valid"].agreement == "agrees" and kinds["valid"].number.startswith("+80.0 [")
    assert kinds["distinct"].agreement == "undecided" and kinds["distinct"].number.endswith("(2 % to 2 %)")
    assert kinds["reward"].number == "+0.000 [+0.000, +0.000] (-0.800 to -0.800)"


def test_a_hundredth_more_small_bugs_is_no_collapse(data: Data) -> None:
    """Where the bugs of both runs are small, a slightly larger share says nothing of either."""
    ssr, direct = (replace(data.summaries[0], run=name, seed=0) for name in ("ssr", "direct"))

    def bugs(run: str, small: int) -> list[TableRow]:
        kept = {"run": run, "seed": 0, "generation": 1, "valid": True, "files": 1, "hunks": 1}
        return [kept | {"fingerprint": str(number), "lines": 2 if number < small else 9} for number in range(100)]

    def found(few: int, many: int) -> str:
        played = [replace(ssr, artifacts=bugs("ssr", few)), replace(direct, artifacts=bugs("direct", many))]
        return finding(Measure(one_line=("direct", "ssr")), replace(data, summaries=played)).agreement

    assert (found(99, 100), found(96, 100)) == ("undecided: nearly all in both",) * 2
    assert (found(90, 91), found(40, 100), found(100, 40)) == ("leans the same way", "agrees", "disagrees")


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
    for text in ("[", "- a list", "One: 1"):
        (tmp_path / "claims.yaml").write_text(text)
        with pytest.raises(EvaluationError, match="no list of claims"):
            read_claims(tmp_path / "claims.yaml")


def test_a_question_of_ours_is_answered_and_not_put_into_the_papers_mouth(data: Data) -> None:
    """The paper's statements agree or not; what it gives no number for is a question with an answer."""
    claims = {
        "Ours": [Claim(claim="Does it rise?", code=[], measure=Measure(gain=("ssr", "base"), benchmark="verified"))]
    }
    text = reproduction(claims, data, "a test")
    assert "| our question | the code | on | our number | answer |" in text
    assert re.search(r"\| Does it rise\? \|  \| verified \| \+[0-9.]+ \[.*\] \| yes \|", text)


def test_every_path_of_the_claims_is_there() -> None:
    paths = [path for claims in read_claims(CLAIMS).values() for claim in claims for path in claim.code]
    assert paths and [path for path in paths if not (ROOT / path).exists()] == []


def test_the_tracked_page_is_what_the_released_results_say() -> None:
    data, source = Data([], []), "no results yet"
    if METRICS.exists():
        data = load(METRICS, ROOT / "paper" / "reported.csv")
        source = f"the results in `{METRICS.parent.relative_to(ROOT)}`"
    assert WRITTEN.read_text() == reproduction(read_claims(CLAIMS), data, source)
