"""Functions from anywhere, now and then under other names: what drills are made of beside the repositories."""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice

from ssr.basemodel.corpus import Source
from ssr.basemodel.renaming import identifiers_of, renamed
from ssr.repository.places import Function

IDENTIFIERS = 30_000
"""Names that renamed functions draw from."""
RENAMED = 0.6
"""Share of the functions that come under other names."""
OWN_WORDS = 0.5
"""Share of them under the repositories' names and paths: the tokenizer knows these whole, and they are copied, too."""
FOLLOWING = 4
"""Functions of which those with the same indent follow one that is to be repaired."""


class Library:
    """Functions without end, and the names that they, or the repositories' functions, use."""

    def __init__(self, functions: Sequence[Function], sources: Sequence[Source]) -> None:
        readable = [function for source in sources for function in source.readable]
        self.functions = cycle(functions)
        self._names = identifiers_of(functions, IDENTIFIERS)
        self._own_names = identifiers_of(readable, IDENTIFIERS)
        self._own_paths = sorted({function.path for function in readable})

    def draw(self, rng: random.Random) -> Function | None:
        """The next function, perhaps under other names; None where a line would grow too long."""
        function = next(self.functions)
        if rng.random() >= RENAMED:
            return function
        if self._own_names and rng.random() < OWN_WORDS:
            return renamed(replace(function, path=rng.choice(self._own_paths)), self._own_names, rng)
        return renamed(function, self._names, rng)

    def file_of(self, function: Function) -> str:
        """The text of a file in which others follow a function, as a look at a real one shows."""
        owner = function.name.rpartition(".")[0].rpartition(".")[2]
        header = f"class {owner}:\n" if owner else "\n"
        above = "\n" * (function.first_line - 2) + header * (function.first_line > 1)
        below = [other.source for other in islice(self.functions, FOLLOWING) if _indent(other) == _indent(function)]
        return above + "\n\n".join([function.source, *below]) + "\n"

    def names(self, rng: random.Random) -> list[str]:
        """All names that library functions use, or all that the repositories' do."""
        return rng.choice([names for names in (self._names, self._own_names) if names])


def _indent(function: Function) -> int:
    return len(function.source) - len(function.source.lstrip(" "))
