"""What the demonstrator's commands print of a text, computed without running them."""

import random
import re
from collections.abc import Sequence

from ssr.basemodel.actions import CODE, LISTED, View
from ssr.basemodel.corpus import Source, last_name
from ssr.repository.places import Function

QUOTES = '"""'


def shown(text: str, function: Function) -> str:
    """What `find_command` and `view_command` show: the first definitions of that name and the lines after each."""
    return _grep(numbered(text), rf"def {re.escape(last_name(function))}\(", CODE)


def shown_of(text: str, function: Function) -> str:
    """What `look_command` shows."""
    first = CODE._replace(matches=1)
    owner = function.name.rpartition(".")[0].rpartition(".")[2]
    if owner and function.bare_name != owner:
        lines = numbered(text)
        start = next((place for place, line in enumerate(lines) if f"class {owner}" in line), 0)
        return _grep(lines[start:], rf"def {re.escape(last_name(function))}\(", first)
    return _grep(numbered(text), rf"(def|class) {re.escape(function.bare_name)}\b", first)


def numbered(text: str) -> list[str]:
    """What `grep -n ""` prints of a text."""
    return [f"{number}:{line}" for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1)]


def _grep(lines: Sequence[str], pattern: str, view: View) -> str:
    """What `grep -m MATCHES -A LINES -E PATTERN` prints of lines whose docstrings are left out."""
    lines = without_docstrings(lines)
    hits = [index for index, line in enumerate(lines) if re.search(pattern, line)][: view.matches]
    printed: list[str] = []
    last = -1
    for hit in hits:
        if printed and hit > last + 1:
            printed.append("--")
        printed += lines[max(hit, last + 1) : hit + view.lines + 1]
        last = max(last, hit + view.lines)
    return "\n".join(printed)


def without_docstrings(lines: Sequence[str]) -> list[str]:
    """What `WITHOUT_DOCSTRINGS` leaves of some lines."""
    left: list[str] = []
    inside = False
    for line in lines:
        if line.count(QUOTES) < 2 and QUOTES in line:
            inside = not inside
        elif not inside and QUOTES not in line:
            left.append(line)
    return left


def code_of(text: str) -> str:
    """A text without its docstrings."""
    return "\n".join(without_docstrings(text.split("\n")))


def listing(source: Source) -> str:
    """What `list_command` prints."""
    return "\n".join(f"n={name}(" for name in source.asserted[:LISTED])


def tests(outcomes: str, rng: random.Random) -> str:
    """pytest's last line, which names warnings now and then; it names them before errors."""
    warnings = rng.choice(("", "", "1 warning"))
    told = [warnings, outcomes] if "error" in outcomes else [outcomes, warnings]
    return f"{', '.join(filter(None, told))} in 0.00s"


def hash_of(text: str) -> int:
    """A hash that does not change between processes."""
    value = 0
    for character in text:
        value = (value * 131 + ord(character)) % (2**61 - 1)
    return value
