"""From a path or an address to a bare git repository whose branch `main` ends at what is played."""

import re
import shutil
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from ssr.errors import ConfigError, MissingRelease, RepositoryError
from ssr.repository.git import BRANCH, commit_folder, git, init
from ssr.repository.unpack import JUNK, normalise_modes, unpack

REPOSITORY = "source.git"
ARCHIVES = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
LEFT_OUT = (*JUNK, ".venv", "venv", "node_modules", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache")
"""Not taken out of a folder without history of its own."""
_ADDRESS = re.compile(r"^([a-z+]+://|[\w.-]+@[\w.-]+:)")
_NO_HISTORY = "no history: the strategy `history` has nothing to bring back"


@dataclass(frozen=True)
class Place:
    """A repository that was taken in."""

    name: str
    """Names its snapshot."""
    said: str
    """The address it came from, or the name of the folder or file."""
    commit: str
    commits: int
    notes: tuple[str, ...] = ()
    """What a person should know of it."""


def take_in(place: str, at: str, out: Path) -> Place:
    """Make `out`/source.git of a git repository, a folder, a source distribution or a git address.

    `at` names a commit, branch or tag; HEAD of what is given without it. Raises ConfigError for a place of no kind,
    MissingRelease for a repository or commit that cannot be had, RepositoryError for a damaged archive.
    """
    out.mkdir(parents=True, exist_ok=True)
    bare = out / REPOSITORY
    shutil.rmtree(bare, ignore_errors=True)
    init(bare, bare=True)
    path = Path(place).expanduser()
    if path.is_dir() and _is_repository(path):
        notes = _from_repository(path.resolve(), at, bare)
        said = path.resolve().name
    elif path.exists() and at:
        raise ConfigError(f"{place} has no git history to take {at!r} from: leave --at out")
    elif path.is_dir():
        notes, said = _from_folder(path, bare, out), path.resolve().name
    elif path.is_file() and path.name.endswith(ARCHIVES):
        notes, said = _from_archive(path, bare, out), path.name
    elif _ADDRESS.match(place):
        _fetch(place, at, bare)
        notes, said = (), place
    else:
        raise ConfigError(
            f"{place} is no folder, no source distribution ({', '.join(ARCHIVES)}) and no git address (https://…)"
        )
    commits = int(git("rev-list", "--count", BRANCH, cwd=bare))
    commit = git("rev-parse", BRANCH, cwd=bare).strip()
    return Place(name_of(said), said, commit, commits, notes)


def name_of(said: str) -> str:
    """What a snapshot may be called after a path or an address, e.g. `networkx` for `…/networkx-3.6.1.tar.gz`."""
    last = re.split(r"[/:]", said.rstrip("/"))[-1].lower()
    for ending in (*ARCHIVES, ".git"):
        last = last.removesuffix(ending)
    last = re.sub(r"[^a-z0-9]+", "-", re.sub(r"-\d[\w.]*$", "", last)).strip("-")
    return last if last[:1].isalpha() else f"repository-{last}".rstrip("-")


def _is_repository(path: Path) -> bool:
    """Whether a folder is the top of a git repository with its whole history."""
    try:
        top = git("rev-parse", "--show-toplevel", cwd=path, variables={}).strip()
        return Path(top) == path.resolve() and git("rev-parse", "--is-shallow-repository", cwd=path).strip() == "false"
    except RepositoryError:
        return (path / "HEAD").is_file() and (path / "objects").is_dir()


def _from_repository(path: Path, at: str, bare: Path) -> tuple[str, ...]:
    _fetch(str(path), at, bare)
    changed = git("status", "--porcelain", "--untracked-files=no", cwd=path) if (path / ".git").exists() else ""
    return ("changes that are not committed are left out",) if changed else ()


def _fetch(source: str, at: str, bare: Path) -> None:
    """With the user's own git configuration: credentials, proxies."""
    try:
        git("fetch", "-q", "--no-tags", "--", source, f"+{at or 'HEAD'}:{BRANCH}", cwd=bare, variables={})
    except RepositoryError as error:
        raise MissingRelease(
            f"{source} cannot be reached, or has no {at or 'HEAD'}: try `git ls-remote {source}`, correct the address "
            f"or --at.\n{error}"
        ) from error


def _from_folder(path: Path, bare: Path, out: Path) -> tuple[str, ...]:
    copy = out / "files"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(path, copy, symlinks=True, ignore=_unwanted)
    normalise_modes(copy)
    commit_folder(bare, copy, path.resolve().name, 0)
    shutil.rmtree(copy)
    return (_NO_HISTORY,)


def _from_archive(path: Path, bare: Path, out: Path) -> tuple[str, ...]:
    folder = out / "files"
    shutil.rmtree(folder, ignore_errors=True)
    commit_folder(bare, unpack(path, folder), path.name, 0)
    shutil.rmtree(folder)
    return (_NO_HISTORY,)


def _unwanted(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if any(fnmatch(name, pattern) for pattern in LEFT_OUT)}
