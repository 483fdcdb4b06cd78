"""Git without the user's and the machine's configuration, so that the same inputs give the same commits."""

import logging
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ssr.errors import RepositoryError

logger = logging.getLogger(__name__)
BRANCH = "refs/heads/main"
EPOCH = 946_684_800
"""1 January 2000 UTC; the commit of the n-th release is dated n days later."""
DAY = 86_400
SETTINGS = tuple(
    word
    for setting in ("pack.threads=1", "fetch.unpackLimit=1", "core.logAllRefUpdates=false", "safe.directory=*")
    for word in ("-c", setting)
)
KEEP_BYTES = "* -text -ident -filter !working-tree-encoding\n"
"""Attributes above all .gitattributes of a repository: files are stored and checked out as they are."""
OWN = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")


def git(*arguments: str, cwd: Path, variables: Mapping[str, str] = OWN) -> str:
    """Run git in `cwd` and return its stdout. Raises RepositoryError with git's own words."""
    environment = {name: value for name, value in os.environ.items() if name not in PLACES}
    environment |= {"LC_ALL": "C", **variables}
    logger.debug("git %s (in %s)", " ".join(arguments), cwd)
    done = subprocess.run(["git", *SETTINGS, *arguments], cwd=cwd, env=environment, capture_output=True)
    if done.returncode != 0:
        raise RepositoryError(f"`git {' '.join(arguments)}` failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="replace")


def init(folder: Path, *, bare: bool) -> None:
    """Make an empty repository that keeps every byte of its files."""
    folder.mkdir(parents=True)
    git("init", "-q", "--template=", "--initial-branch=main", *(["--bare"] if bare else []), ".", cwd=folder)
    info = (folder if bare else folder / ".git") / "info"
    info.mkdir(exist_ok=True)
    (info / "attributes").write_text(KEEP_BYTES)


def commit_folder(repository: Path, folder: Path, message: str, ordinal: int) -> str:
    """Commit all files of `folder` on a bare repository's main branch, dated by `ordinal`; returns the commit."""
    identity = {"NAME": "ssr", "EMAIL": "ssr@invalid", "DATE": f"{EPOCH + ordinal * DAY} +0000"}
    variables = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in identity.items()}
    git("--git-dir", str(repository), "--work-tree", ".", "add", "--all", "--force", ".", cwd=folder)
    tree = git("write-tree", cwd=repository).strip()
    parents = git("for-each-ref", "--format=%(objectname)", BRANCH, cwd=repository).split()
    ancestry = [word for parent in parents for word in ("-p", parent)]
    commit = git("commit-tree", tree, *ancestry, "-m", message, cwd=repository, variables=OWN | variables).strip()
    git("update-ref", BRANCH, commit, cwd=repository)
    return commit


def write_bundle(repository: Path, commit: str, bundle: Path, work: Path) -> None:
    """Write `commit` and its ancestors, and nothing else, as a bundle whose bytes depend on them alone."""
    only = work / "ancestors"
    init(only, bare=True)
    git("update-ref", BRANCH, commit, cwd=repository)
    git("fetch", "-q", "--no-tags", str(repository), f"{BRANCH}:{BRANCH}", cwd=only)
    git("repack", "-a", "-d", "-f", "-q", cwd=only)
    git("bundle", "create", "-q", str(bundle), BRANCH, cwd=only)


def checkout_bundle(bundle: Path, folder: Path) -> None:
    """Check a bundle's main branch out with its history; no remote, reflog or fetch record stays."""
    init(folder, bare=False)
    git("fetch", "-q", "--no-tags", "--update-head-ok", str(bundle), f"{BRANCH}:{BRANCH}", cwd=folder)
    git("reset", "-q", "--hard", cwd=folder)
    for leftover in ("FETCH_HEAD", "ORIG_HEAD"):
        (folder / ".git" / leftover).unlink(missing_ok=True)
