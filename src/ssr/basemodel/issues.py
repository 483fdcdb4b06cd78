"""Issues in words for drills: the benchmarks' own sentences around observations that are made up."""

import random
import re
from collections.abc import Sequence

from ssr.basemodel.corpus import Source, last_name
from ssr.basemodel.symptoms import VALUES, Symptom
from ssr.evaluation.observed import Observation
from ssr.evaluation.statements import complaint_of, statement
from ssr.repository.places import Function

EQUALITY = re.compile(r"\s*assert (.+) == (.+)|\s*self\.assertEqual\((.+), (.+)\)")
RAISED = ("TypeError", "AttributeError", "KeyError", "IndexError", "ValueError", "NameError", "RecursionError")
WORDS = (
    "basic",
    "typed",
    "empty",
    "nested",
    "default",
    "copy",
    "clear",
    "missing",
    "order",
    "repr",
    "twice",
    "keyword",
)
LONGEST = 70
TOLD = 0.7
"""Share of the issues that tell what the mutated line brings about, where it shows; the others invent something."""


def made_up_issue(
    source: Source, functions: Sequence[Function], symptoms: Sequence[Symptom], rng: random.Random
) -> str:
    """A problem statement about some functions, as the built-in benchmarks would word it; it tells their symptoms."""
    pairs = zip(functions, symptoms, strict=True)
    complaints = [complaint_of(function, _observation(source, function, symptom, rng)) for function, symptom in pairs]
    return statement(complaints, rng.randrange(2**32))


def _observation(source: Source, function: Function, symptom: Symptom, rng: random.Random) -> Observation:
    test = (
        f"test_{rng.choice(WORDS)}_{last_name(function).strip('_')}"
        if rng.random() < 0.5
        else f"test_{rng.choice(WORDS)}"
    )
    call, expected = _quoted(source, function, rng)
    call = call if rng.random() < 0.6 else ""
    if symptom and rng.random() < TOLD:
        return Observation(test, call=call, **symptom)
    kind = rng.random()
    if kind < 0.4:
        return Observation(test, call=call, expected=expected or rng.choice(VALUES), got=rng.choice(VALUES))
    if kind < 0.75:
        name = rng.choice(RAISED)
        complaint = rng.choice(
            ("", f"'{rng.choice(WORDS)}'", rng.choice(VALUES), f"{last_name(function)}() takes no arguments")
        )
        return Observation(test, call=call, raised=name, complaint=complaint)
    return Observation(test, call=call, missing=rng.choice(RAISED)) if kind < 0.88 else Observation(test)


def _quoted(source: Source, function: Function, rng: random.Random) -> tuple[str, str]:
    """Both sides of a short equality that a test asserts of the function, if there is one."""
    lines = source.test_lines.get(last_name(function), []) or source.test_lines.get(function.bare_name, [])
    texts = [source.files[line.path].split("\n")[line.line - 1] for line in lines]
    sides = [[side for side in found.groups() if side] for text in texts if (found := EQUALITY.fullmatch(text))]
    short = [(pair[0], pair[1]) for pair in sides if max(map(len, pair)) <= LONGEST]
    return rng.choice(short) if short else (f"{function.bare_name}({rng.choice(VALUES)})", "")
