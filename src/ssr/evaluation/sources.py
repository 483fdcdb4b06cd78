"""The text of a repository at a commit, split into code and tests, and diffs between two such texts."""

import ast
import io
import re
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from functools import cached_property
from pathlib import PurePosixPath

from ssr.errors import EvaluationError
from ssr.repository.places import Function, functions_of
from ssr.repository.snapshot import Snapshot

NO_CODE = {
    "setup.py",
    "conftest.py",
    "versioneer.py",
    "_version.py",
    "docs",
    "examples",
    "benchmarks",
    "build",
    "tools",
}
HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")
HEADING = 80
"""Characters of a hunk's heading, at most."""
NO_NEWLINE = "\\ No newline at end of file\n"


@dataclass(frozen=True)
class Sources:
    """Python files of one commit; parsed, never executed."""

    commit: str
    files: Mapping[str, str]

    @cached_property
    def tests(self) -> dict[str, str]:
        """Files that pytest collects."""
        return {path: text for path, text in self.files.items() if is_test_module(path)}

    @cached_property
    def code(self) -> dict[str, str]:
        """Files that a bug may stand in."""
        return {path: text for path, text in self.files.items() if not is_test_path(path) and not _is_tooling(path)}

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Every function of the code, in order."""
        return tuple(function for path in sorted(self.code) for function in functions_of(self.code[path], path))


def read_sources(snapshot: Snapshot, commit: str) -> Sources:
    """Python files of a commit, those that are UTF-8 text. Raises EvaluationError for an unknown commit."""
    command = ["git", "-c", "safe.directory=*", "archive", "--format=tar", commit]
    done = subprocess.run(command, cwd=snapshot.tree, capture_output=True)
    if done.returncode:
        raise EvaluationError(f"{snapshot.name}: cannot read commit {commit}: {done.stderr.decode(errors='replace')}")
    files = {}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        for member in archive.getmembers():
            reader = archive.extractfile(member) if member.isfile() and member.name.endswith(".py") else None
            text = _text(reader.read()) if reader else None
            if text is not None:
                files[member.name] = text
    return Sources(commit, files)


def is_test_path(path: str) -> bool:
    """Whether a path belongs to a test suite."""
    return any(part in ("test", "tests", "testing") for part in PurePosixPath(path).parts[:-1]) or is_test_module(path)


def is_test_module(path: str) -> bool:
    """Whether pytest collects a file of this name."""
    name = PurePosixPath(path).name
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py") or name == "tests.py")


def diff_of(before: Mapping[str, str | None], after: Mapping[str, str | None], context: int = 3) -> str:
    """A git diff that turns the files of `before` into those of `after`; None stands for a file that does not exist."""
    return "".join(_file_diff(path, before.get(path), after.get(path), context) for path in sorted({*before, *after}))


def cut_tests(source: str, names: Iterable[str]) -> str | None:
    """A test file without the given test functions (`test_x` or `TestClass.test_x`); None where one is not found.

    A method that its class inherits is hidden by `test_x = None`.
    """
    found: dict[str, Function] = {function.name: function for function in functions_of(source, "")}
    classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    wanted = set(names)
    lines: list[str | None] = list(source.split("\n"))
    for name in sorted(wanted & found.keys()):
        function = found[name]
        lines[function.first_line - 1 : function.last_line] = [None] * (function.last_line - function.first_line + 1)
        if "." in name and not {other for other in found if _class(other) == _class(name)} - wanted:
            lines[function.first_line - 1] = " " * (len(function.source) - len(function.source.lstrip())) + "pass"
    for name in sorted(wanted - found.keys()):
        owner = classes.get(_class(name))
        if owner is None:
            return None
        last = (owner.end_lineno or owner.lineno) - 1
        hidden = " " * owner.body[0].col_offset + name.rpartition(".")[2] + " = None"
        lines[last] = hidden if lines[last] is None else f"{lines[last]}\n{hidden}"
    text = "\n".join(line for line in lines if line is not None)
    return text if _parses(text) else None


def return_before(source: str, numbers: Iterable[int]) -> str | None:
    """A test file whose functions return before the given lines (1-based); None where that is no Python."""
    lines = source.split("\n")
    for number in sorted(set(numbers), reverse=True):
        line = lines[number - 1]
        lines.insert(number - 1, line[: len(line) - len(line.lstrip())] + "return")
    text = "\n".join(lines)
    return text if _parses(text) else None


def _is_tooling(path: str) -> bool:
    return any(part in NO_CODE for part in PurePosixPath(path).parts)


def _class(name: str) -> str:
    return name.rpartition(".")[0]


def _text(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\r" in text or "\0" in text else text


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _file_diff(path: str, before: str | None, after: str | None, context: int) -> str:
    if before == after:
        return ""
    head = f"diff --git a/{path} b/{path}\n"
    head += "new file mode 100644\n" if before is None else ""
    head += "deleted file mode 100644\n" if after is None else ""
    names = ("/dev/null" if before is None else f"a/{path}", "/dev/null" if after is None else f"b/{path}")
    lines = (_headed(line, before) for line in unified_diff(_lines(before), _lines(after), *names, n=context))
    return head + "".join(line if line.endswith("\n") else f"{line}\n{NO_NEWLINE}" for line in lines)


def _headed(line: str, before: str | None) -> str:
    """A hunk's header with the unindented line that the hunk stands below, as git writes it."""
    hunk = HUNK.match(line)
    if hunk is None:
        return line
    above = (before or "").split("\n")[: max(int(hunk[1]) - 1, 0)]
    heading = next((text for text in reversed(above) if re.match(r"[A-Za-z_$]", text)), "")
    return f"{line.rstrip()} {heading[:HEADING]}".rstrip() + "\n"


def _lines(text: str | None) -> list[str]:
    parts = (text or "").split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
