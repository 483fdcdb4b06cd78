"""Weakenings for drills: reversed diffs as self-play tells its bugs, of real assertions about made-up functions."""

import random
import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from ssr.basemodel import terminal
from ssr.basemodel.corpus import Source, TestLine
from ssr.basemodel.issues import WORDS
from ssr.basemodel.symptoms import VALUES

REAL = 0.6
"""Share of the weakenings that are of a repository's own tests, with another function's name in them."""
ONE_HUNK = 0.5
"""Share of them that take one `return` away; the others, up to MOST_HUNKS."""
MOST_HUNKS = 10
HEADING = 80
"""Characters of a line that git puts after the second @@."""
GAP = 3
"""Lines between two assertions whose hunks stay apart."""


def weakening(source: Source, lines: Sequence[TestLine]) -> str:
    """The reversed diff that takes the `return` before each of some assertions away, as `git diff -U1` prints it."""
    ordered = sorted(set(lines), key=lambda line: (line.path, line.line))
    files = groupby(ordered, key=lambda line: line.path)
    return "\n".join(part for path, group in files for part in _of_file(path, source.files[path], list(group)))


def _of_file(path: str, text: str, lines: Sequence[TestLine]) -> Iterator[str]:
    now = text.split("\n")
    hashes = (terminal.hash_of("".join(now[line.line - back] for line in lines)) % 16**7 for back in (2, 1))
    yield f"diff --git a/{path} b/{path}"
    yield "index {:07x}..{:07x} 100644".format(*hashes)
    yield f"--- a/{path}"
    yield f"+++ b/{path}"
    for taken, line in enumerate(lines):
        assertion, above, start = now[line.line - 1], now[line.line - 2], line.line - 1
        indent = assertion[: len(assertion) - len(assertion.lstrip())]
        yield f"@@ -{start + taken},3 +{start},2 @@{_heading(now[: start - 1])}"
        yield from (f" {above}", f"-{indent}return", f" {assertion}")


def _heading(above: Sequence[str]) -> str:
    """What git says after the second @@: the last line above that begins at the margin."""
    line = next((line for line in reversed(above) if re.match(r"[A-Za-z_$]", line)), "")
    return f" {line[:HEADING]}" if line else ""


def weakened_tests(name: str, sources: Sequence[Source], rng: random.Random) -> str:
    """A weakening of tests of a function of that name."""
    known = [len(source.tested_functions) ** 0.5 for source in sources]
    if any(known) and rng.random() < REAL:
        return _borrowed(name, rng.choices(sources, known)[0], rng)
    return _made_up(name, rng)


def _borrowed(name: str, source: Source, rng: random.Random) -> str:
    """A repository's assertions about one of its functions, as if they were about the function `name`."""
    real = rng.choice(source.tested_functions)
    lines = source.test_lines[real]
    count = 1 if rng.random() < ONE_HUNK else rng.randint(1, MOST_HUNKS)
    chosen: list[TestLine] = []
    for line in rng.sample(lines, min(count, len(lines))):
        if all(line.path != other.path or abs(line.line - other.line) >= GAP for other in chosen):
            chosen.append(line)
    return re.sub(rf"\b(test_|){real}\b", rf"\g<1>{name}", weakening(source, chosen))


def _made_up(name: str, rng: random.Random) -> str:
    test = f"test_{rng.choice(WORDS)}_{name.strip('_')}"
    above = rng.randrange(200)
    path = rng.choice(("tests/test_{}.py", "test_{}.py")).format(rng.choice(WORDS))
    called = rng.choice(("{}", "{}", "thing.{}")).format(name)
    value, given, expected = rng.choices(VALUES, k=3)
    lines = [f"def {test}():", f"    value = {value}", f"    assert {called}({given}) == {expected}", ""]
    return weakening(Source("made up", {path: "\n" * above + "\n".join(lines)}), [TestLine(path, above + 3, test)])
