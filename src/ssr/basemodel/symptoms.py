"""Symptoms: what a failing test could tell of a mutation, as far as the changed line and those below it show."""

import random
import re
from collections.abc import Iterator

from ssr.repository.mutation_rules import ARITHMETIC
from ssr.repository.mutations import Mutation

Symptom = dict[str, str]
"""Parts of an Observation."""
VALUES = ("0", "1", "2", "None", "True", "False", "[]", "{}", "''", "[1, 2, 3]", "(1, 2)", "3")
TYPES = ("str", "int", "list", "tuple", "dict")
OWNERS = (*TYPES, "NoneType", "function", "type")
OUT_OF_RANGE = ("list index out of range", "tuple index out of range", "string index out of range", "no such group", "")
OPERATORS = "|".join(re.escape(new) for _, new in ARITHMETIC.values())
OPPOSITE = {"True": "False", "False": "True"}
BELOW = 3
"""Lines below a condition where an exception that it guards may be raised."""


def symptom_of(mutation: Mutation, broken: str, rng: random.Random) -> Symptom:
    """One symptom of a mutation in its `broken` text; empty where the lines tell none."""
    below = broken.split("\n")[mutation.line : mutation.line + BELOW]
    found = list(_symptoms(mutation, below, rng))
    return rng.choice(found) if found else {}


def _symptoms(mutation: Mutation, below: list[str], rng: random.Random) -> Iterator[Symptom]:
    line, kind = mutation.after, mutation.kind
    new, gone = _apart(line, mutation.before), _apart(mutation.before, line)
    yield from _of_names(line, new, gone, rng)
    if line.endswith("return None"):
        yield {"got": "None", "expected": rng.choice([value for value in VALUES if value != "None"])}
    if new and new[0] in OPPOSITE:
        yield {"got": new[0], "expected": OPPOSITE[new[0]]}
    elif "return" in line and kind in ("negation", "comparison", "boolean"):
        got, expected = rng.choice(list(OPPOSITE.items()))
        yield {"got": got, "expected": expected}
    if kind == "arithmetic" and (signs := re.findall(OPERATORS, line)):
        one, other = rng.choices(TYPES, k=2)
        complaint = f"unsupported operand type(s) for {rng.choice(signs)}: '{one}' and '{other}'"
        yield {"raised": "TypeError", "complaint": complaint}
    if kind in ("off_by_one", "slice") and re.search(r"[\[(]\d", line):
        yield {"raised": "IndexError", "complaint": rng.choice(OUT_OF_RANGE)}
    if re.match(r"\s*(el)?if\b", line):
        for raised in re.findall(r"\braise (\w+)", "\n".join(below)):
            yield {"raised": raised}
            yield {"missing": raised}


def _of_names(line: str, new: list[str], gone: list[str], rng: random.Random) -> Iterator[Symptom]:
    """Symptoms of one name taken for another."""
    if len(new) != 1 or len(gone) != 1 or not new[0].isidentifier():
        return
    name = new[0]
    if name.endswith(("Error", "Exception")):
        yield {"raised": name if "raise" in line else gone[0], "complaint": rng.choice(("", *VALUES))}
        yield {"missing": gone[0]}
    elif f".{name}" in line:
        yield {"raised": "AttributeError", "complaint": f"'{rng.choice(OWNERS)}' object has no attribute '{name}'"}
    elif f"{name}(" in line:
        complaint = rng.choice(
            (f"{name} expected 2 arguments, got 3", f"'{rng.choice(OWNERS)}' object is not iterable")
        )
        yield {"raised": "TypeError", "complaint": complaint}


def _apart(one: str, other: str) -> list[str]:
    """Words of a text that another lacks."""
    known = set(re.findall(r"\w+", other))
    return [word for word in re.findall(r"\w+", one) if word not in known]
