"""paper/REPRODUCTION.md, claim by claim: what the paper states, where the code does it, our number, agreement."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ssr.errors import EvaluationError
from ssr.paper.cells import markdown
from ssr.paper.data import Data
from ssr.paper.measures import MARGIN, Measure, finding

ANSWERS = {"agrees": "yes", "disagrees": "no", "no difference": "no difference", "": ""}
"""The answer to a question that the paper does not ask; undecided by every other agreement."""
INTRODUCTION = """# Reproduction, claim by claim

Written by `ssr reproduction` from `paper/claims.yaml` and {source}; do not edit it by hand.
Our numbers are points of resolve rate on the built-in benchmarks (*on* says which), where nothing else is said, by a
model of about a million parameters; the paper's are of SWE-bench and a 32B model. Only the direction can be compared.
In brackets stands the 95 % bootstrap interval over tasks (episodes or bugs, where the number is theirs) and seeds.
*agrees*: the whole interval lies on the paper's side; *leans the same way*: the number does, the interval does not;
*leans the other way* and *disagrees*: the same on the other side. *no difference*: the whole interval lies within
{margin:.0f} points of zero, which is also what "almost as well" is held to. *undecided*: the interval tells nothing.
Questions of ours are answered yes or no by the whole interval alone.
"""


class Claim(BaseModel):
    """One statement of the paper, or a question of ours, which no number of the paper answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str
    paper: str | None = None
    code: list[str]
    measure: Measure | None = None


def read_claims(path: Path) -> dict[str, list[Claim]]:
    """Claims by section. Raises EvaluationError."""
    try:
        return TypeAdapter(dict[str, list[Claim]]).validate_python(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise EvaluationError(f"{path} is no list of claims: {error}") from error


def reproduction(claims: dict[str, list[Claim]], data: Data, source: str) -> str:
    """The text of paper/REPRODUCTION.md; `source` says in words what the numbers are of."""
    parts = [INTRODUCTION.format(source=source, margin=100 * MARGIN)]
    for title, members in claims.items():
        ours = all(claim.paper is None for claim in members)
        header = ["the paper's statement", "its number", "the code", "on", "our number", "agreement"]
        if ours:
            header = ["our question", "the code", "on", "our number", "answer"]
        parts.append(f"## {title}\n\n{markdown(header, [_line(claim, data, ours) for claim in members])}")
    return "\n".join(parts)


def _line(claim: Claim, data: Data, ours: bool) -> list[str]:
    found = finding(claim.measure, data)
    code = ", ".join(f"[{Path(path).name}](../{path})" for path in claim.code)
    on = claim.measure.scored_on if claim.measure else ""
    if ours:
        return [claim.claim, code, on, found.number, ANSWERS.get(found.agreement, "undecided")]
    return [claim.claim, claim.paper or "none", code, on, found.number, found.agreement]
