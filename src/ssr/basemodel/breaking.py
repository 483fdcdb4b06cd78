"""Which mutation of a function is drilled or demonstrated, and the edits that make and undo it."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter

from ssr.agent.tools import places_of
from ssr.basemodel.actions import CODE
from ssr.basemodel.terminal import without_docstrings
from ssr.contracts import Strategy
from ssr.repository.mutations import Mutation, mutations_of
from ssr.repository.places import Function

KINDS = {
    "comparison": 6, "boolean": 4, "negation": 6, "arithmetic": 4, "truth": 3, "off_by_one": 4, "sign": 3, "sibling": 3,
    "return_value": 3, "swap_branches": 2, "jump": 2, "plain_assignment": 2, "slice": 1,
}  # fmt: skip
"""How often each kind of mutation is drilled, among those that a function allows; the kinds unnamed, SELDOM."""
SELDOM = 0.5
ANY_KIND = 0.1
"""Share of the repairs whose kind may be any; the others are of kinds that the code tells."""
REPAIRABLE = 0.8
"""Share of the drilled injections whose mutation the code tells: bugs of the others are mostly beyond a solver of this
size, and nothing is learned from what no attempt solves."""


def choose_mutation(
    text: str, function: Function, rng: random.Random, among: Callable[[Mutation], bool]
) -> Mutation | None:
    """A mutation of a function of `text` that CODE shows, of those that `among` accepts; KINDS weigh its kind."""
    by_kind: dict[str, list[Mutation]] = {}
    lines = text.split("\n")
    for mutation in mutations_of(text, function):
        above = without_docstrings(lines[function.first_line - 1 : mutation.line - 1])
        if len(above) <= CODE.lines - 2 and among(mutation):
            by_kind.setdefault(mutation.kind, []).append(mutation)
    if not by_kind:
        return None
    kinds = sorted(by_kind)
    kind = rng.choices(kinds, [KINDS.get(kind, SELDOM) for kind in kinds])[0]
    return rng.choice(by_kind[kind])


def fitting(strategy: Strategy) -> Callable[[Mutation], bool]:
    """Which mutations an injection strategy asks for."""
    return attrgetter("removes") if strategy == "removal" else bool


def to_inject(strategy: Strategy, rng: random.Random) -> Callable[[Mutation], bool]:
    """Which mutations a drilled injection may be."""
    fits, repairable = fitting(strategy), rng.random() < REPAIRABLE
    return lambda mutation: fits(mutation) and (mutation.recoverable or not repairable)


def to_repair(rng: random.Random) -> Callable[[Mutation], bool]:
    """Which mutations a repair may be of."""
    return bool if rng.random() < ANY_KIND else attrgetter("recoverable")


def broken_function(broken: str, function: Function, mutation: Mutation) -> Function:
    """A function as it stands in the `broken` text that a mutation of it made."""
    grown = len(mutation.after.splitlines()) - len(mutation.before.splitlines())
    last = function.last_line + grown
    return replace(function, last_line=last, source="\n".join(broken.split("\n")[function.first_line - 1 : last]))


@dataclass(frozen=True)
class Mutated:
    """A function's text with mutations, and the topmost of them."""

    text: str
    mutation: Mutation


def mutate(function: Function, count: int, rng: random.Random) -> list[Mutated] | None:
    """The function's own text with up to `count` mutations on lines apart, then with the topmost undone, and so on."""
    alone = replace(function, first_line=1, last_line=function.last_line - function.first_line + 1)
    drawn = [choose_mutation(alone.source, alone, rng, to_repair(rng)) for _ in range(count)]
    chosen: list[Mutation] = []
    for mutation in sorted((m for m in drawn if m is not None), key=lambda m: m.line):
        if not chosen or mutation.line > chosen[-1].line + chosen[-1].before.count("\n") + 1:
            chosen.append(mutation)
    text = alone.source
    steps: list[Mutated] = []
    for mutation in reversed(chosen):
        text = mutation.apply(text)
        steps.append(Mutated(text, mutation))
    return steps[::-1] or None


@dataclass(frozen=True)
class Change:
    """A change of whole lines at `line` of a text, as one edit."""

    path: str
    line: int
    text: str
    search: str
    replace: str


def change_of(text: str, path: str, line: int, old: str, new: str) -> Change | None:
    """The change of whole lines `old` at `line` of `text` into `new`; None where no SEARCH stands once in the file."""
    edit = edit_of(text, line, old, new)
    return Change(path, line, text, *edit) if edit else None


def edit_of(text: str, line: int, old: str, new: str) -> tuple[str, str] | None:
    """SEARCH and REPLACE for changing whole lines `old` at `line` of `text` into `new`.

    Lines above are added until SEARCH stands once in the file; None if two do not suffice.
    """
    lines = text.split("\n")
    for above in range(3):
        start = line - 1 - above
        if start < 0:
            return None
        context = lines[start : line - 1]
        search, replace = (
            [*context, *old.split("\n")] if old else context,
            [*context, *new.split("\n")] if new else context,
        )
        if search and len(places_of(lines, search)) == 1:
            return "".join(f"{line}\n" for line in search), "".join(f"{line}\n" for line in replace)
    return None
