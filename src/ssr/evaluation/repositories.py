"""Snapshots of official problems: from a list of repositories, or from the problems' images, on bounded disk."""

import fcntl
import io
import re
import tarfile
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from docker.errors import APIError, ImageNotFound

from ssr.daemon import Daemon
from ssr.errors import EvaluationError, MissingRelease, SSRError
from ssr.evaluation.pro import GRADER_BUNDLE, solution_commits
from ssr.evaluation.problem import Problem
from ssr.files import written
from ssr.repository.build import make_snapshot
from ssr.repository.listing import ImageSpec, RepositorySpec, load_repositories
from ssr.repository.snapshot import Snapshot

GIGABYTE = 10**9
AHEAD = 2
"""Problems whose images are pulled before they are asked for."""
_SECONDS = 600
_BUNDLE = "/ssr-grader.bundle"
_TAKE_SOLUTION = rf"""
set -e
cd "$1"; shift; base=$1; shift
own() {{ git -c safe.directory='*' -c core.hooksPath=/dev/null "$@"; }}
number=0
for commit in "$@"; do number=$((number + 1)); own update-ref refs/ssr/grader/$number "$commit"; done
own bundle create -q {_BUNDLE} --glob=refs/ssr/grader/* "^$base"
"""


def snapshot_name(text: str) -> str:
    """An instance id or a repository as the name of an entry in a list: `sympy__sympy-24443` -> `sympy-sympy-24443`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


class ListedSnapshots:
    """Snapshots by the entries of a list, made where they are not there yet.

    A problem's entry is called like its instance, or like its repository (`sympy-sympy`), as `snapshot_name` says.
    """

    def __init__(self, listed: Path, folder: Path) -> None:
        self._listed, self._folder = listed, folder
        self._entries = load_repositories(listed)
        self._lock = threading.Lock()
        self._loaded: dict[str, Snapshot] = {}

    def of(self, problem: Problem) -> Snapshot:
        """The snapshot of a problem. Raises EvaluationError when the list has none, RepositoryError."""
        names = [snapshot_name(problem.instance_id), snapshot_name(problem.repo)]
        name = next((name for name in names if name in self._entries), None)
        if name is None:
            raise EvaluationError(f"{problem.instance_id}: {self._listed} lists neither {names[0]} nor {names[1]}")
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = made_once(self._entries[name], self._listed.parent, self._folder / name)
            return self._loaded[name]

    def release(self, problem: Problem) -> None:
        """Snapshots take no more room than their repositories: they stay."""

    def pinned(self, problem: Problem) -> Problem:
        """The problem as it is: its snapshot is pinned by the list."""
        return problem


class ImageSnapshots:
    """Snapshots of the problems' images on a Docker engine, with bounded disk. Safe to use from many threads.

    Images come as they are asked for, and those of the next problems ahead of that; over the bound those used longest
    ago are removed, but none that is in use.
    """

    def __init__(self, folder: Path, disk_gb: float, images: dict[str, str], host: str | None = None) -> None:
        """`images` names each instance's image, in the order of work. Raises SandboxError when no engine answers."""
        self._folder, self._images = folder, images
        self._bound = disk_gb * GIGABYTE
        self._daemon = Daemon(host)
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._sizes: OrderedDict[str, int] = OrderedDict()
        """By image, the one used longest ago first."""
        self._digests: dict[str, str] = {}
        self._users: dict[str, set[str]] = {}
        self._order = list(images)
        self._puller = ThreadPoolExecutor(1, "pull")

    def of(self, problem: Problem) -> Snapshot:
        """The snapshot of a problem's image, which stays until it is released. Raises MissingRelease or the like."""
        image = self._images[problem.instance_id]
        with self._guard:
            self._users.setdefault(image, set()).add(problem.instance_id)
            lock = self._locks.setdefault(image, threading.Lock())
        with lock:
            found = self._fetch(image)
            self._used(image, int(found["Size"]))
            self._digests[image] = next(iter(found.get("RepoDigests") or ()), image)
            self._pull_ahead(problem.instance_id)
            return self._snapshot(problem, str(found["Id"]))

    def release(self, problem: Problem) -> None:
        """The image may be removed when room is needed."""
        image = self._images[problem.instance_id]
        with self._guard:
            self._users.get(image, set()).discard(problem.instance_id)
        self._make_room()

    def pinned(self, problem: Problem) -> Problem:
        """A problem that was here, with its image by digest; an image that no registry knows keeps its name."""
        return problem.model_copy(update={"image": self._digests.get(self._images[problem.instance_id], problem.image)})

    def _pull_ahead(self, instance_id: str) -> None:
        """Pull the images of the next problems in the background, while there is room."""
        follows = self._order[self._order.index(instance_id) + 1 :][:AHEAD]
        for image in dict.fromkeys(self._images[name] for name in follows):
            if image not in self._sizes:
                self._puller.submit(self._pull_quietly, image)

    def _pull_quietly(self, image: str) -> None:
        with suppress(SSRError):  # who needs the image meets the failure, and says it
            if sum(self._sizes.values()) < self._bound:
                with self._guard:
                    lock = self._locks.setdefault(image, threading.Lock())
                with lock:
                    self._used(image, int(self._fetch(image)["Size"]))

    def _fetch(self, image: str) -> dict[str, Any]:
        api = self._daemon.api
        with self._daemon.errors(f"the image {image} cannot be had"):
            try:
                return dict(api.inspect_image(image))
            except ImageNotFound:
                pass
            try:
                api.pull(image)
                return dict(api.inspect_image(image))
            except APIError as error:
                raise MissingRelease(
                    f"the image {image} cannot be pulled: bring it to the engine at {self._daemon.host} (docker load), "
                    f"or name a list of `repositories` for its benchmark ({error.explanation})"
                ) from error

    def _used(self, image: str, size: int) -> None:
        with self._guard:
            self._sizes[image] = size
            self._sizes.move_to_end(image)
        self._make_room()

    def _make_room(self) -> None:
        """Remove the images that were used longest ago; the last one always stays."""
        with self._guard:
            free = [image for image in [*self._sizes][:-1] if not self._users.get(image)]
            while free and sum(self._sizes.values()) > self._bound:
                image = free.pop(0)
                del self._sizes[image]
                with self._daemon.errors(f"the image {image} cannot be removed"), suppress(APIError):
                    self._daemon.api.remove_image(image)

    def _snapshot(self, problem: Problem, image_id: str) -> Snapshot:
        name = snapshot_name(problem.instance_id)
        spec = ImageSpec(name=name, kind="image", licence="as its repository's", image=image_id)
        folder = self._folder / name
        if (folder / "manifest.json").exists() and Snapshot.load(folder).image != image_id:
            raise EvaluationError(f"{folder} was made from another image than {self._images[problem.instance_id]} is "
                                  "now: delete the folder")  # fmt: skip
        snapshot = made_once(spec, self._folder, folder)
        if (wanted := solution_commits(problem)) and not (folder / GRADER_BUNDLE).exists():
            with written(folder / GRADER_BUNDLE) as partial:
                partial.write_bytes(self._solution(snapshot, problem.base_commit, wanted))
        return snapshot

    def _solution(self, snapshot: Snapshot, base: str, commits: Sequence[str]) -> bytes:
        """The commits that the image keeps and its snapshot leaves out: the grader's own, as a bundle."""
        arguments = [snapshot.image_path, base, *commits]
        with (
            self._daemon.errors(f"{snapshot.name}: its image lacks the solution's tests"),
            self._daemon.workshop(snapshot.image, _TAKE_SOLUTION, arguments) as container,
        ):
            self._daemon.run(container, _SECONDS)
            chunks, _ = self._daemon.api.get_archive(container, _BUNDLE)
            with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                file = archive.extractfile(archive.next() or "")
                assert file
                return file.read()


def made_once(spec: RepositorySpec, list_folder: Path, folder: Path) -> Snapshot:
    """The snapshot in `folder`, made first where it is not there; two processes do not make it twice."""
    if not (folder / "manifest.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with open(folder.parent / f".{folder.name}.lock", "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "manifest.json").exists():
                return make_snapshot(spec, list_folder, folder)
    return Snapshot.load(folder)
