import random

import pytest

from ssr.basemodel.breaking import choose_mutation
from ssr.basemodel.corpus import Source
from ssr.basemodel.issues import made_up_issue
from ssr.basemodel.symptoms import symptom_of
from ssr.repository.mutations import mutations_of
from ssr.repository.places import Function, functions_of

TEXT = """\
def pop(self, key):
    if key not in self:
        raise KeyError(key)
    total = self.first + 1
    return self.items[0]


def get(self, value):
    return value
"""


@pytest.mark.parametrize(
    ("mutated", "told"),
    [
        ("raise IndexError(key)", {"raised": "IndexError"}),
        ("raise IndexError(key)", {"missing": "KeyError"}),
        ("if key in self", {"raised": "KeyError"}),
        ("if key in self", {"missing": "KeyError"}),
        ("self.last + 1", {"raised": "AttributeError"}),
        ("self.first - 1", {"raised": "TypeError"}),
        ("return None", {"got": "None"}),
        ("self.items[1]", {"raised": "IndexError"}),
    ],
)
def test_a_symptom_is_what_the_changed_line_brings_about(mutated: str, told: dict[str, str]) -> None:
    mutations = [m for function in functions_of(TEXT, "a.py") for m in mutations_of(TEXT, function)]
    mutation = next(m for m in mutations if mutated in m.after)
    found = [symptom_of(mutation, mutation.apply(TEXT), random.Random(seed)) for seed in range(12)]
    assert any(told.items() <= symptom.items() for symptom in found)


def test_most_issues_about_a_line_that_tells_something_say_it(library: list[Function]) -> None:
    rng, said = random.Random(3), []
    for function in library:
        text = "\n" * (function.first_line - 1) + function.source + "\n"
        mutation = choose_mutation(text, function, rng, lambda mutation: mutation.recoverable)
        symptom = symptom_of(mutation, mutation.apply(text), rng) if mutation else {}
        if symptom.get("raised"):
            told = made_up_issue(Source("library", {}), [function], [symptom], rng)
            said.append(symptom["raised"] in told and symptom.get("complaint", "") in told)
    assert len(said) > 15
    assert 0.5 < sum(said) / len(said) < 0.95
