"""`ssr` as a person types it: help, one artifact checked by hand, errors in one line."""

import json
from pathlib import Path

import pytest

from pocket_project import BUG, WEAKENING
from ssr.basemodel.actions import TEST_PARSER, TEST_SCRIPT
from ssr.repository.snapshot import Snapshot
from typed import ssr

SMOKE = "workflow/config/smoke.yaml"
STAGES = ["snapshot", "basemodel", "tasks", "inject", "validate", "validate-shard", "solve", "bugs", "batch", "train"]
STAGES += ["evaluate", "metrics", "figure", "table", "times", "play", "show", "status", "export-checkpoint"]


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    folder = tmp_path / "artifact"
    folder.mkdir()
    texts = {
        "test_script.sh": f"{TEST_SCRIPT} tests/test_numbers.py\n",
        "test_files.txt": "tests/test_numbers.py\n",
        "test_parser.py": TEST_PARSER,
        "bug_inject.diff": BUG,
        "test_weaken.diff": WEAKENING,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


def test_help_shows_every_stage() -> None:
    shown = ssr("--help").stdout
    assert [stage for stage in STAGES if f" {stage} " not in shown] == []


def test_a_sound_artifact_passes_every_check(artifact: Path, snapshot: Snapshot) -> None:
    done = ssr("validate", artifact, "--snapshot", snapshot.root)
    assert done.returncode == 0, done.stdout + done.stderr
    checks = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("pass ")]
    paper = [
        "test_files",
        "test_parser",
        "test_script",
        "bug_scope",
        "bug_validity",
        "test_weakening",
        "inverse_mutation",
    ]
    assert checks[2:9] == paper
    assert checks[9:] == ["self_reading", "repeats", "needless_change"]
    assert "valid: 1 tests fail with the bug" in done.stdout


def test_a_broken_artifact_says_which_check_and_why(artifact: Path, snapshot: Snapshot) -> None:
    (artifact / "test_weaken.diff").write_text(WEAKENING.replace("[0, 9, 91]", "[0, 1, 9]"))
    done = ssr("validate", artifact, "--snapshot", snapshot.root)
    assert done.returncode == 1
    assert "FAIL  test_weakening" in done.stdout and "not valid: test_weakening" in done.stdout


def test_a_missing_file_is_said(artifact: Path, snapshot: Snapshot) -> None:
    (artifact / "test_parser.py").unlink()
    done = ssr("validate", artifact, "--snapshot", snapshot.root)
    assert done.returncode == 1
    assert "test_parser.py is missing" in done.stdout
    report = json.loads(ssr("validate", artifact, "--snapshot", snapshot.root, "--json").stdout)
    assert (report["valid"], report["check"], report["checks"][0]["passed"]) == (False, "artifact", False)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("snapshot", "nosuch", "--repositories", "workflow/repositories/mini.yaml", "--out", "x"), 2, "nosuch"),
        (("validate", "nowhere", "--snapshot", "results/nowhere"), 3, "no snapshot"),
        (("times", "results/nowhere"), 1, "no benchmark file"),
        (("figure", "figure8", "--metrics", "nowhere.parquet", "--out", "x"), 2, "nowhere.parquet is not there"),
        (
            (
                "validate-shard",
                "--scale",
                "workflow/config/smoke.yaml",
                "--run",
                "ssr",
                "--artifacts",
                "no",
                "--out",
                "x",
            ),
            1,
            "no is not there",
        ),
        (
            ("tasks", "--scale", "none.yaml", "--run", "r", "--seed", "0", "--generation", "1", "--out", "x"),
            2,
            "none.yaml",
        ),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(arguments: tuple[str, ...], code: int, says: str) -> None:
    done = ssr(*arguments)
    assert done.returncode == code
    assert says in done.stderr and len(done.stderr.strip().splitlines()) == 1
