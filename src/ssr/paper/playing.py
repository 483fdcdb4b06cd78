"""Metrics of self-play and training: what a generation's injectors and solvers did, and the trainer's monitors."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ssr.evaluation.statistics import mean_and_stderr
from ssr.paper.metrics import Row
from ssr.paper.summary import Summary, TableRow, different_bugs
from ssr.training.health import Health, total

Metric = dict[str, Any]


def playing_rows(summary: Summary) -> list[Row]:
    """How each generation of a run played, and each optimizer step."""
    steps: dict[int, int] = {}
    for row in summary.training:
        steps[row["generation"]] = max(row["step"], steps.get(row["generation"], 0))
    known: set[str] = set()
    rows = []
    for generation, step in sorted(steps.items()):
        episodes = [row for row in summary.episodes if row["generation"] == generation]
        artifacts = [row for row in summary.artifacts if row["generation"] == generation]
        metrics = [*_episode_metrics(episodes), *_check_metrics(artifacts), *_duplicate_metrics(artifacts, known)]
        metrics += _valid_metrics(episodes, artifacts)
        metrics += _solve_metrics([row for row in episodes if row["role"] == "solver"])
        rows += [Row(summary.run, summary.seed, generation, step, **metric) for metric in metrics]
    for row in summary.training:
        place = (summary.run, summary.seed, row["generation"], row["step"])
        rows += [Row(*place, **metric) for metric in _training_metrics(row)]
    return rows


def _mean(metric: str, values: Mapping[str, float]) -> Metric:
    value, stderr = mean_and_stderr(values)
    return {"metric": metric, "value": value, "stderr": stderr, "n": len(values)}


def _episode_metrics(episodes: Sequence[TableRow]) -> list[Metric]:
    """By role: how episodes ended, their length, mean reward of those that were trained on, gibberish, repetition."""
    metrics: list[Metric] = []
    for role in sorted({row["role"] for row in episodes}):
        own = [row for row in episodes if row["role"] == role]
        reasons = [row["exit_reason"] for row in own]
        for reason in sorted(set(reasons)):
            metrics.append({"metric": f"exit/{role}/{reason}", "value": reasons.count(reason), "n": len(own)})
        sound = [row for row in own if row["exit_reason"] != "infrastructure"]
        for name, column in (("length", "generated_tokens"), ("turns", "turns")):
            if sound:
                metrics.append(_mean(f"{name}/{role}", {row["episode_id"]: row[column] for row in sound}))
        trained = {row["episode_id"]: row["reward"] for row in own if row["trained"]}
        if trained:
            metrics.append(_mean(f"reward/{role}", trained))
        metrics += _health_metrics(sound, role)
    return [*metrics, *_health_metrics(episodes, "all")]


def _health_metrics(episodes: Sequence[TableRow], role: str) -> list[Metric]:
    """Gibberish and repetition among what was sampled, infrastructure failures left out."""
    sound = [row for row in episodes if row["exit_reason"] != "infrastructure"]
    health = total(Health(r["windows"], r["repeated"], r["generated_tokens"], r["gibberish"]) for r in sound)
    return [
        {"metric": f"gibberish/{role}", "value": health.gibberish_rate, "n": health.tokens},
        {"metric": f"repetition/{role}", "value": health.repetition_rate, "n": health.windows},
    ]


def injector_episodes(episodes: Sequence[TableRow]) -> list[TableRow]:
    """Those of the injector, without the ones whose machine failed."""
    return [row for row in episodes if row["role"] == "injector" and row["exit_reason"] != "infrastructure"]


def valid_episodes(episodes: Sequence[TableRow], artifacts: Sequence[TableRow]) -> dict[str, bool]:
    """Whether each injector episode ended in a valid artifact."""
    valid = {row["episode_id"] for row in artifacts if row["valid"]}
    return {row["episode_id"]: row["episode_id"] in valid for row in injector_episodes(episodes)}


def _valid_metrics(episodes: Sequence[TableRow], artifacts: Sequence[TableRow]) -> list[Metric]:
    outcomes = valid_episodes(episodes, artifacts)
    return [_mean("valid/episodes", outcomes)] if outcomes else []


def _check_metrics(artifacts: Sequence[TableRow]) -> list[Metric]:
    """Share of valid artifacts, all and by strategy, and how many fell at each consistency check."""
    if not artifacts:
        return []
    metrics = [_mean("valid", {row["episode_id"]: row["valid"] for row in artifacts})]
    for strategy in sorted({row["strategy"] for row in artifacts}):
        own = {row["episode_id"]: row["valid"] for row in artifacts if row["strategy"] == strategy}
        metrics.append(_mean(f"valid/{strategy}", own))
    failed = [row["check"] for row in artifacts if not row["valid"]]
    for check in sorted(set(failed)):
        metrics.append({"metric": f"failed/{check}", "value": failed.count(check), "n": len(artifacts)})
    return metrics


def _duplicate_metrics(artifacts: Sequence[TableRow], known: set[str]) -> list[Metric]:
    """Valid bugs with and without duplicates: all, different ones, and those of them that the run did not make before.

    `valid/distinct` is the share of valid artifacts if each bug counts once in a generation. `n` counts artifacts;
    `known` holds the fingerprints of the bugs before, and this generation's are added.
    """
    if not artifacts:
        return []
    bugs = different_bugs(artifacts)
    names = {row["fingerprint"] for row in bugs}
    valid = sum(row["valid"] for row in artifacts)
    counts = {"bugs": valid, "bugs/distinct": len(names), "bugs/new": len(names - known)}
    known |= names
    first = {row["episode_id"] for row in bugs}
    metrics = [{"metric": name, "value": value, "n": len(artifacts)} for name, value in counts.items()]
    return [*metrics, _mean("valid/distinct", {row["episode_id"]: row["episode_id"] in first for row in artifacts})]


def _solve_metrics(solves: Sequence[TableRow]) -> list[Metric]:
    """Mean solve rate over bugs and the share of bugs with both outcomes, by order; failed infrastructure left out."""
    metrics: list[Metric] = []
    for order in sorted({row["order"] for row in solves}):
        attempts: defaultdict[str, list[bool]] = defaultdict(list)
        for row in solves:
            if row["order"] == order and row["exit_reason"] != "infrastructure":
                attempts[row["instance_id"]].append(row["reward"] > 0)
        rates = {instance: sum(solved) / len(solved) for instance, solved in attempts.items()}
        if rates:
            metrics.append(_mean(f"solve_rate/order-{order}", rates))
            metrics.append(_mean(f"mixed/order-{order}", {instance: 0 < rate < 1 for instance, rate in rates.items()}))
    return metrics


def _training_metrics(row: TableRow) -> list[Metric]:
    """The trainer's monitors of one optimizer step; an empty batch has none of some."""
    place = ("run", "seed", "generation", "step")
    monitors = {name: value for name, value in row.items() if name not in place and value is not None}
    return [
        {"metric": f"training/{name}", "value": value, "n": row["sampled_tokens"]} for name, value in monitors.items()
    ]
