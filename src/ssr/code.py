"""Which source files of this package a module needs, and a digest of what they do: a changed one makes results anew."""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent
NOT_COUNTED = ("ssr.config", "ssr.errors")
"""A scale's values are dependencies by themselves, and no result holds the text of an error."""


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
def _read(module: str) -> tuple[tuple[str, ...], str]:
    """What a module imports of this package, and a digest of what it says."""
    path = source_of(module)
    if path is None:
        raise ValueError(f"this package has no module {module!r}")
    tree = ast.parse(path.read_text())
    for node in list(ast.walk(tree)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.If):
            node.body = [part for part in node.body if not _says_nothing(part)] or [ast.Pass()]
    digest = hashlib.sha256(ast.dump(tree).encode())
    for text in _texts_beside(path, tree):
        digest.update(text.read_bytes())
    return tuple(sorted(set(_imports(tree)))), digest.hexdigest()


def _says_nothing(node: ast.stmt) -> bool:
    """Whether a statement is a docstring, or is for type checkers only."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and _counts(node.module):
            members = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (member if source_of(member) else node.module for member in members)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _counts(alias.name))


def _counts(module: str) -> bool:
    own = module == "ssr" or module.startswith("ssr.")
    return own and not any(module == name or module.startswith(f"{name}.") for name in NOT_COUNTED)


def _texts_beside(path: Path, tree: ast.AST) -> list[Path]:
    named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    beside = [entry for entry in path.parent.iterdir() if entry.name in named and entry.name != "prompts"]
    files = [file for entry in beside for file in ([entry] if entry.is_file() else entry.rglob("*"))]
    return sorted(file for file in files if file.is_file() and "__pycache__" not in file.parts)
