"""An index with two releases of `parcel`, the only one that pip sees."""

from pathlib import Path

import pytest
from parcel_index import FILES, Index, pack

from ssr.repository.build import make_snapshot
from ssr.repository.listing import PinnedRelease, ReleasesSpec
from ssr.repository.snapshot import Snapshot
from wheelhouse import fill_wheelhouse, no_index


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    return make_index(tmp_path, monkeypatch)


def make_index(root: Path, patch: pytest.MonkeyPatch) -> Index:
    """An index below a folder, and `small.txt` with one requirement beside the list."""
    folder, list_folder = root / "index", root / "list"
    no_index(patch, folder)
    list_folder.mkdir()
    (list_folder / "small.txt").write_text(fill_wheelhouse(folder, ("iniconfig",)))
    releases = []
    for version, extra in (("1.0", b""), ("1.1", b"\n\ndef count(things):\n    return len(things)\n")):
        files = FILES | {"parcel.py": FILES["parcel.py"] + extra}
        name = f"parcel-{version}.tar.gz"
        releases.append(PinnedRelease(version=version, file=name, sha256=pack(folder / name, files)))
    spec = ReleasesSpec(
        name="parcel",
        kind="releases",
        licence="MIT",
        environment=Path("small.txt"),
        package="parcel",
        releases=tuple(releases),
    )
    return Index(folder, list_folder, spec)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The snapshot of both releases; tests leave it as it is."""
    root = tmp_path_factory.mktemp("parcel")
    with pytest.MonkeyPatch.context() as patch:
        index = make_index(root, patch)
        return make_snapshot(index.spec, index.list_folder, root / "out")
