"""Which bugs are played: each once, and of an earlier run, for repair-only training, those that can be solved (figure
9a)."""

from collections.abc import Iterable, Mapping, Sequence

from ssr.game.instance import Instance
from ssr.selfplay.duplicates import fingerprint


def good_bugs(instances: Iterable[Instance], rates: Mapping[str, float]) -> list[Instance]:
    """Instances that at least one attempt solved, the first of those that are the same, in the order given.

    `rates` is the solve rate of each instance.
    """
    return distinct(instance for instance in instances if rates.get(instance.instance_id, 0.0) > 0)


def distinct(instances: Iterable[Instance]) -> list[Instance]:
    """The first of the instances that are the same (`ssr.selfplay.duplicates`), in the order given."""
    kept: dict[str, Instance] = {}
    for instance in instances:
        name = fingerprint(instance.bug_inject_diff, instance.repo, instance.base_commit, instance.failed_patch)
        kept.setdefault(name, instance)
    return list(kept.values())


def solve_rates_of(rows: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """Solve rate of every instance, of both orders, from rows of episodes.parquet; infrastructure failures left out."""
    outcomes: dict[str, list[bool]] = {}
    for row in rows:
        if row["exit_reason"] != "infrastructure":
            outcomes.setdefault(str(row["instance_id"]), []).append(bool(row["solved"]))
    return {name: sum(results) / len(results) for name, results in outcomes.items()}
