"""What came out of a play: bugs tried, valid, and why not; solve rates; tokens; money."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ssr.play.metered import USAGE, Usage, read_usage
from ssr.selfplay.files import read_rows

SHARD = Path("play", "s0", "001", "00")
INJECTED = Path("inject") / SHARD
VALIDATED = Path("validate") / SHARD
SOLVED = Path("solve") / SHARD
WORDS = {
    "submitted": "handed in",
    "turn_limit": "gave up or ran out of turns",
    "context_limit": "ran out of context",
    "format_error": "wrote calls that cannot be read",
    "infrastructure": "the machine made fail",
}
"""How an episode ended -> what a person reads."""


@dataclass(frozen=True)
class SolveRate:
    """One bug, and how its attempts ended; those that the machine made fail are left out."""

    strategy: str
    order: int
    solved: int = 0
    attempts: int = 0
    tests: int = 0
    """Tests that the bug breaks; 0 for a second-order bug."""


@dataclass(frozen=True)
class Summary:
    """Everything that the command reports."""

    tried: int
    exits: dict[str, int]
    """How the injector's episodes ended -> how many."""
    submitted: int
    valid: int
    failures: dict[str, int]
    """Consistency check -> artifacts that failed it."""
    examples: dict[str, str]
    """Consistency check -> the reason of the first."""
    bugs: dict[str, SolveRate]
    usage: dict[str, Usage] = field(default_factory=dict)
    money: float | None = None
    dataset: str = ""
    folder: str = ""
    """What `ssr show --results` takes."""

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def summarise(out: Path, prices: tuple[float, float] | None) -> Summary:
    """Read the tables of a play; `prices` are for a million tokens read and written."""
    injected = read_rows([out / INJECTED / "episodes.parquet"], ["exit_reason"])
    checks = read_rows([out / VALIDATED / "checks.parquet"])
    usage = read_usage(out / USAGE)
    failed = [row for row in checks if not row["valid"]]
    examples: dict[str, str] = {}
    for row in failed:
        examples.setdefault(row["check"], row["reason"])
    return Summary(
        tried=len(injected),
        exits=dict(Counter(row["exit_reason"] for row in injected).most_common()),
        submitted=len(checks),
        valid=sum(row["valid"] for row in checks),
        failures=dict(Counter(row["check"] for row in failed).most_common()),
        examples=examples,
        bugs=_rates(out, {row["instance_id"]: row for row in checks if row["valid"]}),
        usage=usage,
        money=None if prices is None else sum(each.money(*prices) for each in usage.values()),
        dataset=str(out / "dataset") if (out / "dataset").is_dir() else "",
        folder=str(out),
    )


def _rates(out: Path, valid: Mapping[str, Mapping[str, Any]]) -> dict[str, SolveRate]:
    columns = ["instance_id", "strategy", "order", "exit_reason", "solved"]
    rows = read_rows([out / SOLVED / "episodes.parquet"], columns)
    found = {name: SolveRate(row["strategy"], 1, tests=row["fail_to_pass"]) for name, row in valid.items()}
    for row in rows:
        if row["exit_reason"] != "infrastructure":
            name = row["instance_id"]
            old = found.get(name, SolveRate(row["strategy"], row["order"]))
            found[name] = SolveRate(old.strategy, old.order, old.solved + row["solved"], old.attempts + 1, old.tests)
    return found


def lines_of(summary: Summary) -> list[str]:
    """The summary as a person reads it."""
    lines = [
        f"bugs tried      {summary.tried} ({_counts(summary.exits)})",
        f"handed in       {summary.submitted}",
        f"valid           {summary.valid}",
    ]
    for check, count in summary.failures.items():
        lines.append(f"  failed {check}: {count}, as: {summary.examples[check]}")
    attempts = sum(bug.attempts for bug in summary.bugs.values())
    solved = sum(bug.solved for bug in summary.bugs.values())
    lines.append(f"attempts solved {solved} of {attempts}")
    for name, bug in summary.bugs.items():
        order = f", order {bug.order}" if bug.order > 1 else f", breaks {bug.tests} test{'s' * (bug.tests != 1)}"
        lines.append(f"  {name}  {bug.solved} of {bug.attempts}  ({bug.strategy}{order})")
    for role, usage in summary.usage.items():
        tokens = f"{usage.prompt_tokens:,} read and {usage.completion_tokens:,} written"
        lines.append(f"tokens          {role}: {tokens} in {usage.turns} turns")
    if summary.money is not None:
        lines.append(f"money           {summary.money:.4f} at the prices given")
    lines.append(f"dataset         {summary.dataset or 'none: there is no valid bug'}")
    lines.append(f"more            ssr show run play --results {summary.folder}; ssr show episode ID shows each turn")
    return lines


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {WORDS.get(name, name)}" for name, count in counts.items())
