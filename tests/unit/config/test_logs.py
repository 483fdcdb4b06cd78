"""One switch for what is logged, and what a person types to be helped along."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def ssr(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ssr", *words]
    return subprocess.run(command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True)


def test_the_switch_and_its_variable_show_what_git_is_asked(tmp_path: Path) -> None:
    words = ("play", str(ROOT / "docs"), "--out", str(tmp_path / "out"))
    assert "DEBUG ssr.repository.git: git " in ssr("--log-level", "debug", *words).stderr
    assert "DEBUG" in ssr(*words, SSR_LOG_LEVEL="debug").stderr
    assert "DEBUG" not in ssr(*words).stderr


def test_a_level_that_is_none_is_refused() -> None:
    refused = ssr("times", "results", SSR_LOG_LEVEL="loud")
    assert refused.returncode == 2 and "there are debug, info, warning, error" in refused.stderr


def test_help_says_the_exit_codes_and_how_to_complete_words() -> None:
    shown = ssr("--help", COLUMNS="200").stdout
    assert "Exit codes: 0 done" in shown and "--install-completion" in shown


def test_words_are_completed() -> None:
    asked = {"_SSR_COMPLETE": "complete_bash", "COMP_WORDS": "ssr stat", "COMP_CWORD": "1"}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ssr"))], env=os.environ | asked, capture_output=True, text=True
    )
    assert done.stdout.split() == ["status"]
