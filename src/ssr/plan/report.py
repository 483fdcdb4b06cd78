"""`ssr plan`: what a scale needs, as a table for people and as figures under stable keys."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ssr.config import Scale, load_scale
from ssr.plan.estimate import (
    GB,
    Assumptions,
    disk_bytes,
    engine_memory,
    rollout_hours,
    state_bytes,
    training_hours,
    training_memory,
    volume,
)
from ssr.plan.jobs import engine_processes
from ssr.training.shape import shape_of


def plan(scale_file: Path, gpu_gb: float, changes: dict[str, float], say: Callable[[str], None]) -> dict[str, Any]:
    """Print what the scale needs and return the figures. `changes` replace assumptions by name.

    Raises TrainingError for a model whose shape is not known.
    """
    scale = load_scale(scale_file)
    figures = figures_of(scale, Assumptions(**(asdict(Assumptions.of(scale)) | changes)))
    for line in lines(scale, figures, gpu_gb):
        say(line)
    return figures


def write(figures: dict[str, Any], path: Path) -> None:
    """The figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=2) + "\n")


def figures_of(scale: Scale, assumed: Assumptions) -> dict[str, Any]:
    """Every figure: bytes, tokens, hours. The first run of the scale stands for memory; totals are over all runs."""
    shape = shape_of(scale.model.base)
    runs = {name: scale.for_run(name) for name in scale.runs}
    first = next(iter(runs.values()))
    memory, engine = training_memory(shape, first, assumed), engine_memory(shape, first, assumed)
    of_first = volume(first, assumed)
    generations = first.selfplay.generations
    repeats = len(scale.seeds)
    all_tokens = sum(volume(run, assumed).tokens(run.selfplay.generations) for run in runs.values()) * repeats
    checkpoint, episodes = disk_bytes(shape, first, of_first.tokens(generations))
    kept = first.training.keep_states or generations
    unfinished = checkpoint if first.training.resume_every else 0
    run_bytes = checkpoint * generations + unfinished - state_bytes(shape, first) * max(0, generations - kept)
    played = sum(run.selfplay.generations for run in runs.values()) * repeats
    return {
        "scale": scale.name,
        "parameters": shape.parameters,
        "training_bytes": asdict(memory) | {"device": memory.device},
        "training_processes": first.training.processes,
        "engine_bytes": asdict(engine),
        "engines": first.selfplay.shards,
        "engine_processes": first.selfplay.shards * engine_processes(first.engine),
        "episodes_in_flight": first.selfplay.shards * first.engine.in_flight,
        "episodes_a_generation": of_first.episodes,
        "generations": generations,
        "steps": of_first.steps,
        "step_tokens": of_first.step_tokens,
        "packs_a_step": -(-of_first.step_tokens // first.training.microbatch_tokens),
        "accumulation_steps": of_first.accumulation,
        "generation_tokens": of_first.generation_tokens,
        "run_tokens": of_first.tokens(generations),
        "all_tokens": all_tokens,
        "training_hours": training_hours(shape, first, assumed, of_first.tokens(generations)),
        "rollout_hours": rollout_hours(first, assumed, of_first.tokens(generations)),
        "checkpoint_bytes": checkpoint,
        "run_disk_bytes": run_bytes + episodes,
        "all_disk_bytes": run_bytes * played // generations + disk_bytes(shape, first, all_tokens)[1],
        "assumptions": asdict(assumed),
    }


def lines(scale: Scale, figures: dict[str, Any], gpu_gb: float) -> list[str]:
    """The table, a line an entry."""
    memory, engine, assumed = figures["training_bytes"], figures["engine_bytes"], figures["assumptions"]
    run, training = next(iter(scale.runs)), scale.for_run(next(iter(scale.runs))).training
    half = scale.model.dtype == "bfloat16"
    room = gpu_gb * GB * 0.9 - engine["weights"]
    fit = max(0, int(room // engine["episode"]))
    verdict = "fits" if memory["device"] < gpu_gb * GB * 0.95 else "does not fit"
    lag = scale.for_run(run).selfplay.lag
    parts = ("weights", "gradients", "optimizer", "activations", "logits")
    return [
        f"scale {scale.name}: {scale.model.base}, {_count(figures['parameters'])} parameters, {scale.model.dtype}",
        "",
        f"training, one of {figures['training_processes']} processes"
        f" ({training.sharding}, activations: {training.activations}{', LoRA' if training.lora else ''})",
        *(f"  {part:<24}{_size(memory[part]):>12}" for part in parts),
        f"  {'together':<24}{_size(memory['device']):>12}"
        + (f"   {verdict} a GPU of {gpu_gb:g} GB" if half else "   beside Python and its libraries"),
        *([f"  {'on the host':<24}{_size(memory['host']):>12}"] if memory["host"] else []),
        "",
        f"engines: {figures['engines']} of kind {scale.engine.kind}, {figures['engine_processes']} processes",
        f"  {'weights':<24}{_size(engine['weights']):>12}",
        f"  {'KV cache an episode':<24}{_size(engine['episode']):>12}   at {assumed['episode_tokens']} tokens;"
        f" {_size(engine['conversation'])} at full context",
        f"  {'episodes in flight':<24}{figures['episodes_in_flight']:>12}   {scale.engine.in_flight} an engine"
        + (f", of which about {fit} fit a GPU of {gpu_gb:g} GB at once" if half else ""),
        "",
        f"run {run}: {figures['generations']} generations",
        f"  {'episodes a generation':<24}{figures['episodes_a_generation']:>12}",
        f"  {'tokens a generation':<24}{_count(figures['generation_tokens']):>12}",
        f"  {'tokens a step':<24}{_count(figures['step_tokens']):>12}   {figures['packs_a_step']} packs of"
        f" {training.microbatch_tokens}, {figures['accumulation_steps']} accumulated on each process",
        f"  {'optimizer steps':<24}{figures['steps']:>12}",
        f"  {'tokens':<24}{_count(figures['run_tokens']):>12}",
        f"  {'hours of training':<24}{figures['training_hours']:>12.1f}   at {assumed['flops']:.3g} FLOP/s a process",
        f"  {'hours of rollout':<24}{figures['rollout_hours']:>12.1f}   at {assumed['decoded']:.0f} tokens/s an engine"
        + (", beside training (lag 1 or more)" if lag else ""),
        f"  {'disk':<24}{_size(figures['run_disk_bytes']):>12}   a checkpoint {_size(figures['checkpoint_bytes'])}",
        "",
        f"all {len(scale.runs)} runs, {len(scale.seeds)} seed{'s' * (len(scale.seeds) > 1)}:"
        f" {_count(figures['all_tokens'])} tokens, {_size(figures['all_disk_bytes'])} on disk",
        f"assumed: {', '.join(f'{name} {value:g}' for name, value in assumed.items())}",
    ]


def _count(number: float) -> str:
    for size, name in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {name}"
    return f"{number:g}"


def _size(number: float) -> str:
    for size, name in ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB")):
        if number >= size:
            return f"{number / size:.1f} {name}"
    return f"{number / 2**10:.1f} KiB"
