"""What a Python project says that it and its tests need; files are read, never executed."""

import ast
import configparser
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

TEST_GROUPS = ("test", "tests", "testing", "pytest", "unittest", "unit")
OTHER_GROUPS = ("dev", "develop", "development")
"""Read where a project has no group for its tests."""
FILES = ("requirements.txt", "*test*requirements*.txt", "requirements*test*.txt", "requirements/*test*.txt")
OTHER_FILES = ("*requirements*dev*.txt", "dev*requirements*.txt", "requirements/dev*.txt")
NEVER = frozenset({
    "pip", "setuptools", "wheel", "tox", "nox", "pre-commit", "build", "twine", "black", "ruff", "flake8",
    "mypy", "asv", "pytest-randomly",
})  # fmt: skip
"""Tools around a project that no test imports, and what shuffles tests at random."""


def own_names(folder: Path, name: str) -> frozenset[str]:
    """Canonical names that the project's own package may have: what it says, and what its folder is called."""
    return frozenset({canonicalize_name(_own_name(folder) or name), canonicalize_name(name)})


def declared(folder: Path, name: str) -> dict[str, Requirement]:
    """Requirements by canonical name, `pytest` among them, the project's own package left out.

    Where several files name one package, the first that bounds its version counts. What is not for this interpreter or
    system is left out.
    """
    found: dict[str, Requirement] = {}
    left_out = own_names(folder, name) | NEVER
    for text in [*_texts(folder), "pytest"]:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        key = canonicalize_name(requirement.name)
        if key in left_out or requirement.url or not _is_for_here(requirement):
            continue
        if key not in found or (not found[key].specifier and requirement.specifier):
            requirement.marker = None
            found[key] = requirement
    return found


def _is_for_here(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def _texts(folder: Path) -> Iterator[str]:
    project = _toml(folder / "pyproject.toml")
    yield from _of_project(project)
    yield from _of_setup_cfg(folder / "setup.cfg")
    yield from _of_setup_py(folder / "setup.py")
    files = list(_matching(folder, FILES)) or list(_matching(folder, OTHER_FILES))
    for path in dict.fromkeys(files):
        yield from _of_file(path, set())


def _own_name(folder: Path) -> str:
    project = _toml(folder / "pyproject.toml")
    poetry = project.get("tool", {}).get("poetry", {})
    return str(project.get("project", {}).get("name") or poetry.get("name") or "")


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(errors="replace")) if path.is_file() else {}
    except tomllib.TOMLDecodeError:
        return {}


def _of_project(project: Mapping[str, Any]) -> Iterator[str]:
    table = project.get("project", {})
    yield from table.get("dependencies", [])
    yield from _chosen(table.get("optional-dependencies", {}))
    groups = project.get("dependency-groups", {})
    yield from (word for word in _chosen({name: _group(groups, name) for name in groups}))
    poetry = project.get("tool", {}).get("poetry", {})
    poetry_groups = {name: group.get("dependencies", {}) for name, group in poetry.get("group", {}).items()}
    poetry_groups |= {"dev": poetry["dev-dependencies"]} if "dev-dependencies" in poetry else {}
    for table in (poetry.get("dependencies", {}), *_chosen_tables(poetry_groups)):
        yield from (name for name, value in table.items() if name != "python" and not _optional(value))


def _group(groups: Mapping[str, Any], name: str, above: tuple[str, ...] = ()) -> list[str]:
    """A dependency group with those that it includes (PEP 735)."""
    found: list[str] = []
    for entry in groups.get(name, []):
        if isinstance(entry, str):
            found.append(entry)
        elif isinstance(entry, dict) and (other := entry.get("include-group")) and other not in above:
            found += _group(groups, other, (*above, name))
    return found


def _optional(value: object) -> bool:
    return isinstance(value, dict) and bool(value.get("optional"))


def _chosen(groups: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for group in _chosen_tables(groups):
        yield from group


def _chosen_tables(groups: Mapping[str, Any]) -> list[Any]:
    """The groups for tests, or, without any, those for development."""
    for names in (TEST_GROUPS, OTHER_GROUPS):
        if found := [group for name, group in groups.items() if name.lower() in names]:
            return found
    return []


def _of_setup_cfg(path: Path) -> Iterator[str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(errors="replace") if path.is_file() else "")
    except configparser.Error:
        return
    for key in ("install_requires", "tests_require"):
        yield from _lines(parser.get("options", key, fallback=""))
    section = "options.extras_require"
    extras = {key: _lines(parser.get(section, key)) for key in parser.options(section)} if section in parser else {}
    yield from _chosen(extras)


def _of_setup_py(path: Path) -> Iterator[str]:
    """Literal lists that are given to `setup()`; anything that is computed is not seen."""
    try:
        tree = ast.parse(path.read_text(errors="replace") if path.is_file() else "")
    except (SyntaxError, ValueError):
        return
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        values = {word.arg: _literal(word.value) for word in call.keywords if word.arg}
        for key in ("install_requires", "tests_require"):
            value = values.get(key)
            yield from (word for word in value if isinstance(word, str)) if isinstance(value, list | tuple) else ()
        extras = values.get("extras_require")
        yield from _chosen(extras) if isinstance(extras, dict) else ()


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return None


def _matching(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    return (path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file())


def _of_file(path: Path, seen: set[Path]) -> Iterator[str]:
    """A requirements file with those that it names by `-r`."""
    if path in seen or not path.is_file():
        return
    seen.add(path)
    for line in _lines(path.read_text(errors="replace").replace("\\\n", " ")):
        if other := re.match(r"(?:-r|--requirement)[ =]?\s*(\S+)", line):
            yield from _of_file(path.parent / other.group(1), seen)
        elif not line.startswith("-"):
            yield re.split(r"\s--hash", line)[0]


def _lines(text: str) -> list[str]:
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line]
