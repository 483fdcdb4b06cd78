"""Turns that go wrong, with what is answered: a drill holds some, so that a model tries again; it learns no mistake."""

import random
import re
from collections.abc import Sequence

from ssr.agent.tools import no_change, no_single_match, places_of
from ssr.basemodel import actions
from ssr.basemodel.breaking import Change

Mistake = tuple[str, str]
"""A turn and its answer."""
AGAIN = 0.3
"""Probability that another mistake follows one."""
STUCK = 0.4
"""Probability that a mistake is made once more as it was: what copies itself has to learn to stop."""
NAMED = r"(?:(?<=\b[nc]=)|(?<=def ))"
"""Before a name in a look."""
DRAWN = 5
"""Names that are drawn until one does not stand in the right look."""
OTHER_PATH = 0.4
"""Share of the wrong looks at a known file that are into a file that is not there; the others are for another name."""
TOO_SHORT = 0.5
"""Share of the wrong edits without the lines above that make SEARCH stand once, where there are such lines."""
ANOTHER_LINE = 0.4
"""Share of the wrong edits that are about a line near the right one."""
NEAR = 10
"""Lines before and after the right one that they come from."""
NOTHING_CHANGED = 0.4
"""Share of the wrong edits that put back what stands there."""
MADE_UP = 0.3
"""Share of the others that are about a line that stands nowhere; the rest take one word of a line for another."""
LINES = ("return {}", "return None", "{} = None", "if {}:", "if not {}:", "self.{} = {}", "{}()")


def how_many(share: float, rng: random.Random) -> int:
    """Mistakes before a turn that succeeds, where `share` of such turns have any; without a share, nothing is drawn."""
    return 1 + _more(AGAIN, rng) if share and rng.random() < share else 0


def times(rng: random.Random) -> int:
    """How often one mistake is made in a row, as it was."""
    return 1 + _more(STUCK, rng)


def _more(probability: float, rng: random.Random) -> int:
    count = 0
    while rng.random() < probability:
        count += 1
    return count


def called_names(statement: str) -> list[str]:
    """What a statement calls beside its tests: where a solver looks that takes one name for another."""
    return sorted({name for name in re.findall(r"\b([A-Za-z_]\w+)\(", statement) if not name.startswith("test")})


def early_end(tested: bool) -> list[Mistake]:
    """Handing in where nothing is mended: before any change, or after `tested` changes were undone."""
    diff, submit = actions.bash(actions.diff_command()), actions.submit(actions.FIX)
    if tested:
        return [(submit, f"Not submitted: {actions.FIX} does not exist in the sandbox.")]
    return [(diff, ""), (submit, f"Not submitted: {actions.FIX} is empty.")]


def wrong_look(command: str, path: str, rng: random.Random, names: Sequence[str]) -> Mistake | None:
    """The command with another name or another file than the one that it shows something of; None if it names all."""
    other = next((name for name in rng.sample(names, min(len(names), DRAWN)) if name not in command), None)
    if other is None:
        return None
    if path in command and rng.random() < OTHER_PATH:
        stem = path.rpartition("/")[2].removesuffix(".py")
        missing = path.replace(stem, other) if rng.random() < 0.5 else f"{other}/{path.rpartition('/')[2]}"
        said = f"grep: {missing}: No such file or directory\n[exit code 1]"
        return actions.bash(command.replace(path, missing)), said
    named = re.findall(NAMED + r"(\w+)", command)
    return actions.bash(re.sub(rf"{NAMED}{rng.choice(named)}\b", other, command)), "[exit code 1]"


def wrong_edit(change: Change, rng: random.Random, names: Sequence[str]) -> Mistake | None:
    """An edit that leaves the file as it is; None where what was made up happens to stand there."""
    path, text, search, replace = change.path, change.text, change.search, change.replace
    short = _too_short(text, search, replace)
    if short and rng.random() < TOO_SHORT:
        return actions.edit(path, *short), no_single_match(path, _count(text, short[0]))
    if rng.random() < ANOTHER_LINE:
        search = replace = _near(text, search, rng)
    if rng.random() < NOTHING_CHANGED and _count(text, search) == 1:
        return actions.edit(path, search, search), no_change(path)
    words = sorted(set(re.findall(r"[A-Za-z_]\w+", search)))
    if rng.random() < MADE_UP or not words:
        indent = search[: len(search) - len(search.lstrip())]
        line = indent + rng.choice(LINES) + "\n"
        search, replace = (line.format(*rng.choices(names, k=2)) for _ in range(2))
    else:
        word, other = rng.choice(words), rng.choice(names)
        search, replace = (re.sub(rf"\b{word}\b", other, part) for part in (search, replace))
    if _count(text, search):
        return None
    return actions.edit(path, search, replace), no_single_match(path, 0)


def _count(text: str, search: str) -> int:
    """How often whole lines stand in a text."""
    return len(places_of(text.split("\n"), search.removesuffix("\n").split("\n")))


def _too_short(text: str, search: str, replace: str) -> tuple[str, str] | None:
    """The change without the lines above that both have; None where SEARCH still stands once."""
    old, new = search.splitlines(keepends=True), replace.splitlines(keepends=True)
    while len(old) > 1 and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    return ("".join(old), "".join(new)) if _count(text, "".join(old)) > 1 else None


def _near(text: str, search: str, rng: random.Random) -> str:
    """A line with text near the searched ones."""
    lines = text.split("\n")
    place = f"\n{text}".partition(f"\n{search}")[0].count("\n")
    return rng.choice([line for line in lines[max(0, place - NEAR) : place + NEAR] if line.strip()]) + "\n"
