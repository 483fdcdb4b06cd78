"""A change of a line and the two turns that make it: whole lines by the edit tool, or a few words by `sed`."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ssr.agent.formats import FORMATS, FormatProblem
from ssr.basemodel import actions
from ssr.basemodel.breaking import edit_of
from ssr.basemodel.corpus import last_name
from ssr.basemodel.mistakes import NOTHING_CHANGED, Mistake, wrong_edit
from ssr.basemodel.tokenizer import WORDS
from ssr.repository.places import Function

BY_WORDS = 0.6
"""Share of the drilled changes, of those that words can say, that `sed` makes: what pays is for self-play to teach."""
AROUND = ((1, 0), (1, 1), (1, 2), (2, 2), (3, 3), (5, 5))
"""Words kept before and after those that change; more and more, until nothing else would change."""
NOT_REPLACED = set('\\*[]^$|"`')
"""Characters that `sed` or the shell would take for something else in what is replaced."""
NOT_PUT_IN = set('\\&$|"`')
SUBSTITUTION = re.compile(r'n=(\w+) f=\S+; sed -i "/def \$n\(/,/def /s\|([^|]*)\|([^|]*)\|w /dev/stdout" \$f')


@dataclass(frozen=True)
class Change:
    """Of `line` of a text, as SEARCH and REPLACE, and as words to replace in a function if `sed` is to make it."""

    path: str
    name: str
    text: str
    line: int
    search: str
    replace: str
    words: tuple[str, str] | None

    def turn(self) -> tuple[str, str]:
        """The turn that makes it, and its answer."""
        if self.words is None:
            return actions.edit(self.path, self.search, self.replace), f"Edited {self.path}, line {self.line}."
        return self._substitute(*self.words), self.replace.split("\n")[-2]

    def mistake(self, rng: random.Random, names: Sequence[str]) -> Mistake | None:
        """A turn that leaves the file as it is; None where it would not."""
        if self.words is None:
            return wrong_edit(self.path, self.text, (self.search, self.replace), rng, names)
        old, new = self.words
        lines = self.text.split("\n")
        if rng.random() < NOTHING_CHANGED:
            return self._substitute(old, old), self.search.split("\n")[-2]
        word, other = rng.choice(re.findall(r"[A-Za-z_]+", old)), rng.choice(names)
        old, new = (re.sub(rf"\b{word}\b", other, part) for part in (old, new))
        return (self._substitute(old, new), "") if substituted(lines, self.name, old, new) == lines else None

    def _substitute(self, old: str, new: str) -> str:
        return actions.bash(actions.substitute_command(self.path, self.name, old, new))


def change_of(text: str, function: Function, line: int, old: str, new: str, rng: random.Random) -> Change | None:
    """The change of whole lines `old` at `line` of `text` into `new`; None where no SEARCH stands once in the file."""
    edit = edit_of(text, line, old, new)
    if edit is None:
        return None
    name = last_name(function)
    words = words_of(text, name, line, old, new) if rng.random() < BY_WORDS else None
    return Change(function.path, name, text, line, *edit, words)


def words_of(text: str, name: str, line: int, old: str, new: str) -> tuple[str, str] | None:
    """The words to replace in functions called `name` so that nothing but `line` of `text` changes, from old to new.

    They begin with a letter, so that the tokenizer writes them as the text does; None where no such words are found.
    """
    if not old or not new or "\n" in old + new:
        return None
    lines = text.split("\n")
    expected = [*lines[: line - 1], new, *lines[line:]]
    before, after = re.findall(WORDS, old), re.findall(WORDS, new)
    same = _alike(before, after)
    rest = _alike(before[same:][::-1], after[same:][::-1])
    for left, right in AROUND:
        start, more = max(same - left, 0), max(rest - right, 0)
        found, put = "".join(before[start : len(before) - more]), "".join(after[start : len(after) - more])
        if re.match(r" ?[A-Za-z_]", found) and substituted(lines, name, found, put) == expected:
            return found, put
    return None


def _alike(first: Sequence[str], second: Sequence[str]) -> int:
    """Words that two lines have in common from the first on."""
    shorter = min(len(first), len(second))
    return next((index for index in range(shorter) if first[index] != second[index]), shorter)


def substituted(lines: Sequence[str], name: str, old: str, new: str) -> list[str] | None:
    """What `substitute_command` leaves of some lines; None for words that do not stand for themselves in it."""
    if NOT_REPLACED & set(old) or NOT_PUT_IN & set(new):
        return None
    pattern = re.compile(re.escape(old).replace(r"\.", "."))
    left: list[str] = []
    inside = False
    for line in lines:
        begins = not inside and f"def {name}(" in line
        left.append(pattern.sub(lambda _: new, line, count=1) if inside or begins else line)
        inside = begins or (inside and "def " not in line)
    return left


def made_by(turn: str, shown: str) -> str | None:
    """What a turn makes of a part of a file that was shown; None for one that does not change it."""
    call = FORMATS["cwm"].parse(turn)
    if isinstance(call, FormatProblem):
        return None
    if call.name == "edit":
        search, replace = call.arguments["search"], call.arguments["replace"]
        changed = f"\n{shown}\n".replace(f"\n{search}", f"\n{replace}", 1)[1:-1]
    else:
        said = SUBSTITUTION.fullmatch(call.arguments.get("command", ""))
        lines = substituted(shown.split("\n"), *said.groups()) if said else None
        changed = shown if lines is None else "\n".join(lines)
    return changed if changed != shown else None
