"""Finished episodes are kept as they end: what a rollout that was killed goes on from, and what it does not believe."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from scripted import FIX, Scripted, bash, spec, submit

from ssr.agent.episode import Episode
from ssr.agent.journal import Journal
from ssr.agent.rollout import run_episodes
from ssr.config import AgentConfig, Sampling
from ssr.contracts import Sandbox
from ssr.errors import SandboxError
from ssr.game.artifact import FILES, BugArtifact
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.bubblewrap import Bubblewrap
from ssr.selfplay.inject import read_artifact

CONFIG = AgentConfig(max_turns=5, action_tokens=256, context_tokens=4096, resubmission=False)
NAMES = [f"e{number}" for number in range(5)]
SCRIPTS = {name: [bash(f"echo {name}")] * (number % 3) + FIX for number, name in enumerate(NAMES)}
Open = Callable[[], Sandbox]


@pytest.fixture
def opened(backend: Bubblewrap, calc: Snapshot) -> Open:
    return lambda: backend.open(calc)


class Killed(Exception):
    """Stands for the end of the process: nothing of the rollout is returned."""


def play(
    opened: Open, journal: Journal | None, names: list[str] = NAMES, until: int = 99
) -> tuple[list[Episode], set[str]]:
    """Episodes, and the names of those that the engine was asked for; killed when `until` have ended."""
    engine = Scripted(SCRIPTS)
    ended: list[str] = []

    def finished(episode: Episode) -> None:
        ended.append(episode.episode_id)
        if len(ended) == until:
            raise Killed

    specs = [spec(name, opened) for name in names]
    episodes = run_episodes(specs, engine, CONFIG, Sampling(), 2, finished, journal)
    assert sorted(ended) == sorted(names)
    return episodes, {request.key.rpartition("/")[0] for request in engine.requests}


def test_a_killed_rollout_plays_only_what_was_not_finished(opened: Open, tmp_path: Path) -> None:
    unbroken, _ = play(opened, None)
    with pytest.raises(Killed):
        play(opened, Journal(tmp_path, "weights"), until=3)
    kept = {path.stem for path in tmp_path.glob("*.json")}
    assert len(kept) >= 3
    again, asked = play(opened, Journal(tmp_path, "weights"))
    assert asked == set(NAMES) - kept
    assert [(e.row(), list(e.messages), e.submission) for e in again] == [
        (e.row(), list(e.messages), e.submission) for e in unbroken
    ]
    assert play(opened, Journal(tmp_path, "weights"))[1] == set()


def test_what_was_played_with_something_else_or_cut_off_is_played_again(opened: Open, tmp_path: Path) -> None:
    play(opened, Journal(tmp_path, "weights"))
    assert play(opened, Journal(tmp_path, "other weights"))[1] == set(NAMES)
    torn = tmp_path / "e1.json"
    torn.write_bytes(torn.read_bytes()[:-100])
    (tmp_path / "e3.json").write_bytes(b"")
    assert play(opened, Journal(tmp_path, "other weights"))[1] == {"e1", "e3"}


def test_an_artifact_is_kept_whole(backend: Bubblewrap, calc: Snapshot, tmp_path: Path) -> None:
    files = " ".join(FILES)
    script = [bash(f'mkdir /tmp/bug; cd /tmp/bug; for f in {files}; do echo "é of $f" > $f; done'), submit("/tmp/bug")]
    one = replace(spec("e", lambda: backend.open(calc)), read_submission=read_artifact)
    journal = Journal(tmp_path, "weights")
    (played,) = run_episodes([one], Scripted({"e": script}), CONFIG, Sampling(), 1, journal=journal)
    (found,) = run_episodes([one], Scripted({}), CONFIG, Sampling(), 1, journal=journal)
    assert isinstance(found.submission, BugArtifact) and found.submission == played.submission
    assert found.submission.test_parser == "é of test_parser.py\n"
    assert found.timing == played.timing and found.timing.sandbox_seconds > 0


def test_what_the_machine_made_fail_is_played_again(opened: Open, tmp_path: Path) -> None:
    def broken() -> Sandbox:
        raise SandboxError("full")

    journal = Journal(tmp_path, "weights")
    (failed,) = run_episodes([spec("e0", broken)], Scripted(SCRIPTS), CONFIG, Sampling(), 1, journal=journal)
    assert failed.exit_reason == "infrastructure"
    assert play(opened, journal, ["e0"])[1] == {"e0"}
