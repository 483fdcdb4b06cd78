"""`ssr play` as a user types it: what comes out, what is said early, interrupting, and going on."""

import json
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from player import Played, User, write_project

from ssr.game.instance import read_instances


@pytest.mark.slow
def test_valid_bugs_come_out_as_a_dataset_with_a_summary(played: Played) -> None:
    bugs = read_instances(played.folder / "dataset" / "instances.parquet")
    summary = json.loads((played.folder / "summary.json").read_text())
    assert summary["tried"] == 2 and summary["valid"] == len(bugs) > 0
    assert set(summary["bugs"]) == {bug.instance_id for bug in bugs}
    assert all(rate["solved"] == rate["attempts"] == 1 for rate in summary["bugs"].values())
    assert sum(summary["failures"].values()) == summary["submitted"] - summary["valid"]
    rows = pq.read_table(played.folder / "dataset" / "dataset.parquet").to_pylist()
    assert "by a script that knows the fix" in (played.folder / "dataset" / "README.md").read_text()
    assert {row["repo"] for row in rows} == {"pocket"} and all(json.loads(row["FAIL_TO_PASS"]) for row in rows)


@pytest.mark.slow
def test_a_person_is_told_what_was_found_before_anything_is_played(played: Played) -> None:
    lines = re.findall(r"^ *\d+:\d\d  (.*)", played.said, re.MULTILINE)
    assert lines[1].endswith("3 commits") and "3 test files" in lines[2]
    assert any(line.startswith("25 tests collected") for line in lines)
    assert re.match(r"bugs tried      2 \(\d handed in", played.printed)
    assert f"ssr show run play --results {played.folder}" in played.printed


@pytest.mark.slow
def test_the_same_command_does_nothing_twice(played: Played, user: User) -> None:
    before = {path: path.stat().st_mtime_ns for path in played.folder.rglob("episodes.parquet")}
    usage = (played.folder / "usage.jsonl").read_text()
    again = user.types(*played.words, "--json")
    assert json.loads(again.stdout) == json.loads((played.folder / "summary.json").read_text())
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (played.folder / "usage.jsonl").read_text() == usage


@pytest.mark.slow
def test_other_words_for_the_same_folder_are_refused(played: Played, user: User) -> None:
    refused = user.types(*played.words, "--attempts", "3")
    assert refused.returncode == 2 and "attempts" in refused.stderr and "--out" in refused.stderr


def test_a_repository_without_tests_is_refused_before_anything_is_installed(user: User, project: Path) -> None:
    bare = user.folder / "untested"
    shutil.copytree(project / "pocket", bare / "pocket")
    refused = user.types("play", bare)
    assert refused.returncode == 3 and "no file that is called like a test" in refused.stderr
    assert "installing" not in refused.stderr and not (user.folder / "results/play/untested/snapshots").exists()


@pytest.mark.slow
def test_what_the_tests_miss_is_named_and_may_be_mended_in_the_same_folder(user: User) -> None:
    folder = user.folder / "needy"
    (folder / "tests").mkdir(parents=True)
    (folder / "tests" / "test_all.py").write_text("import nosuchmodule\n\ndef test_one():\n    pass\n")
    (folder / "tests" / "test_extra.py").write_text("import pytest\n\npytest.importorskip('nosuchextra')\n")
    (folder / "pyproject.toml").write_text('[project]\nname = "needy"\ndependencies = ["nosuchpackage", "pluggy"]\n')
    refused = user.types("play", folder)
    assert refused.returncode == 3
    assert "missing: nosuchpackage" in refused.stderr and "installing 5 packages" in refused.stderr
    assert "the module nosuchmodule (1 times)" in refused.stderr and "--with PACKAGE" in refused.stderr
    assert "without nosuchextra tests are skipped (1 files): --with nosuchextra" in refused.stderr
    again = user.types("play", folder, "--with", "alsonosuch")
    assert again.returncode == 3 and "--with alsonosuch" in again.stderr


def interrupted(user: User, words: list[str | Path], when: Callable[[str], bool]) -> str:
    """Type a command and Ctrl-C as soon as `when` holds of what it said; what it said to its end."""
    log = user.folder / "interrupted.log"
    with log.open("w") as file:
        running = subprocess.Popen(
            user.command(*words),
            cwd=user.folder,
            env=dict(user.variables),
            stderr=file,
            stdout=file,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in a background ignore Ctrl-C
        )
    deadline = time.monotonic() + 300
    while not when(log.read_text()) and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    assert running.wait(300) == 130, log.read_text()
    assert "the same command goes on" in log.read_text()
    return log.read_text()


@pytest.mark.slow
def test_an_interrupted_play_goes_on_to_the_same_bugs(user: User, played: Played) -> None:
    write_project(user.folder / "again" / "pocket")
    words = ["play", user.folder / "again" / "pocket", *played.words[2:], "--out", "interrupted"]
    journals = user.folder / "interrupted" / "journals"
    interrupted(user, words, lambda said: any(journals.rglob("*.json")))
    finished = {path.stem for path in journals.rglob("*.json")}
    said = interrupted(user, words, lambda said: "checking what was handed in" in said)
    assert "test runs that were begun end first" in said
    assert user.types(*words).returncode == 0
    lines = (user.folder / "interrupted" / "usage.jsonl").read_text().splitlines()
    starts = Counter(turn for line in lines if (turn := json.loads(line)["turn"]).endswith("/0000"))
    assert {name: starts[f"{name}/0000"] for name in finished} == dict.fromkeys(finished, 1)
    folders = (played.folder, user.folder / "interrupted")
    bugs = [read_instances(folder / "dataset" / "instances.parquet") for folder in folders]
    assert [bug.bug_inject_diff for bug in bugs[0]] == [bug.bug_inject_diff for bug in bugs[1]]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--engine", "gpt"], "there are openai, checkpoint, demonstrator"),
        (["--engine", "openai"], "--endpoint"),
        (["--engine", "checkpoint"], "--checkpoint"),
        (["--strategy", "subtle"], "there are direct, removal, history"),
        (["-c", "game.atempts=2"], "game.atempts"),
    ],
)
def test_words_that_do_not_go_together_are_refused_at_once(
    user: User, project: Path, words: list[str], says: str
) -> None:
    refused = user.types("play", project, "--out", "refused", *words)
    assert refused.returncode == 2 and says in refused.stderr
    assert "taking in" not in refused.stderr


def test_an_endpoint_that_does_not_answer_is_known_at_once(user: User, project: Path) -> None:
    words = ["--engine", "openai", "--endpoint", "http://127.0.0.1:9/v1", "--model", "none"]
    refused = user.types("play", project, "--out", "silent", *words)
    assert refused.returncode == 4 and "127.0.0.1:9" in refused.stderr and "taking in" not in refused.stderr
