"""Snapshots from releases on a package index."""

import shutil
from pathlib import Path

import pytest
from parcel_index import FILES, Index

from ssr.errors import ConfigError, DigestMismatch, InstallFailed, MissingRelease, NoTests, RepositoryError, SSRError
from ssr.repository.build import make_snapshot
from ssr.repository.git import git
from ssr.repository.listing import ReleasesSpec
from ssr.repository.snapshot import Snapshot


def make(index: Index, out: Path, spec: ReleasesSpec | None = None) -> Snapshot:
    return make_snapshot(spec or index.spec, index.list_folder, out)


def refused(index: Index, spec: ReleasesSpec, error: type[SSRError], words: str, tmp_path: Path) -> None:
    """Making it must fail with this error and leave nothing behind."""
    with pytest.raises(error, match=words):
        make(index, tmp_path / "snapshots" / "parcel", spec)
    assert list((tmp_path / "snapshots").iterdir()) == []


def test_one_commit_a_release_in_order(made: Snapshot) -> None:
    log = git("log", "--reverse", "--format=%H %s %an %ad %cd", "--date=short", cwd=made.tree).splitlines()
    first, second = (release.commit for release in made.releases)
    assert log == [
        f"{first} parcel 1.0 ssr 2000-01-01 2000-01-01",
        f"{second} parcel 1.1 ssr 2000-01-02 2000-01-02",
    ]
    assert [release.version for release in made.releases] == ["1.0", "1.1"]
    assert made.head == second
    assert git("diff", "--name-only", first, second, cwd=made.tree).split() == ["parcel.py"]


def test_bytes_stay_packaging_goes_modes_are_normal(made: Snapshot) -> None:
    tree = made.tree
    packaging = {"PKG-INFO", "parcel.egg-info/PKG-INFO", "__pycache__/parcel.cpython-38.pyc"}
    listed = [line.split() for line in git("ls-files", "--stage", cwd=tree).splitlines()]
    modes = {name: mode for mode, _, _, name in listed}
    assert set(modes) == set(FILES) - packaging
    assert {name for name, mode in modes.items() if mode == "100755"} == {"tool.sh"}
    assert (tree / "windows.txt").read_bytes() == b"one\r\ntwo\r\n"
    assert not (tree / "PKG-INFO").exists()


def test_same_inputs_same_bytes(made: Snapshot, index: Index, tmp_path: Path) -> None:
    again = make(index, tmp_path / "elsewhere" / "b")
    for name in ("source.bundle", "manifest.json", "environment.txt"):
        assert (again.root / name).read_bytes() == (made.root / name).read_bytes()


def test_other_bytes_than_pinned(index: Index, tmp_path: Path) -> None:
    wrong = index.spec.releases[1].model_copy(update={"sha256": "0" * 64})
    refused(index, index.pinned(wrong), DigestMismatch, "parcel-1.1.tar.gz", tmp_path)


def test_release_that_does_not_exist(index: Index, tmp_path: Path) -> None:
    gone = index.spec.releases[1].model_copy(update={"version": "7.0", "file": "parcel-7.0.tar.gz"})
    refused(index, index.pinned(gone), MissingRelease, r"parcel 7\.0", tmp_path)


def test_release_with_another_file_name(index: Index, tmp_path: Path) -> None:
    other = index.spec.releases[1].model_copy(update={"file": "parcel-1.1.tgz"})
    refused(index, index.pinned(other), MissingRelease, "correct `file`", tmp_path)


def test_release_without_tests(index: Index, tmp_path: Path) -> None:
    bare = index.release("2.0", {name: FILES[name] for name in ("parcel.py", "setup.py")})
    refused(index, index.pinned(bare), NoTests, r"parcel 2\.0", tmp_path)


def test_release_that_leads_out_of_its_folder(index: Index, tmp_path: Path) -> None:
    escaping = index.release("3.0", FILES | {"../../escaped.py": b""})
    refused(index, index.pinned(escaping), RepositoryError, r"parcel-3\.0", tmp_path)
    assert not list(tmp_path.rglob("escaped.py"))


def test_environment_with_a_wrong_hash(index: Index, tmp_path: Path) -> None:
    requirements = index.list_folder / "small.txt"
    requirements.write_text(requirements.read_text().split("sha256:")[0] + "sha256:" + "0" * 64 + "\n")
    refused(index, index.pinned(index.spec.releases[0]), InstallFailed, "environment.txt", tmp_path)


def test_environment_that_would_install_the_repository_itself(index: Index, tmp_path: Path) -> None:
    with (index.list_folder / "small.txt").open("a") as file:
        file.write(f"Parcel==1.1 --hash=sha256:{index.spec.releases[1].sha256}\n")
    refused(index, index.pinned(index.spec.releases[0]), InstallFailed, "under test", tmp_path)


def test_missing_environment(index: Index, tmp_path: Path) -> None:
    spec = index.spec.model_copy(update={"environment": Path("absent.txt")})
    refused(index, spec, ConfigError, "absent.txt", tmp_path)


def test_failure_leaves_the_snapshot_that_was_there(made: Snapshot, index: Index, tmp_path: Path) -> None:
    before = Snapshot.load(shutil.copytree(made.root, tmp_path / "out", symlinks=True))
    wrong = index.spec.releases[1].model_copy(update={"sha256": "0" * 64})
    with pytest.raises(DigestMismatch):
        make(index, tmp_path / "out", index.pinned(wrong))
    assert Snapshot.load(before.root) == before
    before.verify()
