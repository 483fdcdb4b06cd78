import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from ssr.errors import ConfigError, EvaluationError
from ssr.game.reward import expected_injection_reward
from ssr.paper import figure8, figure10, figure_difficulty
from ssr.paper.curves import BAR_LABEL, Point, rate_curve, seed_curve
from ssr.paper.data import Data, load
from ssr.paper.figures import FIGURES, draw_figure
from ssr.paper.metrics import Row
from ssr.paper.reported import of_benchmark, read_reported
from ssr.paper.scores import panels

REPORTED = Path(__file__).parents[3] / "paper" / "reported.csv"


@pytest.mark.slow
def test_figures_are_the_same_bytes_in_another_process(metrics: Path, tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from ssr.paper.data import load;"
    code += "from ssr.paper.figures import draw_figure; data = load(Path(sys.argv[1]), Path(sys.argv[2]));"
    code += "[draw_figure(name, data, Path(sys.argv[3])) for name in sys.argv[4:]]; assert 'torch' not in sys.modules"
    names = ["figure8", "difficulty"]
    arguments = [*(str(path) for path in (metrics, REPORTED, tmp_path / "there")), *names]
    environment = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "1"}
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=environment)
    for name in names:
        draw_figure(name, load(metrics, REPORTED), tmp_path / "here")
        for extension in ("pdf", "svg", "png"):
            here = (tmp_path / "here" / f"{name}.{extension}").read_bytes()
            assert len(here) > 5000
            assert here == (tmp_path / "there" / f"{name}.{extension}").read_bytes(), (name, extension)


def test_figure10_marks_the_known_maximum() -> None:
    reported = {row.run: row.value for row in read_reported(REPORTED) if row.figure == "10"}
    place, value = figure10.maximum(lambda p: expected_injection_reward(p, 8, 0.8))
    assert place == pytest.approx(reported["solve_rate_at_maximum"], abs=5e-4)
    assert value == pytest.approx(reported["maximum"], abs=5e-5)
    texts = [text.get_text() for text in figure10.draw().axes[0].texts]
    assert texts == ["maximum 0.3702\nat p = 0.257"]


def test_beta_rewards_peak_at_one_near_a_solve_rate_of_a_fifth() -> None:
    for a, b, _, _ in figure10.BETAS:
        assert figure10.maximum(partial(figure10.beta_reward, a=a, b=b)) == pytest.approx((0.2, 1))


def test_curves_start_at_the_base_and_carry_paired_intervals(data: Data) -> None:
    points = rate_curve(data.rows, "ssr", "builtin-verified")
    assert [point.step for point in points] == [0, 4, 6]
    base = next(row for row in data.rows if row.run == "base" and row.benchmark == "builtin-verified")
    assert (points[0].low, points[0].value, points[0].high) == pytest.approx([100 * base.value] * 3)
    gain = next(
        row
        for row in data.rows
        if (row.run, row.generation, row.benchmark, row.metric, row.against)
        == ("ssr", 3, "builtin-verified", "resolved_difference", "base")
    )
    assert gain.low is not None
    assert points[2].low == pytest.approx(100 * (base.value + gain.low))
    assert points[2].low < points[2].value < points[2].high
    assert [point.step for point in rate_curve(data.rows, "base", "builtin-verified")] == [0]


def test_monitors_are_means_over_seeds_step_by_step() -> None:
    rows = [
        Row("ssr", seed, 1, step, "training/entropy", value, 1)
        for seed, values in ((0, [1.0, 2.0]), (1, [3.0, 2.0]))
        for step, value in enumerate(values, 1)
    ]
    assert seed_curve(rows, "ssr", "training/entropy") == [Point(1, 2.0, 1.0, 3.0), Point(2, 2.0, 2.0, 2.0)]
    assert seed_curve(rows, "ssr", "training/kl") == []


