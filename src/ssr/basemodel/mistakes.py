"""Turns that go wrong, with what is answered: a drill holds some, so that a model tries again; it learns no mistake."""

import random
import re
from collections.abc import Sequence

from ssr.agent.tools import no_change, no_single_match
from ssr.basemodel import actions

Mistake = tuple[str, str]
"""A turn and its answer."""
AGAIN = 0.3
"""Probability that another mistake follows one."""
OTHER_PATH = 0.4
"""Share of the wrong looks at a known file that are into a file that is not there; the others are for another name."""
ANOTHER_LINE = 0.5
"""Share of the wrong edits that are about a line near the right one."""
NEAR = 10
"""Lines before and after the right one that they come from."""
NOTHING_CHANGED = 0.3
"""Share of the wrong edits that put back what stands there."""
MADE_UP = 0.3
"""Share of the others that are about a line that stands nowhere; the rest take one word of a line for another."""
LINES = ("return {}", "return None", "{} = None", "if {}:", "if not {}:", "self.{} = {}", "{}()")


def how_many(share: float, rng: random.Random) -> int:
    """Mistakes before a turn that succeeds, where `share` of such turns have any; without a share, nothing is drawn."""
    count = int(bool(share) and rng.random() < share)
    while count and rng.random() < AGAIN:
        count += 1
    return count


def called_names(statement: str) -> list[str]:
    """What a statement calls beside its tests: where a solver looks that takes one name for another."""
    return sorted({name for name in re.findall(r"\b([A-Za-z_]\w+)\(", statement) if not name.startswith("test")})


def wrong_look(command: str, path: str, rng: random.Random, names: Sequence[str]) -> Mistake:
    """The command with another name or another file than the one that it shows something of."""
    other = rng.choice(names)
    if path in command and rng.random() < OTHER_PATH:
        stem = path.rpartition("/")[2].removesuffix(".py")
        missing = path.replace(stem, other) if rng.random() < 0.5 else f"{other}/{path.rpartition('/')[2]}"
        said = f"sed: can't read {missing}: No such file or directory\n[exit code 1]"
        if command.startswith("grep"):
            said = f"grep: {missing}: No such file or directory\n[exit code 2]"
        return actions.bash(command.replace(path, missing)), said
    named = re.findall(r"(?:def |class |\(def\|class\) )(\w+)", command)
    return actions.bash(re.sub(rf"\b{rng.choice(named)}\b", other, command)), "[exit code 1]"


def wrong_edit(
    path: str, text: str, change: tuple[str, str], rng: random.Random, names: Sequence[str]
) -> Mistake | None:
    """An edit that leaves the file as it is; None where what was made up happens to stand there."""
    search, replace = change
    if rng.random() < ANOTHER_LINE:
        search = replace = _near(text, search, rng)
    if rng.random() < NOTHING_CHANGED and f"\n{text}".count(f"\n{search}") == 1:
        return actions.edit(path, search, search), no_change(path)
    words = sorted(set(re.findall(r"[A-Za-z_]\w+", search)))
    if rng.random() < MADE_UP or not words:
        indent = search[: len(search) - len(search.lstrip())]
        line = indent + rng.choice(LINES) + "\n"
        search, replace = (line.format(*rng.choices(names, k=2)) for _ in range(2))
    else:
        word, other = rng.choice(words), rng.choice(names)
        search, replace = (re.sub(rf"\b{word}\b", other, part) for part in (search, replace))
    if f"\n{search}" in f"\n{text}\n":
        return None
    return actions.edit(path, search, replace), no_single_match(path, 0)


def _near(text: str, search: str, rng: random.Random) -> str:
    """A line with text near the searched ones."""
    lines = text.split("\n")
    place = f"\n{text}".partition(f"\n{search}")[0].count("\n")
    return rng.choice([line for line in lines[max(0, place - NEAR) : place + NEAR] if line.strip()]) + "\n"
