import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from ssr.cli import app
from ssr.errors import EvaluationError
from ssr.paper.manifest import differences, make_manifest, read_manifest, write_manifest

ROOT = Path(__file__).parents[3]
SMOKE = ROOT / "workflow" / "config" / "smoke.yaml"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder shaped like a scale's results."""
    folder = tmp_path / "results"
    for name in (
        "checkpoints/000/sha256", "checkpoints/ssr/s0/001/model.safetensors", "figures/figure8.svg",
        "logs/inject/ssr/s0/001/00.log", "timings/metrics.tsv", "cache/runs/ab/abc.json", "journals/ssr/s0/001/i.json",
    ):  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    for name in ("001/00/episodes", "001/00/timings", "002/00/x"):
        table(folder / f"inject/ssr/s0/{name}.parquet", [name])
    return folder


def table(path: Path, names: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"name": names, "tokens": [[1, len(name)] for name in names]}), path)


def manifest_of(results: Path, out: Path, scale: Path = SMOKE) -> Path:
    write_manifest(make_manifest(scale, results, ROOT / "results" / "snapshots", ROOT), out)
    return out


def test_times_logs_and_caches_are_not_compared(results: Path, tmp_path: Path) -> None:
    files = read_manifest(manifest_of(results, tmp_path / "a.json")).files
    assert sorted(files) == [
        "checkpoints/000/sha256", "checkpoints/ssr/s0/001/model.safetensors", "figures/figure8.svg",
        "inject/ssr/s0/001/00/episodes.parquet", "inject/ssr/s0/002/00/x.parquet",
    ]  # fmt: skip


def test_the_first_cause_comes_first(results: Path, tmp_path: Path) -> None:
    first = read_manifest(manifest_of(results, tmp_path / "a.json"))
    for name in ("figures/figure8.svg", "checkpoints/ssr/s0/001/model.safetensors"):
        (results / name).write_text("other")
    table(results / "inject/ssr/s0/002/00/x.parquet", ["other"])
    (results / "inject/ssr/s0/001/00/episodes.parquet").unlink()
    scale = tmp_path / "other.yaml"
    scale.write_text(SMOKE.read_text().replace("alpha: 0.8", "alpha: 0.7"))
    second = read_manifest(manifest_of(results, tmp_path / "b.json", scale))
    found = [(difference.stage, difference.name) for difference in differences(first, second)]
    assert found == [
        ("scale", "game.alpha"),
        ("inject", "inject/ssr/s0/001/*/episodes.parquet"),
        ("inject", "inject/ssr/s0/002/*/x.parquet"),
        ("checkpoints", "checkpoints/ssr/s0/001/model.safetensors"),
        ("figures", "figures/figure8.svg"),
    ]


def test_the_commands_say_whether_results_are_the_same(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    other = tmp_path / "again"
    shutil.copytree(results, other)
    (other / "timings" / "metrics.tsv").write_text("slower")
    runner = CliRunner()
    for folder, name in ((results, "a"), (other, "b")):
        arguments = ["manifest", "write", "--scale", str(SMOKE), "--results", str(folder)]
        assert runner.invoke(app, [*arguments, "--out", str(tmp_path / name)]).exit_code == 0
    same = runner.invoke(app, ["manifest", "diff", str(tmp_path / "a"), str(tmp_path / "b")])
    assert (same.exit_code, same.output) == (0, "5 files are the same\n")
    (other / "figures" / "figure8.svg").write_text("changed")
    manifest_of(other, tmp_path / "b")
    changed = runner.invoke(app, ["manifest", "diff", str(tmp_path / "a"), str(tmp_path / "b")])
    assert changed.exit_code == 1
    assert changed.output.startswith("figures: figures/figure8.svg: ")


def test_between_numbers_of_shards_what_they_made_together_is_compared(results: Path, tmp_path: Path) -> None:
    folder = results / "inject/ssr/s0/001"
    table(folder / "00/episodes.parquet", ["a", "b", "c"])
    (results / "report").mkdir()
    (results / "report/provenance.html").write_text("inject/ssr/s0/001/00/episodes.parquet")
    whole = read_manifest(manifest_of(results, tmp_path / "a.json"))
    (results / "report/provenance.html").write_text("two files")
    assert [found.name for found in differences(whole, read_manifest(manifest_of(results, tmp_path / "d.json")))] == [
        "report/provenance.html"
    ]
    table(folder / "00/episodes.parquet", ["a", "c"])
    table(folder / "01/episodes.parquet", ["b"])
    shared_out = read_manifest(manifest_of(results, tmp_path / "b.json"))
    assert differences(whole, shared_out) == []
    table(folder / "01/episodes.parquet", ["b", "b"])
    twice = read_manifest(manifest_of(results, tmp_path / "c.json"))
    assert [found.name for found in differences(whole, twice)] == ["inject/ssr/s0/001/*/episodes.parquet"]


def test_what_is_no_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("{}")
    with pytest.raises(EvaluationError, match="no manifest of results"):
        read_manifest(tmp_path / "a")
    with pytest.raises(EvaluationError, match="holds no results"):
        make_manifest(SMOKE, tmp_path / "none", tmp_path, ROOT)
