"""A checkpoint as a Hugging Face model repository: weights, tokenizer, and a card that says where they came from."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ssr.config import Scale
from ssr.digests import DIGESTS, write_digests
from ssr.errors import EvaluationError
from ssr.files import written

NOT_SHARED = ("training", "README.md", DIGESTS)
"""What only the trainer reads, and what is written anew."""


def export_checkpoint(
    scale: Scale, results: Path, run: str, seed: int, generation: int, licence: str, out: Path
) -> None:
    """Write a run's checkpoint into the folder `out`, with README.md and digests; generation 0 is the base model.

    Raises EvaluationError where the checkpoint is not made.
    """
    spot = Path(run, f"s{seed}", f"{generation:03d}")
    folder = results / "checkpoints" / (spot if generation else "000")
    if not (folder / DIGESTS).is_file():
        raise EvaluationError(f"{folder} is not made: run `snakemake {folder / DIGESTS}` first")
    state = json.loads((folder / "trainer.json").read_text()) if (folder / "trainer.json").is_file() else {"step": 0}
    reports = reports_of(results, spot if generation else Path("base", f"s{seed}", "000"))
    with written(out) as partial:
        shutil.copytree(folder, partial, ignore=shutil.ignore_patterns(*NOT_SHARED))
        (partial / "README.md").write_text(card(scale, run, seed, generation, int(state["step"]), reports, licence))
        write_digests(partial)


def reports_of(results: Path, spot: Path) -> list[dict[str, Any]]:
    """The reports of every benchmark that a checkpoint was scored on."""
    return [json.loads(path.read_text()) for path in sorted((results / "evaluate" / spot).glob("*/report.json"))]


def card(
    scale: Scale, run: str, seed: int, generation: int, step: int, reports: Sequence[Mapping[str, Any]], licence: str
) -> str:
    """The model's card: front matter as the hub reads it, then what the weights were made by and how they score."""
    name = f"{scale.name}-{run}-s{seed}-g{generation:03d}"
    head = {
        "license": licence,
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        **({} if Path(scale.model.base).is_dir() else {"base_model": scale.model.base}),
        "tags": ["code", "agent", "self-play", "reinforcement-learning"],
        "model-index": [{"name": name, "results": [_result(report) for report in reports]}],
    }
    keys = {"training": scale.training, "game": scale.game, "agent": scale.agent}
    used = {part: section.model_dump(mode="json", exclude_defaults=True) for part, section in keys.items()}
    return "\n".join([
        "---", yaml.safe_dump(head, sort_keys=False).rstrip(), "---",
        f"# {name}", "",
        f"Weights of Self-play SWE-RL: run `{run}`, seed {seed}, after generation {generation} ({step} optimizer",
        f"steps), at the scale `{scale.name}`, from `{scale.model.base}`. The same weights inject bugs and solve them,",
        f"by prompt alone, with tools in the call format `{scale.agent.call_format}` and the prompts",
        f"`{scale.agent.prompts}`.", "",
        "## Scores", "", *(_score(report) for report in reports), *(["Not scored."] if not reports else []), "",
        "## Keys that differ from the schema's defaults", "",
        "```yaml", yaml.safe_dump(used, sort_keys=True).rstrip(), "```", "",
    ])  # fmt: skip


def _result(report: Mapping[str, Any]) -> dict[str, Any]:
    metric = {"type": "resolved", "name": "share of problems resolved, one attempt", "value": _rate(report)}
    dataset = {"name": report["benchmark"], "type": report["benchmark"]}
    return {"task": {"type": "text-generation"}, "dataset": dataset, "metrics": [metric]}


def _rate(report: Mapping[str, Any]) -> float:
    resolved: list[bool] = list(report["resolved"].values())
    return round(sum(resolved) / len(resolved), 4)


def _score(report: Mapping[str, Any]) -> str:
    resolved = report["resolved"].values()
    return f"- {report['benchmark']}: {sum(resolved)} of {len(resolved)} problems resolved"
