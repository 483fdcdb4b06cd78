import pytest

from ssr.paper.metrics import Row
from ssr.report.charts import chart, ticks
from ssr.report.curves import benchmarks_of, resolve_panels, selfplay_panels, training_panels
from ssr.report.provenance import stage_of


def row(run: str, generation: int, metric: str, value: float, **more: object) -> Row:
    given = {"seed": 0, "step": 2 * generation, "n": 10, "stderr": 0.1} | more
    return Row(run=run, generation=generation, metric=metric, value=value, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "low, high, marks",
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, 97, [0, 20, 40, 60, 80, 100]), (0.31, 0.49, [0.3, 0.35, 0.4, 0.45, 0.5])],
)
def test_marks_are_round_and_cover_the_range(low: float, high: float, marks: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(marks)


@pytest.mark.parametrize("value", [0.0, 3.0, -1e-6, 1e9])
def test_a_single_value_has_marks_around_it(value: float) -> None:
    marks = ticks(value, value)
    assert marks[0] <= value <= marks[-1] and len(set(marks)) > 1


def test_seeds_are_averaged_with_the_interval_of_their_mean() -> None:
    rows = [row("ssr", 1, "valid", 0.4, seed=0), row("ssr", 1, "valid", 0.6, seed=1)]
    point = selfplay_panels(rows)[0].curves[0].points[0]
    assert (point.x, point.value, point.n) == (1, 50.0, 20)
    assert (point.low, point.high) == pytest.approx((50 - 1.96 * 0.02**0.5 / 2 * 100, 50 + 1.96 * 0.02**0.5 / 2 * 100))


def test_a_pooled_row_keeps_its_own_interval_and_curves_begin_at_the_base() -> None:
    rows = [
        row("base", 0, "resolved", 0.1, seed=None, benchmark="b-pro", low=0.05, high=0.2),
        row("ssr", 3, "resolved", 0.3, seed=None, benchmark="b-pro", low=0.2, high=0.5),
        row("ssr", 3, "resolved", 0.9, seed=0, benchmark="b-pro"),
    ]
    (panel,) = resolve_panels(rows)
    points = {curve.run: [(p.x, p.value, p.low, p.high) for p in curve.points] for curve in panel.curves}
    assert points["base"] == [(0, 10.0, 5.0, 20.0)]
    assert points["ssr"] == [(0, 10.0, 5.0, 20.0), (6, pytest.approx(30.0), 20.0, 50.0)]


def test_benchmarks_stand_in_the_order_of_the_paper() -> None:
    rows = [row("base", 0, "resolved", 0.1, benchmark=name) for name in ("a-pro", "a-verified", "both")]
    assert benchmarks_of(rows) == ["both", "a-verified", "a-pro"]


def test_the_marks_of_a_chart_stand_within_it() -> None:
    rows = [row("ssr", g, "training/entropy", 1.0 / g, stderr=None) for g in (1, 2, 3)]
    drawn = chart(training_panels(rows)[0], ["base", "ssr"])
    places = [(dot.x, dot.y) for dot in drawn.lines[0].dots]
    assert all(44 <= x <= 348 and 10 <= y <= 166 for x, y in places)
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert [y for _, y in places] == sorted(y for _, y in places), "a falling curve falls"
    assert "0.3333 at optimizer steps 6, n = 10" in drawn.summary


@pytest.mark.parametrize(
    "metric, stage",
    [("exit/injector/submitted", "inject"), ("length/solver", "solve"), ("gibberish/all", "inject and solve"),
     ("valid/distinct", "validate"),
     ("bugs", "validate"), ("training/kl", "training"), ("resolved/toolz", "evaluate"), ("unheard/of", "metrics")],
)  # fmt: skip
def test_a_metric_is_traced_to_its_stage(metric: str, stage: str) -> None:
    assert stage_of(metric)[0] == stage