def test_the_papers_values_stand_apart_and_are_not_connected(data: Data) -> None:
    figure = figure8.draw(data)
    assert [axes.get_title("left") for axes in figure.axes[::2]] == [
        "(a) builtin-verified, 40 tasks",
        "(b) builtin-pro, 25 tasks",
    ]
    for own, paper in zip(figure.axes[::2], figure.axes[1::2], strict=True):
        assert paper.get_title().startswith("paper: SWE-bench")
        assert [np.size(line.get_xdata()) for line in paper.lines] == [1, 1, 1]
        assert {line.get_markerfacecolor() for line in paper.lines} == {"white"}
        spans = [high - low for low, high in (own.get_ylim(), paper.get_ylim())]
        assert spans[0] == pytest.approx(spans[1])
    assert sorted(text.get_text() for text in figure.axes[1].texts) == ["41.0", "49.0", "51.4"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("figure9a", ["25.2", "29.2", "33.5", "38.0"]),
        ("figure9b", ["29.2", "35.4", "36.0", "38.0"]),
        ("figure9c", ["29.2", "37.7", "38.0"]),
    ],
)
def test_figure9_is_of_both_benchmarks_and_names_every_run_of_the_paper(
    name: str, values: list[str], data: Data
) -> None:
    figure = FIGURES[name](data)
    assert "both benchmarks, 65 tasks" in figure.axes[0].get_title("left")
    assert sorted(text.get_text() for text in figure.axes[1].texts) == values
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[-1] == BAR_LABEL and len(labels) == len(values) + 2


def test_bugs_fall_into_four_classes_of_difficulty() -> None:
    rates = [(0, 6), (1, 6), (3, 6), (4, 6), (5, 6), (6, 6), (1, 1)]
    classes = [figure_difficulty.class_of({"solved": solved, "attempts": attempts}) for solved, attempts in rates]
    assert classes == [0, 1, 1, 2, 2, 3, 3]


def test_the_difficulty_figure_shows_the_scales_own_reward(data: Data) -> None:
    rates, reward, sizes = figure_difficulty.draw(data).axes
    bars = [bar for bar in rates.patches if isinstance(bar, Rectangle)]
    assert sum(bar.get_height() for bar in bars) == pytest.approx(3 * 100)
    curve = next(line for line in reward.lines if line.get_label() == "expected reward")
    assert np.max(np.asarray(curve.get_ydata())) == pytest.approx(0.3702, abs=1e-3)
    assert [line.get_label() for line in sizes.lines] == ["removal (8)"]


def test_real_benchmarks_come_before_the_built_in_ones() -> None:
    assert panels(["builtin-pro", "swebench-pro"]) == ["swebench-pro"]
    assert panels(["builtin-bugs"]) == []
    assert of_benchmark(read_reported(REPORTED), "builtin-pro") == {"base": 21.1, "baseline": 25.3, "ssr": 28.9}


def test_little_is_drawn_too() -> None:
    rows = [Row("base", None, 0, 0, "resolved", 0.0, 1, 0.0, "builtin-pro")]
    rows += [Row("ssr", None, 1, 0, "resolved", 0.0, 1, 0.0, "builtin-pro")]
    assert all(draw(Data(rows, read_reported(REPORTED))).axes for draw in FIGURES.values())


def test_figures_without_a_benchmark_say_what_they_need() -> None:
    for name in ("figure8", "figure9a"):
        with pytest.raises(EvaluationError, match="verified or -pro"):
            FIGURES[name](Data([], []))


def test_an_unknown_figure_is_named(metrics: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="figure8, figure9a"):
        draw_figure("figure7", load(metrics, REPORTED), tmp_path)


def test_reported_numbers_with_other_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "reported.csv"
    path.write_text("figure,value\n8,1\n")
    with pytest.raises(EvaluationError, match="columns"):
        read_reported(path)
    path.write_text(REPORTED.read_text().splitlines()[0] + "\n8,swebench-pro,base,many,C,\n")
    with pytest.raises(EvaluationError, match="line 2"):
        read_reported(path)


def test_the_papers_totals_agree_with_its_two_benchmarks() -> None:
    values = {(row.figure, row.benchmark, row.run): row.value for row in read_reported(REPORTED)}
    for run in ("base", "baseline", "ssr"):
        solved = 500 * values["8", "swebench-verified", run] + 731 * values["8", "swebench-pro", run]
        assert solved / 1231 == pytest.approx(values["9", "both", run], abs=0.06)
