"""What is taken in from a path or an address, and what is read of it: never executed."""

import tarfile
from pathlib import Path

import pytest
from player import write_project

from ssr.errors import ConfigError, MissingRelease
from ssr.play.declared import declared
from ssr.play.place import REPOSITORY, name_of, take_in
from ssr.play.survey import TESTS, is_test, look_at
from ssr.repository.git import git


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "pocket")


def files_of(out: Path) -> list[str]:
    return git("ls-tree", "-r", "--name-only", "main", cwd=out / REPOSITORY).split()


def test_a_repository_is_taken_with_its_history_but_not_what_is_not_committed(project: Path, tmp_path: Path) -> None:
    (project / "pocket" / "text.py").write_text("")
    place = take_in(str(project), "", tmp_path / "out")
    assert (place.name, place.commits) == ("pocket", 3)
    assert place.notes == ("changes that are not committed are left out",)
    assert git("show", "main:pocket/text.py", cwd=tmp_path / "out" / REPOSITORY) != ""


@pytest.mark.parametrize("at", ["v1", "HEAD~1", "commit"])
def test_an_earlier_state_can_be_named(project: Path, tmp_path: Path, at: str) -> None:
    git("tag", "v1", "HEAD~1", cwd=project)
    commit = git("rev-parse", "HEAD~1", cwd=project).strip()
    if at == "HEAD~1":
        with pytest.raises(MissingRelease, match="ls-remote"):
            take_in(str(project), at, tmp_path / "out")
        return
    assert take_in(str(project), commit if at == "commit" else at, tmp_path / "out").commit == commit


def test_an_address_is_fetched_at_its_head(project: Path, tmp_path: Path) -> None:
    place = take_in(f"file://{project}", "", tmp_path / "out")
    assert (place.name, place.said, place.commits) == ("pocket", f"file://{project}", 3)


def test_a_folder_without_history_is_one_commit_without_what_was_installed_in_it(project: Path, tmp_path: Path) -> None:
    (project / ".git").rename(tmp_path / "history")
    (project / ".venv" / "lib").mkdir(parents=True)
    (project / ".venv" / "lib" / "test_x.py").touch()
    place = take_in(str(project), "", tmp_path / "out")
    assert place.commits == 1 and "no history" in place.notes[0]
    assert "pocket/text.py" in files_of(tmp_path / "out")
    assert not any(name.startswith(".venv") for name in files_of(tmp_path / "out"))


def test_a_source_distribution_is_one_commit(project: Path, tmp_path: Path) -> None:
    archive = tmp_path / "pocket-1.2.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(project / "pocket", "pocket-1.2/pocket")
        file.add(project / "tests", "pocket-1.2/tests")
    place = take_in(str(archive), "", tmp_path / "out")
    assert (place.name, place.said, place.commits) == ("pocket", "pocket-1.2.tar.gz", 1)
    assert "tests/test_text.py" in files_of(tmp_path / "out")


def test_a_shallow_clone_is_taken_without_its_history(project: Path, tmp_path: Path) -> None:
    git("clone", "-q", "--depth", "1", f"file://{project}", "shallow", cwd=tmp_path)
    assert take_in(str(tmp_path / "shallow"), "", tmp_path / "out").commits == 1


def test_what_is_of_no_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder, no source distribution"):
        take_in(str(tmp_path / "nothing"), "", tmp_path / "out")
    with pytest.raises(MissingRelease, match="cannot be reached"):
        take_in(f"file://{tmp_path}/nothing", "", tmp_path / "out")


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("networkx-3.6.1.tar.gz", "networkx"),
        ("https://host/group/My_Project.git", "my-project"),
        ("git@host:group/tool.git", "tool"),
        ("2to3", "repository-2to3"),
    ],
)
def test_a_snapshot_is_named_after_the_project(said: str, name: str) -> None:
    assert name_of(said) == name


def test_a_survey_counts_lines_and_tests_and_finds_the_licence_and_the_code(project: Path) -> None:
    (project / "src" / "more").mkdir(parents=True)
    (project / "src" / "more" / "__init__.py").write_text("x = 1\n")
    (project / "LICENSE").write_text("Permission is hereby granted, free of charge, to any person")
    (project / "fast.pyx").write_text("")
    seen = look_at(project, "pocket")
    assert seen.language == "Python" and len(seen.tests) == 3 and seen.licence == "MIT"
    assert seen.import_paths == ("src", ".") and seen.compiled == ("fast.pyx",)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/test_text.py", True), ("pkg/tests/data.py", False), ("test_data/foo.py", False),
        ("src/parser.test.ts", True), ("lib/test/parse.js", True), ("pkg/latest.py", False),
        ("src/main/FooTest.java", True), ("pkg/thing_test.go", True),
    ],
)  # fmt: skip
def test_test_files_are_known_by_name_in_several_languages(path: str, expected: bool) -> None:
    assert is_test(path, TESTS) is expected


DECLARATIONS = {
    "pyproject.toml": """
[project]
name = "mine"
dependencies = ["alpha>=1", "mine", "windows-only; sys_platform == 'win32'"]
[project.optional-dependencies]
test = ["beta", "mine[extra]"]
docs = ["sphinx"]
[dependency-groups]
test = ["gamma", {include-group = "more"}]
more = ["delta"]
[tool.poetry.dependencies]
python = "^3.11"
epsilon = "^2"
never = {version = "1", optional = true}
""",
    "setup.cfg": "[options]\ninstall_requires =\n    zeta\n[options.extras_require]\ntesting =\n    eta\n",
    "setup.py": "from setuptools import setup\nsetup(install_requires=['theta'], extras_require={'test': ['iota']})\n",
    "requirements-test.txt": "-r base.txt\nkappa==1  # pinned\n-e .\nhttps://host/x.whl\nruff\n",
    "base.txt": "lambda-package\n",
}


def test_what_tests_need_is_read_from_every_place_where_projects_say_it(tmp_path: Path) -> None:
    for name, text in DECLARATIONS.items():
        (tmp_path / name).write_text(text)
    greek = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda-package"]
    assert sorted(declared(tmp_path, "folder")) == sorted([*greek, "pytest"])
    assert str(declared(tmp_path, "folder")["kappa"]) == "kappa==1"


def test_nothing_of_a_project_is_executed_to_read_it(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w')\nsetup(install_requires=['a', 'b'])\n")
    assert set(declared(tmp_path, "x")) == {"a", "b", "pytest"} and not (tmp_path / "trace").exists()


def test_a_project_that_says_nothing_gets_pytest(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("not toml [")
    (tmp_path / "setup.py").write_text("def broken(:")
    assert set(declared(tmp_path, "x")) == {"pytest"}
