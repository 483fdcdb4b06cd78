"""What the demonstrator says that differs by programming language. Nothing else it does knows one.

A language more is a Dialect here, and functions and mutations in ssr.repository.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from ssr.basemodel import actions, javascript
from ssr.basemodel.corpus import Source, repository_source
from ssr.repository.snapshot import Snapshot


@dataclass(frozen=True)
class Dialect:
    """Commands for repositories of one language; all of them are plain bash."""

    patterns: tuple[str, ...]
    """Names of its files."""
    foreign: str
    """Regular expression of paths that are made from the code, or are not part of it."""
    definition: Callable[[str], str]
    """Regular expression of the line that defines a function."""
    may_be_tested: Callable[[Source, str], bool]
    """Whether tests could notice a function of that name."""
    list_command: str
    log_command: Callable[[str, str], str]
    find_command: Callable[[str], str]
    artifact_command: Callable[[str, str], str]
    again_command: str
    weaken_command: str
    noticed: str
    """Stands in the answer to the last but one command where a test fails."""


def _python_tested(source: Source, name: str) -> bool:
    return not name.startswith("__") and (name.startswith("_") or name in source.tested)


PYTHON = Dialect(
    patterns=("*.py",),
    foreign=r"(?!)",
    definition=lambda name: rf"def {re.escape(name)}\(",
    may_be_tested=_python_tested,
    list_command=actions.list_command(),
    log_command=actions.log_command,
    find_command=actions.find_command,
    artifact_command=actions.artifact_command,
    again_command=actions.AGAIN_COMMAND,
    weaken_command=actions.WEAKEN_COMMAND,
    noticed=" failed",
)
JAVASCRIPT = Dialect(
    patterns=("*.js", "*.cjs", "*.mjs"),
    foreign=r"(^|/)(dist|build|coverage|examples?|bench(mark)?s?|node_modules)/|\.min\.js$",
    definition=javascript.definition,
    may_be_tested=lambda source, name: re.fullmatch(r"[A-Za-z_]\w*", name) is not None,
    list_command=javascript.LIST_COMMAND,
    log_command=javascript.log_command,
    find_command=javascript.find_command,
    artifact_command=javascript.artifact_command,
    again_command=javascript.AGAIN_COMMAND,
    weaken_command=javascript.WEAKEN_COMMAND,
    noticed="not ok",
)


def read_repository(snapshot: Snapshot) -> tuple[Source, Dialect]:
    """A snapshot's code in the language that most of its files are in, and how that language is spoken."""
    read = [(_source(snapshot, dialect), dialect) for dialect in (PYTHON, JAVASCRIPT)]
    return max(read, key=lambda pair: len(pair[0].files))


def _source(snapshot: Snapshot, dialect: Dialect) -> Source:
    source = repository_source(snapshot, dialect.patterns)
    files = {path: text for path, text in source.files.items() if not re.search(dialect.foreign, path)}
    return replace(source, files=files)
