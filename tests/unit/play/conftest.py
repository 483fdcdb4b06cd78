"""The little project `pocket` as a user has it, and one play of it by the demonstrator."""

import os
from pathlib import Path

import pytest
from player import Played, User, write_project

from wheelhouse import fill_wheelhouse


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> User:
    wheels = tmp_path_factory.mktemp("wheels")
    fill_wheelhouse(wheels)
    offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    return User(tmp_path_factory.mktemp("user"), os.environ | offline)


@pytest.fixture(scope="session")
def project(user: User) -> Path:
    return write_project(user.folder / "pocket")


@pytest.fixture(scope="session")
def played(user: User, project: Path) -> Played:
    words = ["play", "pocket", "--bugs", "2", "--strategy", "direct", "-c", "game.min_passing_tests=2"]
    done = user.types(*words)
    assert done.returncode == 0, done.stderr
    return Played(user.folder / "results" / "play" / "pocket", words, done.stdout, done.stderr)
