"""Where histories come from. A new kind of source is a spec in listing.py and a function in KINDS."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ssr.errors import MissingRelease, RepositoryError
from ssr.repository import npm, package_index
from ssr.repository.git import commit_folder, git
from ssr.repository.image import history_of_image
from ssr.repository.listing import GitSpec, ImageSpec, NpmSpec, PinnedRelease, ReleasesSpec
from ssr.repository.snapshot import History, Release, Source
from ssr.repository.unpack import require_tests, unpack

FETCHES = 2
"""Releases fetched side by side."""
EVERYTHING = ("+refs/heads/*:refs/fetched/heads/*", "+refs/tags/*:refs/fetched/tags/*")


def history_of_releases(spec: ReleasesSpec | NpmSpec, list_folder: Path, repository: Path, work: Path) -> History:
    """Fetch all releases, then commit them in order.

    Raises DigestMismatch, MissingRelease, NoTests, or RepositoryError for an archive that cannot be unpacked.
    """
    index = npm if isinstance(spec, NpmSpec) else package_index
    built = spec.built if isinstance(spec, NpmSpec) else ()

    def fetch(release: PinnedRelease) -> Path:
        folder = work / release.version
        top = unpack(index.fetch_release(spec.package, release, folder / "fetched"), folder / "unpacked", built)
        require_tests(top, spec.tests, f"{spec.package} {release.version}")
        return top

    with ThreadPoolExecutor(FETCHES) as pool:
        folders = list(pool.map(fetch, spec.releases))
    commits = [
        commit_folder(repository, folder, f"{spec.package} {release.version}", ordinal)
        for ordinal, (release, folder) in enumerate(zip(spec.releases, folders, strict=True))
    ]
    return History(
        tuple(Release(release.version, commit) for release, commit in zip(spec.releases, commits, strict=True)),
        tuple(Source(name=release.file, digest=f"sha256:{release.sha256}") for release in spec.releases),
    )


def history_of_git(spec: GitSpec, list_folder: Path, repository: Path, work: Path) -> History:
    """Fetch a git repository's branches and tags, with the user's own git configuration (credentials, proxies).

    Raises MissingRelease, NoTests.
    """
    local = list_folder / spec.source
    source = str(local.resolve()) if local.exists() else spec.source
    try:
        git("fetch", "-q", "--no-tags", source, *EVERYTHING, cwd=repository, variables={})
        git("cat-file", "-e", f"{spec.commit}^{{commit}}", cwd=repository)
    except RepositoryError as error:
        raise MissingRelease(
            f"{spec.name}: {spec.source} cannot be reached or has no commit {spec.commit} on a branch or tag: "
            f"correct `source` or `commit`.\n{error}"
        ) from error
    files = work / "files"
    files.mkdir()
    git("--work-tree", str(files), "checkout", "-q", "-f", spec.commit, "--", ".", cwd=repository)
    require_tests(files, spec.tests, f"{spec.name} at {spec.commit[:12]}")
    version = spec.version or spec.commit[:12]
    return History(
        (Release(version, spec.commit),), (Source(name=spec.origin or spec.source, digest=f"git:{spec.commit}"),)
    )


KINDS: dict[type, Callable[[Any, Path, Path, Path], History]] = {
    ReleasesSpec: history_of_releases,
    GitSpec: history_of_git,
    NpmSpec: history_of_releases,
    ImageSpec: history_of_image,
}
