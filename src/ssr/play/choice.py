"""Which functions the demonstrator tries in a repository that nobody chose for it."""

import re
from collections import Counter
from dataclasses import replace
from fnmatch import fnmatch

from ssr.basemodel.corpus import NAME_CALL, Source, last_name
from ssr.basemodel.demonstrator import playable
from ssr.basemodel.dialects import PYTHON, Dialect
from ssr.contracts import Strategy

BESIDE = re.compile(r"(^|/)(docs?|examples?|bench(mark)?s?|tools)/")
"""Code that no test of a project reaches."""
TEST_FILES = ("*test_*.py", "*tests.py")
"""Where the demonstrator looks for the test file of a function."""
CALLS = 3
"""How often one test file calls a function that it would notice, or most likely."""
ENOUGH = 32
"""Functions to choose from, for many more tries than a play has by default."""


def within_reach(source: Source, say: Dialect) -> tuple[Source, Dialect]:
    """A repository and its language, kept to functions that a test file calls often, by a name that only they have.

    For others the demonstrator finds no test file, or a wrong one, and runs all tests there are: in a large repository
    no command may take as long. Where fewer than ENOUGH functions are so, everything is left as it was.
    """
    if say is not PYTHON:
        return source, say
    inside = replace(source, files={path: text for path, text in source.files.items() if not BESIDE.search(path)})
    tests = [text for path, text in inside.files.items() if any(fnmatch(path, pattern) for pattern in TEST_FILES)]
    called = {name for text in tests for name, times in Counter(NAME_CALL.findall(text)).items() if times >= CALLS}
    defined = Counter(last_name(function) for function in inside.readable)
    names = frozenset(name for name in called if defined[name] == 1)
    reached = replace(say, may_be_tested=lambda _, name: name in names)
    enough = sum(last_name(function) in names for function in inside.functions) >= ENOUGH
    return (inside, reached) if enough else (source, say)


def something_to_play(source: Source, strategy: Strategy, say: Dialect) -> bool:
    """Whether there is any function that the demonstrator would change by a strategy."""
    return any(playable(source, function, strategy, say) for function in source.functions)
