"""`ssr show`: the bugs, episodes and the run of a play, as text and as JSON."""

import json

import pytest
from player import Played, User

from ssr.game.instance import read_instances

RUN = "play"


@pytest.fixture(scope="session")
def bug(played: Played) -> str:
    return read_instances(played.folder / "dataset" / "instances.parquet")[0].instance_id


@pytest.mark.slow
def test_a_run_lists_what_each_generation_came_to(played: Played, user: User) -> None:
    (row,) = json.loads(user.types("show", "run", RUN, "--json").stdout)
    summary = json.loads((played.folder / "summary.json").read_text())
    assert (row["injector_episodes"], row["artifacts"], row["valid"]) == (2, summary["submitted"], summary["valid"])
    assert (row["solved"], row["attempts"]) == (summary["valid"], summary["valid"])
    assert all(name in user.types("show", "run", RUN).stdout for name in row["bugs"])


@pytest.mark.slow
def test_a_bug_shows_its_diffs_and_what_the_solver_is_told(bug: str, played: Played, user: User) -> None:
    text = user.types("show", "bug", bug).stdout
    instance = read_instances(played.folder / "dataset" / "instances.parquet")[0]
    assert instance.bug_inject_diff.rstrip() in text and instance.problem_statement in text
    assert f"attempt {bug}-a00: solved" in text
    known = json.loads(user.types("show", "bug", bug, "--json").stdout)
    assert known["check"] == "" and known["fail_to_pass"] == instance.FAIL_TO_PASS


@pytest.mark.slow
def test_an_episode_shows_every_call_and_why_it_was_rewarded(bug: str, user: User) -> None:
    text = user.types("show", "episode", bug).stdout
    assert "role: injector" in text and "which costs alpha = 0.8" in text
    assert "bash: command" in text and "git grep -ohE" in text and "submit: path" in text


@pytest.mark.slow
def test_an_id_that_is_nowhere_says_where_ids_are(played: Played, user: User) -> None:
    missed = user.types("show", "bug", "play-s0-g009-i000", "--results", played.folder)
    assert missed.returncode == 1 and "ssr show run RUN" in missed.stderr
    missed = user.types("show", "run", "nosuch")
    assert missed.returncode == 1 and "--results" in missed.stderr


def test_a_folder_without_results_is_named(user: User) -> None:
    refused = user.types("show", "run", RUN, "--results", "nothing")
    assert refused.returncode == 2 and "nothing holds no episodes" in refused.stderr
