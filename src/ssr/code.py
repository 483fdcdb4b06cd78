"""Which source files of this package a module needs, and a digest of what they do: a changed one makes results anew."""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent
NOT_COUNTED = ("ssr.config", "ssr.errors")
"""A scale's values are dependencies by themselves, and no result holds the text of an error."""

OTHERWISE_NAMED = {"yaml": "pyyaml"}
"""Distributions that are not named as what is imported of them."""


def code_digest(modules: Iterable[str], alone: Iterable[str] = ()) -> str:
    """16 hexadecimal digits for what some modules and all that they import say; of those in `alone` only themselves.

    Comments, docstrings, layout and imports for type checkers do not count. A text that lies beside a module and that
    the module names counts with it; the prompts do not, since episodes hold them.
    """
    names = sorted({*(name for module in modules for name in needed(module)), *alone})
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{name} {_read(name)[1]}\n".encode())
    return digest.hexdigest()[:16]


def lock_digest(modules: Iterable[str], lock: Path) -> str:
    """16 hexadecimal digits for the lines of a lock that pin what some modules, and those they import, need.

    A distribution that is not installed, or that the lock does not hold, says nothing.
    """
    pins = _pins(lock.read_text())
    own = {name for module in modules for part in needed(module) for name in _read(part)[2]}
    needs = {name for imported in own for name in _distributions_of(imported)}
    text = "".join(pins.get(name, "") for name in sorted(needs))
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
    tree = ast.parse(path.read_text())
    for node in list(ast.walk(tree)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.If):
            node.body = [part for part in node.body if not _says_nothing(part)] or [ast.Pass()]
    digest, nodes = hashlib.sha256(ast.dump(tree).encode()), list(ast.walk(tree))
    for text in _texts_beside(path, nodes):
        digest.update(text.read_bytes())
    return tuple(sorted(set(_imports(nodes)))), digest.hexdigest(), frozenset(_others(nodes))


def _says_nothing(node: ast.stmt) -> bool:
    """Whether a statement is a docstring, or is for type checkers only."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and _counts(node.module):
            members = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (member if source_of(member) else node.module for member in members)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _counts(alias.name))


def _others(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)


def _counts(module: str) -> bool:
    own = module == "ssr" or module.startswith("ssr.")
    return own and not any(module == name or module.startswith(f"{name}.") for name in NOT_COUNTED)


def _texts_beside(path: Path, nodes: Iterable[ast.AST]) -> list[Path]:
    named = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    beside = [entry for entry in path.parent.iterdir() if entry.name in named and entry.name != "prompts"]
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
def _required_by(distribution: str) -> list[str]:
    """What a distribution requires here without any extra."""
    try:
        wanted = [Requirement(text) for text in requires(distribution) or ()]
    except PackageNotFoundError:
        return []
    return [one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]


@cache
def _pins(lock: str) -> dict[str, str]:
    """Distribution -> its lines in a lock."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    return {canonicalize_name(re.split(r"[=\[ ]", block)[0]): block for block in blocks if block[:1].isalnum()}
