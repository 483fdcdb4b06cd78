"""Which source files of this package a module needs, and a digest of what they do: a changed one makes results anew."""

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ssr.remembered import Remembered

ROOT = Path(__file__).parent
NOT_COUNTED = ("ssr.config", "ssr.errors", "ssr.code", "ssr.remembered")
"""A scale's values and digests are dependencies by themselves, and no result holds the text of an error."""

OTHERWISE_NAMED = {"yaml": "pyyaml"}
"""Distributions that are not named as what is imported of them."""

REMEMBERED = Remembered(__file__)
"""What files said: to parse them all would cost every start of snakemake a second."""


class Facts(NamedTuple):
    """What the text of a module names, wherever it lies."""

    imports: list[tuple[str, str]]
    """Each module that it imports, and what of it; nothing for the module itself."""
    names: list[str]
    """What it says that could be the name of a file or of a folder."""


def code_digest(modules: Iterable[str], alone: Iterable[str] = ()) -> str:
    """16 hexadecimal digits for what some modules and all that they import say; of those in `alone` only themselves.

    Comments, docstrings, layout and imports for type checkers do not count. A text that lies beside a module and that
    the module names counts with it; the prompts do not, since episodes hold them.
    """
    names = sorted({*(name for module in modules for name in needed(module)), *alone})
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{name} {_read(name)[1]}\n".encode())
    REMEMBERED.keep()
    return digest.hexdigest()[:16]


def lock_digest(modules: Iterable[str], lock: Path) -> str:
    """16 hexadecimal digits for the lines of a lock that pin what some modules, and those they import, need.

    A distribution that is not installed, or that the lock does not hold, says nothing.
    """
    pins = _pins(lock.read_text())
    own = {name for module in modules for part in needed(module) for name in _read(part)[2]}
    needs = {name for imported in own for name in _distributions_of(imported)}
    text = "".join(pins.get(name, "") for name in sorted(needs))
    REMEMBERED.keep()
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def needed(module: str) -> frozenset[str]:
    """A module and all modules of this package that importing and calling it needs, by name."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _read(name)[0]
    return frozenset(found)


def source_of(module: str) -> Path | None:
    """The file of a module of this package; None for the name of something else."""
    path = ROOT.parent.joinpath(*module.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


@cache
def _read(module: str) -> tuple[tuple[str, ...], str, frozenset[str]]:
    """What a module imports of this package, a digest of what it says, and the other packages that it imports."""
    path = source_of(module)
    if path is None:
        raise ValueError(f"this package has no module {module!r}")
    text = path.read_bytes()
    facts = Facts(*REMEMBERED.value(lambda: _facts(_tree(text)), b"facts", text))
    beside = [file.read_bytes() for file in _texts_beside(path, set(facts.names))]
    digest = REMEMBERED.value(lambda: _digest(_tree(text), beside), b"digest", text, *beside)
    others = {name.partition(".")[0] for name, _ in facts.imports}
    return tuple(sorted(set(_own(facts.imports)))), digest, frozenset(others)


def _tree(text: bytes) -> ast.Module:
    """What a module says, without what changes no result."""
    tree = ast.parse(text)
    for node in list(ast.walk(tree)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.If):
            node.body = [part for part in node.body if not _says_nothing(part)] or [ast.Pass()]
    return tree


def _digest(tree: ast.Module, beside: Iterable[bytes]) -> str:
    digest = hashlib.sha256(ast.dump(tree).encode())
    for text in beside:
        digest.update(text)
    return digest.hexdigest()


def _says_nothing(node: ast.stmt) -> bool:
    """Whether a statement is a docstring, or is for type checkers only."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _facts(tree: ast.Module) -> Facts:
    facts = Facts([], [])
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            facts.imports.extend((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            facts.imports.extend((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[\w.-]+", node.value):
            facts.names.append(node.value)
    return facts


def _own(imports: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The modules of this package among those that are imported."""
    for module, name in imports:
        if _counts(module):
            member = f"{module}.{name}"
            yield member if name and source_of(member) else module


def _counts(module: str) -> bool:
    own = module == "ssr" or module.startswith("ssr.")
    return own and not any(module == name or module.startswith(f"{name}.") for name in NOT_COUNTED)


def _texts_beside(path: Path, names: set[str]) -> list[Path]:
    beside = [entry for entry in path.parent.iterdir() if entry.name in names and entry.name != "prompts"]
    files = [file for entry in beside for file in ([entry] if entry.is_file() else entry.rglob("*"))]
    return sorted(file for file in files if file.is_file() and "__pycache__" not in file.parts)


@cache
def _distributions_of(imported: str) -> frozenset[str]:
    """The distributions that an import needs, with all that they require."""
    found: set[str] = set()
    waiting = [OTHERWISE_NAMED.get(imported, imported)]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found and name != "ssr":
            found.add(name)
            waiting += _required_by(name)
    return frozenset(found)


@cache
def _required_by(name: str) -> list[str]:
    """What a distribution requires here without any extra."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return []
    about = found.read_text("METADATA") or ""
    here = json.dumps(default_environment(), sort_keys=True)
    return REMEMBERED.value(lambda: _names(found.requires or ()), b"requires", here.encode(), about.encode())


def _names(requirements: Iterable[str]) -> list[str]:
    wanted = [Requirement(text) for text in requirements]
    return [one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]


@cache
def _pins(lock: str) -> dict[str, str]:
    """Distribution -> its lines in a lock."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    return {canonicalize_name(re.split(r"[=\[ ]", block)[0]): block for block in blocks if block[:1].isalnum()}
