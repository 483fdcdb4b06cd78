"""Snapshots from an npm registry, with the real npm."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from npm_registry import PARCEL, Npm, npm_of, served

from ssr.errors import ConfigError, DigestMismatch, InstallFailed, MissingRelease, NoTests, RepositoryError, SSRError
from ssr.repository.build import make_snapshot
from ssr.repository.git import git
from ssr.repository.listing import GitSpec, NpmSpec
from ssr.repository.snapshot import Snapshot, read_manifest

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
TRACE = Path("/tmp/ssr-npm-script-ran")


@pytest.fixture
def npm(tmp_path: Path) -> Iterator[Npm]:
    with offered(tmp_path) as npm:
        yield npm


@contextmanager
def offered(folder: Path) -> Iterator[Npm]:
    """A registry that npm asks, and a list beside its cache."""
    (folder / "list").mkdir()
    with served() as registry, pytest.MonkeyPatch.context() as patch:
        patch.setenv("npm_config_registry", registry.address)
        patch.setenv("npm_config_cache", str(folder / "cache"))
        patch.setenv("npm_config_userconfig", str(folder / "npmrc"))
        patch.setenv("npm_config_fetch_retries", "0")
        yield npm_of(registry, folder / "list")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The snapshot of one version; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("parcel")
    with offered(folder) as npm:
        return make(npm, folder / "a", npm.one)


def make(npm: Npm, out: Path, spec: NpmSpec | None = None) -> Snapshot:
    return make_snapshot(spec or npm.spec, npm.list_folder, out)


def refused(npm: Npm, spec: NpmSpec, error: type[SSRError], words: str, tmp_path: Path) -> None:
    """Making it must fail with this error and leave nothing behind."""
    with pytest.raises(error, match=words):
        make(npm, tmp_path / "snapshots" / "parcel", spec)
    assert list((tmp_path / "snapshots").iterdir()) == []


@needs_npm
def test_one_commit_a_version_and_an_environment_beside(npm: Npm, tmp_path: Path) -> None:
    snapshot = make(npm, tmp_path / "out")
    log = git("log", "--reverse", "--format=%s %an %ad", "--date=short", cwd=snapshot.tree).splitlines()
    assert log == ["@own/parcel 1.0.0 ssr 2000-01-01", "@own/parcel 1.1.0 ssr 2000-01-02"]
    first, second = (release.commit for release in snapshot.releases)
    assert set(git("diff", "--name-only", first, second, cwd=snapshot.tree).split()) == {"index.js", "package.json"}
    assert set(git("ls-files", cwd=snapshot.tree).split()) == {*PARCEL, "package.json"}
    assert (snapshot.tree / "windows.txt").read_bytes() == b"one\r\ntwo\r\n"
    assert snapshot.variables == (("NODE_PATH", "/environment/node_modules"),)
    modules = snapshot.environment / "node_modules"
    assert {path.name for path in modules.iterdir()} == {".bin", "weigher"}
    assert (snapshot.environment / "bin" / "weigher").read_text().startswith("#!/usr/bin/env node")
    ran = subprocess.run(
        ["node", "test/weigh.js"], cwd=snapshot.tree, env={"NODE_PATH": str(modules), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert ran.stdout == "ok\n", ran.stderr
    assert not TRACE.exists(), "an install script ran"
    snapshot.verify()


@needs_npm
def test_same_inputs_same_bytes_and_no_trace_of_the_registry(made: Snapshot, npm: Npm, tmp_path: Path) -> None:
    again = make(npm, tmp_path / "elsewhere" / "b", npm.one)
    for name in ("source.bundle", "manifest.json", "environment.json"):
        assert (again.root / name).read_bytes() == (made.root / name).read_bytes()
    texts = [path.read_bytes() for path in again.root.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert not any(b"127.0.0.1" in text for text in texts)


@needs_npm
def test_a_damaged_environment_is_noticed(made: Snapshot, tmp_path: Path) -> None:
    snapshot = Snapshot.load(shutil.copytree(made.root, tmp_path / "out", symlinks=True))
    (snapshot.environment / "node_modules" / "weigher" / "index.js").write_text("")
    with pytest.raises(DigestMismatch, match="environment"):
        snapshot.verify()


@needs_npm
def test_other_bytes_than_pinned(npm: Npm, tmp_path: Path) -> None:
    wrong = npm.spec.releases[1].model_copy(update={"sha256": "0" * 64})
    refused(npm, npm.pinned(wrong), DigestMismatch, "find out why it changed", tmp_path)


@needs_npm
def test_other_bytes_than_the_registry_announces(npm: Npm, tmp_path: Path) -> None:
    npm.registry.archives["own-parcel-1.0.0.tgz"] += b"more"
    refused(npm, npm.one, DigestMismatch, "announces", tmp_path)


@needs_npm
@pytest.mark.parametrize("change", [{"package": "absent"}, {"version": "7.0.0"}, {"file": "parcel-1.0.0.tgz"}])
def test_version_or_package_or_file_that_does_not_exist(npm: Npm, tmp_path: Path, change: dict[str, str]) -> None:
    release = npm.spec.releases[0].model_copy(update=change)
    spec = npm.pinned(release).model_copy(update={key: change[key] for key in change if key == "package"})
    refused(npm, spec, MissingRelease, "correct", tmp_path)


@needs_npm
def test_what_was_built_from_the_code_is_left_out(npm: Npm, tmp_path: Path) -> None:
    npm.write({"lockfileVersion": 3, "packages": {"": {}}})
    release = npm.release("4.0.0", PARCEL | {"dist/parcel.js": PARCEL["index.js"], "lib/dist.js": b""})
    spec = npm.pinned(release).model_copy(update={"built": ("dist", "*.min.js")})
    tree = make(npm, tmp_path / "out", spec).tree
    assert set(git("ls-files", cwd=tree).split()) == {*PARCEL, "package.json", "lib/dist.js"}


@needs_npm
def test_version_without_tests(npm: Npm, tmp_path: Path) -> None:
    bare = npm.release("2.0.0", {"index.js": PARCEL["index.js"]})
    refused(npm, npm.pinned(bare), NoTests, r"parcel 2\.0\.0", tmp_path)


@needs_npm
def test_version_that_leads_out_of_its_folder(npm: Npm, tmp_path: Path) -> None:
    escaping = npm.release("3.0.0", PARCEL | {"../../escaped.js": b""})
    refused(npm, npm.pinned(escaping), RepositoryError, r"parcel-3\.0\.0", tmp_path)
    assert not list(tmp_path.rglob("escaped.js"))


@needs_npm
def test_a_registry_that_cannot_be_reached(npm: Npm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    refused(npm, npm.one, RepositoryError, "npm could not fetch", tmp_path)


@needs_npm
def test_environment_with_another_digest(npm: Npm, tmp_path: Path) -> None:
    npm.lock(integrity=f"sha512-{'A' * 86}==")
    refused(npm, npm.one, InstallFailed, "EINTEGRITY", tmp_path)


@needs_npm
def test_environment_without_a_digest(npm: Npm, tmp_path: Path) -> None:
    npm.lock(integrity="")
    refused(npm, npm.one, InstallFailed, "node_modules/weigher without a digest", tmp_path)


@needs_npm
def test_environment_that_would_install_the_repository_itself(npm: Npm, tmp_path: Path) -> None:
    packages = {"": {}, "node_modules/weigher/node_modules/@own/parcel": {"version": "1.0.0", "integrity": "sha512-x"}}
    npm.write({"lockfileVersion": 3, "packages": packages})
    refused(npm, npm.one, InstallFailed, "under test", tmp_path)


@needs_npm
def test_environment_that_is_no_lock(npm: Npm, tmp_path: Path) -> None:
    npm.write({"lockfileVersion": 1, "dependencies": {}})
    refused(npm, npm.one, InstallFailed, "package-lock", tmp_path)
    other = npm.one.model_copy(update={"environment": Path("lock.toml")})
    (npm.list_folder / "lock.toml").write_text("")
    refused(npm, other, ConfigError, r"\.json", tmp_path)


def test_a_machine_without_npm_says_what_to_install(npm: Npm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    git_program = shutil.which("git")
    assert git_program is not None
    (programs / "git").symlink_to(git_program)
    monkeypatch.setenv("PATH", str(programs))
    refused(npm, npm.one, InstallFailed, "apt install nodejs npm", tmp_path)


def test_a_git_repository_without_dependencies_needs_no_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "sum.test.js").write_text("")
    git("init", "-q", "-b", "main", cwd=source)
    git("add", ".", cwd=source)
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "One", cwd=source)
    (tmp_path / "none.json").write_text('{"lockfileVersion": 3, "packages": {"": {}}}')
    commit = git("rev-parse", "HEAD", cwd=source).strip()
    spec = GitSpec(
        name="sums", kind="git", licence="MIT", environment=Path("none.json"), source="source", commit=commit,
        tests=("*.test.js",),
    )  # fmt: skip
    monkeypatch.setattr("ssr.repository.npm._npm", lambda *arguments: pytest.fail("npm was asked"))
    snapshot = make_snapshot(spec, tmp_path, tmp_path / "out")
    assert list(snapshot.environment.iterdir()) == []
    assert read_manifest(snapshot.root).requirements == "environment.json"
    snapshot.verify()
