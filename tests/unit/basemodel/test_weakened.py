"""Drilled weakenings are what git prints, and name the function that is to be looked at."""

import random
import re
import subprocess
from itertools import pairwise
from pathlib import Path

from ssr.basemodel.corpus import Source
from ssr.basemodel.corpus import TestLine as Line
from ssr.basemodel.weakened import GAP, weakened_tests, weakening
from ssr.game.diffs import reverse


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def every_line(source: Source) -> list[Line]:
    every = {line for lines in source.test_lines.values() for line in lines}
    return sorted(every, key=lambda line: (line.path, line.line))


def after_returns(diff: str) -> list[str]:
    lines = diff.split("\n")
    return [line for above, line in pairwise(lines) if re.fullmatch(r"-\s+return", above)]


def test_a_drilled_weakening_is_what_git_prints_of_a_real_one(pocket: Source, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    kept: list[Line] = []
    for line in every_line(pocket):
        if not kept or kept[-1].path != line.path or line.line - kept[-1].line >= GAP:
            kept.append(line)
    assert len(kept) > 3
    texts = {line.path: pocket.files[line.path].split("\n") for line in kept}
    for path, lines in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("\n".join(lines))
    git(tmp_path, "add", ".")
    for line in reversed(kept):
        assertion = texts[line.path][line.line - 1]
        texts[line.path].insert(line.line - 1, assertion[: len(assertion) - len(assertion.lstrip())] + "return")
    for path, lines in texts.items():
        (tmp_path / path).write_text("\n".join(lines))
    printed = reverse(git(tmp_path, "diff", "-U1", "--no-color"))
    unhashed = [re.sub("^index .*", "index", text, flags=re.MULTILINE) for text in (printed, weakening(pocket, kept))]
    assert unhashed[0].rstrip("\n") == unhashed[1]


def test_a_weakening_calls_the_function_by_its_name_and_no_longer_the_real_one(pocket: Source) -> None:
    rng = random.Random(0)
    told = [weakened_tests("polish", [pocket], rng) for _ in range(60)]
    assert all(re.search(r"^ .*\bpolish\(", text, re.MULTILINE) for text in told)
    borrowed = [text for text in told if any(f"a/{line.path}" in text for line in every_line(pocket))]
    assert 20 < len(borrowed) < 50
    assert all(line.startswith(" ") and "polish(" in line for text in borrowed for line in after_returns(text))
    assert max(len(after_returns(text)) for text in borrowed) > 1


def test_without_tests_a_weakening_is_made_up() -> None:
    told = weakened_tests("polish", [Source("bare", {"a.py": "def f(x):\n    return x\n"})], random.Random(0))
    assert "_polish():" in told and re.search(r"assert (thing\.)?polish\(", told)
