"""A user in a folder of their own, and what they see of a play."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pocket_project import COMMITS, write_files
from ssr.repository.git import git
from typed import ssr

USER = {"GIT_CONFIG_GLOBAL": os.devnull} | {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in {"NAME": "u", "EMAIL": "u@invalid"}.items()
}


@dataclass(frozen=True)
class User:
    """Types `ssr` in a folder of their own, where pip finds the wheels of pytest and nothing else."""

    folder: Path
    variables: Mapping[str, str]

    def command(self, *words: str | Path) -> list[str]:
        return [sys.executable, "-m", "ssr", *map(str, words)]

    def types(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return ssr(*words, folder=self.folder, variables=self.variables)


def write_project(folder: Path) -> Path:
    """A git repository of `pocket` with its three commits, made as a person makes it."""
    folder.mkdir(parents=True)
    git("init", "-q", "-b", "trunk", ".", cwd=folder)
    for message, files in COMMITS:
        write_files(folder, files)
        git("add", "--all", cwd=folder)
        git("commit", "-q", "-m", message, cwd=folder, variables=USER)
    return folder


@dataclass(frozen=True)
class Played:
    """A finished play and what the command printed."""

    folder: Path
    words: list[str]
    printed: str
    said: str
