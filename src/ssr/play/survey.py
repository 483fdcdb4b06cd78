"""What a repository is, by reading alone: lines, languages, tests, licence, parts that would have to be compiled."""

import re
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

LANGUAGES = {
    ".py": "Python", ".js": "JavaScript", ".cjs": "JavaScript", ".mjs": "JavaScript", ".ts": "TypeScript",
    ".tsx": "TypeScript", ".go": "Go", ".rs": "Rust", ".java": "Java", ".kt": "Kotlin", ".rb": "Ruby", ".php": "PHP",
    ".c": "C", ".h": "C", ".cc": "C++", ".cpp": "C++", ".cs": "C#", ".pyx": "Cython", ".swift": "Swift", ".sh": "Shell",
}  # fmt: skip
TESTS = (
    "test_*.py", "*_test.py", "tests.py", "*.test.?s", "*.test.?js", "*.spec.?s", "*.test.tsx", "test.?s", "test.?js",
    "test/*.*js", "tests/*.*js", "test/*.ts", "tests/*.ts", "*_test.go", "tests/*.rs", "*Test.java", "*Tests.java",
    "*Test.kt", "*_spec.rb", "test_*.rb", "*_test.rb", "*Test.php", "test_*.c*", "*_test.c*", "*Tests.cs",
)  # fmt: skip
"""File names, or paths where there is a slash, that test files have in these languages."""
COMPILED = ("*.pyx", "Cargo.toml", "CMakeLists.txt", "meson.build")
LICENCES = {
    "MIT": r"MIT License|Permission is hereby granted, free of charge",
    "Apache-2.0": r"Apache License\s+Version 2\.0",
    "BSD-3-Clause": r"Neither the name|names? of its contributors may",
    "BSD-2-Clause": r"Redistribution and use in source and binary forms",
    "GPL-3.0-only": r"GNU GENERAL PUBLIC LICENSE\s+Version 3",
    "MPL-2.0": r"Mozilla Public License,? [Vv]ersion 2\.0",
}
UNKNOWN = "NOASSERTION"
"""SPDX's word for a licence that nobody made out."""


@dataclass(frozen=True)
class Survey:
    """What was seen."""

    files: int
    lines: int
    languages: dict[str, int]
    """Lines by language, most first."""
    tests: tuple[str, ...]
    """Paths of test files."""
    licence: str
    import_paths: tuple[str, ...]
    compiled: tuple[str, ...]
    """Paths that say that something is to be built."""

    @property
    def language(self) -> str:
        """The one with most lines; empty where there is no code."""
        return next(iter(self.languages), "")


def look_at(folder: Path, name: str, patterns: tuple[str, ...] = TESTS) -> Survey:
    """Read a checkout; `name` is the project's, `patterns` say what test files are called."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    files = [path for path in files if ".git" not in path.relative_to(folder).parts]
    names = [path.relative_to(folder).as_posix() for path in files]
    counts: Counter[str] = Counter()
    for path in files:
        if path.suffix in LANGUAGES:
            counts[LANGUAGES[path.suffix]] += path.read_bytes().count(b"\n")
    return Survey(
        files=len(files),
        lines=sum(counts.values()),
        languages=dict(counts.most_common()),
        tests=tuple(name for name in names if is_test(name, patterns)),
        licence=_licence(folder),
        import_paths=_import_paths(folder, name),
        compiled=tuple(name for name in names if any(fnmatch(name.rpartition("/")[2], each) for each in COMPILED)),
    )


def is_test(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a path is called like a test file."""
    last = name.rpartition("/")[2]
    return any(fnmatch(f"/{name}", f"*/{each}") if "/" in each else fnmatch(last, each) for each in patterns)


def _licence(folder: Path) -> str:
    texts = [path for path in sorted(folder.iterdir()) if re.match(r"(?i)licen[cs]e|copying", path.name)]
    for path in texts:
        text = path.read_text(errors="replace") if path.is_file() else ""
        for name, words in LICENCES.items():
            if re.search(words, text):
                return name
    return UNKNOWN


def _import_paths(folder: Path, name: str) -> tuple[str, ...]:
    """Folders that Python packages of the project stand in, beside its root."""
    package = name.replace("-", "_")
    candidates = [path.parent.parent for path in sorted(folder.glob(f"*/{package}/__init__.py"))]
    candidates += [folder / each for each in ("src", "lib") if any((folder / each).glob("*/__init__.py"))]
    candidates += [folder / "src"] if any((folder / "src").glob("*.py")) else []
    inside = [path.relative_to(folder).as_posix() for path in dict.fromkeys(candidates)]
    return (*(path for path in inside if not re.search(r"(^|/)(tests?|docs?|examples?)(/|$)", path)), ".")
