"""Source code that the small base model reads: the repositories, and all Python source that this machine has."""

import random
import re
import sysconfig
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from unidiff import PatchSet

from ssr.repository.git import git
from ssr.repository.places import Function, Share, functions_of, share_of
from ssr.repository.snapshot import Snapshot

MAX_FILE_BYTES = 100_000
FUNCTION_LINES = range(3, 61)
LIBRARY_LINES = range(3, 41)
TEST_CALL = re.compile(r"^\s+(?:assert |self\.assert).*[)\w\]]$")
WORD = re.compile(r"\w+")
NAME_CALL = re.compile(r"\b([A-Za-z_]\w*)\(")


@dataclass(frozen=True)
class TestLine:
    """One whole assertion in a test file: what a weakening would replace."""

    path: str
    line: int
    """1-based."""
    test: str
    """Name of the test function."""


@dataclass(frozen=True)
class Source:
    """The files of one project in one language, by path."""

    name: str
    files: dict[str, str]
    rewritten: frozenset[tuple[str, str]] = frozenset()
    """Path and name of functions that the history changed inside."""

    @cached_property
    def readable(self) -> list[Function]:
        """Functions outside tests, whatever their share."""
        return [f for path, text in self.files.items() if not is_test(path) for f in functions_of(text, path)]

    @cached_property
    def functions(self) -> list[Function]:
        """Functions outside tests that are of ordinary length and in no benchmark's share."""
        return self.of_share("training")

    def of_share(self, share: Share) -> list[Function]:
        """Functions outside tests that are of ordinary length and in one share."""
        short = [f for f in self.readable if f.last_line - f.first_line + 1 in FUNCTION_LINES]
        return [f for f in short if share_of(self.name, f) == share]

    @cached_property
    def test_lines(self) -> dict[str, list[TestLine]]:
        """By the bare name of a called function: the assertions that call it."""
        found: dict[str, list[TestLine]] = {}
        for path, text in self.files.items():
            for line in _assertions(path, text) if is_test(path) else ():
                for name in set(NAME_CALL.findall(text.split("\n")[line.line - 1])):
                    found.setdefault(name, []).append(line)
        return found

    @cached_property
    def tested_functions(self) -> list[str]:
        """Names of its functions that assertions call."""
        return sorted({last_name(function) for function in self.readable} & set(self.test_lines))

    @cached_property
    def asserted(self) -> list[str]:
        """Names that its files define and lines with `assert` call, as `list_command` says them: most called first."""
        code = "\n".join(text for path, text in self.files.items() if not is_test(path))
        defined = set(re.findall(r"def (\w+)\(", code))
        tests = "\n".join(text for path, text in self.files.items() if is_test(path))
        called = Counter(name for said in re.findall("assert.*", tests) for name in NAME_CALL.findall(said))
        return sorted(defined & set(called), key=lambda name: (-called[name], name + "("))

    @cached_property
    def tested(self) -> frozenset[str]:
        """Words that the test files hold."""
        return frozenset(word for path, text in self.files.items() if is_test(path) for word in WORD.findall(text))

    def defining(self, name: str) -> str:
        """First file that `git grep -l "def NAME("` would print."""
        return next(path for path in sorted(self.files) if f"def {name}(" in self.files[path])


def last_name(function: Function) -> str:
    """A function's name as its `def` line writes it."""
    return function.name.rpartition(".")[2]


def is_test(path: str) -> bool:
    """Whether a file looks like a test."""
    return "test" in path


def _assertions(path: str, text: str) -> Iterator[TestLine]:
    test = ""
    for number, line in enumerate(text.split("\n"), start=1):
        header = re.match(r"\s*def (\w+)\(", line)
        test = header.group(1) if header else test
        if test.startswith("test") and TEST_CALL.match(line) and line.count("(") == line.count(")"):
            yield TestLine(path, number, test)


def repository_source(snapshot: Snapshot, patterns: Sequence[str] = ("*.py",)) -> Source:
    """The files of a snapshot's tree with such names, and what its history rewrote."""
    tree = snapshot.tree
    files = sorted(path for pattern in patterns for path in tree.rglob(pattern) if ".git" not in path.parts)
    texts = {path.relative_to(tree).as_posix(): path.read_text(errors="replace") for path in files}
    first = snapshot.releases[0].commit if snapshot.releases else snapshot.head
    diff = git("diff", "-U0", "--no-renames", "--no-color", first, snapshot.head, "--", *patterns, cwd=tree)
    return Source(snapshot.name, texts, frozenset(_rewritten(texts, diff)))


def _rewritten(texts: dict[str, str], diff: str) -> Iterator[tuple[str, str]]:
    for file in PatchSet(diff):
        functions = functions_of(texts.get(file.path, ""), file.path)
        for hunk in file:
            first, last = hunk.target_start, hunk.target_start + max(hunk.target_length, 1) - 1
            yield from ((f.path, f.name) for f in functions if f.first_line < first and last <= f.last_line)


def library_functions(limit: int, seed: int, *, share: Share = "training") -> list[Function]:
    """Short functions of the standard library and of installed packages, shuffled, each text once.

    They are split by name as the repositories' are, so that another share than `training` was never drilled.
    """
    paths = sysconfig.get_paths()
    roots = [Path(paths["stdlib"]), Path(paths["purelib"])]
    files = sorted({path for root in roots for path in root.rglob("*.py")})
    random.Random(seed).shuffle(files)
    seen: set[str] = set()
    found: list[Function] = []
    for file in files:
        if len(found) >= limit:
            break
        for function in _readable_functions(file):
            if function.source not in seen and share_of("library", function) == share:
                seen.add(function.source)
                found.append(function)
    random.Random(seed).shuffle(found)
    return found


def _readable_functions(file: Path) -> list[Function]:
    if is_test(file.name) or file.stat().st_size > MAX_FILE_BYTES:
        return []
    data = file.read_bytes()
    if not data.isascii():
        return []
    found = functions_of(data.decode(), "/".join(file.parts[-2:]))
    return [
        f
        for f in found
        if f.last_line - f.first_line + 1 in LIBRARY_LINES and max(map(len, f.source.split("\n"))) < 100
    ]
