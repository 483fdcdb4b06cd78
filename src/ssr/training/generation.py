"""From the episodes of a generation to its batch file: the stage `ssr batch`."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from ssr.config import SelfplayConfig, load_scale
from ssr.errors import RunCollapsed, TrainingError
from ssr.selfplay.stages import collect_generation
from ssr.training.batch import STATISTICS, Statistics, Trajectory, prepare, write_batch
from ssr.training.state import read_state


def prepare_generation(
    scale_file: Path,
    run: str,
    injected: Sequence[Path],
    checked: Sequence[Path],
    solved: Sequence[Path],
    checkpoint: Path,
    out: Path,
) -> Statistics:
    """Write a generation's batch, advantages and all; returns, and keeps in the file, what was left out and why.

    `checkpoint` is the one that will be trained: its step says how old each trajectory is. Raises RunCollapsed when
    what the policy samples has become gibberish or repetition.
    """
    scale = load_scale(scale_file).for_run(run)
    trajectories, unrewarded = collect_generation(scale, injected, checked, solved)
    rows = [Trajectory(**fields) for fields in trajectories]
    kept, statistics = prepare(rows, scale.training, read_state(checkpoint)["step"])
    statistics |= unrewarded
    stop_collapsed(statistics, scale.selfplay, checkpoint)
    write_batch(out, kept, statistics)
    return statistics


def stop_collapsed(statistics: Statistics, config: SelfplayConfig, checkpoint: Path) -> None:
    """Raise RunCollapsed where a rate is above what `selfplay` allows (appendix E.3)."""
    limits = {"gibberish": config.max_gibberish, "repetition": config.max_repetition}
    for name, limit in limits.items():
        rate = statistics[f"{name}_rate"]
        if rate > limit:
            raise RunCollapsed(
                f"the run has collapsed: {rate:.0%} of what the model samples is {name}, more than "
                f"selfplay.max_{name} allows ({limit:.0%}); {checkpoint} was not trained on. Start again from an "
                "earlier generation with a lower training.learning_rate, or raise the key to go on"
            )


def read_statistics(batch: Path) -> Statistics:
    """What `prepare` counted when it made a batch file. Raises TrainingError for a file without."""
    metadata = pq.read_schema(batch).metadata or {}
    if STATISTICS not in metadata:
        raise TrainingError(f"{batch} carries no statistics; make it with `ssr batch`")
    statistics: Statistics = json.loads(metadata[STATISTICS])
    return statistics
