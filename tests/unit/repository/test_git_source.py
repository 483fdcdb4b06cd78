"""Snapshots from a git repository and a commit."""

from pathlib import Path

import pytest

from pocket_project import write_repository
from ssr.errors import MissingRelease, NoTests
from ssr.repository.build import make_snapshot
from ssr.repository.git import git
from ssr.repository.listing import GitSpec


@pytest.fixture
def spec(tmp_path: Path) -> GitSpec:
    """The middle one of the project's three commits; nothing is installed for it."""
    (tmp_path / "none.json").write_text('{"lockfileVersion": 3, "packages": {"": {}}}')
    commits = write_repository(tmp_path)
    return GitSpec(
        name="pocket",
        kind="git",
        licence="MIT",
        environment=Path("none.json"),
        source="pocket.git",
        commit=commits[1],
    )


def test_nothing_later_than_the_commit_is_taken_over(spec: GitSpec, tmp_path: Path) -> None:
    git("tag", "later", "main", cwd=tmp_path / "pocket.git")
    later = git("rev-parse", "main", "main:pocket/store.py", cwd=tmp_path / "pocket.git").split()
    snapshot = make_snapshot(spec, tmp_path, tmp_path / "out")
    assert snapshot.head == spec.commit
    assert git("log", "--all", "--format=%s", cwd=snapshot.tree).splitlines() == [
        "Mean of nothing; shorten",
        "Numbers and text",
    ]
    assert not (snapshot.tree / "pocket" / "store.py").exists()
    objects = git("cat-file", "--batch-all-objects", "--batch-check", cwd=snapshot.tree)
    assert not any(name in objects for name in later)


def test_bundle_does_not_depend_on_later_history(spec: GitSpec, tmp_path: Path) -> None:
    first = make_snapshot(spec, tmp_path, tmp_path / "a")
    git("update-ref", "refs/heads/main", spec.commit, cwd=tmp_path / "pocket.git")
    second = make_snapshot(spec, tmp_path, tmp_path / "b")
    assert (first.root / "source.bundle").read_bytes() == (second.root / "source.bundle").read_bytes()


@pytest.mark.parametrize("change", [{"commit": "0" * 40}, {"source": "nowhere.git"}])
def test_commit_or_source_that_does_not_exist(spec: GitSpec, tmp_path: Path, change: dict[str, str]) -> None:
    with pytest.raises(MissingRelease, match="correct `source` or `commit`"):
        make_snapshot(spec.model_copy(update=change), tmp_path, tmp_path / "made" / "out")
    assert list((tmp_path / "made").iterdir()) == []


def test_head_without_tests(spec: GitSpec, tmp_path: Path) -> None:
    with pytest.raises(NoTests, match="check_"):
        make_snapshot(spec.model_copy(update={"tests": ("check_*.py",)}), tmp_path, tmp_path / "out")


def test_relative_paths_are_those_of_the_current_folder(
    spec: GitSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    snapshot = make_snapshot(spec, Path("."), Path("made/out"))
    assert snapshot.head == spec.commit
    assert (tmp_path / "made" / "out" / "manifest.json").is_file()
