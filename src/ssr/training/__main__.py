"""`accelerate launch -m ssr.training`: train one generation (section 3, appendix C)."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from transformers.utils import logging as transformers_logging

from ssr.config import load_scale
from ssr.errors import SSRError, TrainingError, storage_named
from ssr.lifetime import end_with_parent
from ssr.logs import start_logging
from ssr.training.batch import read_batch
from ssr.training.checkpoint import give_up_state
from ssr.training.events import EventFile
from ssr.training.metrics import StepMetrics, write_metrics
from ssr.training.parallel import accelerator_of
from ssr.training.resume import Unfinished, forget_unfinished, work_key
from ssr.training.trainer import Trainer, make_deterministic


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a generation; returns the exit code."""
    options = _parser().parse_args(arguments)
    end_with_parent()
    start_logging(default="info")
    transformers_logging.disable_progress_bar()
    try:
        with storage_named():
            _run(options)
    except SSRError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="accelerate launch -m ssr.training", description=__doc__)
    parser.add_argument("--scale", type=Path, required=True, help="the scale's YAML file")
    parser.add_argument("--run", required=True, help="a run of the scale")
    parser.add_argument("--batch", type=Path, required=True, help="trajectories with advantages (parquet)")
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder of the checkpoint to start from")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint to write")
    parser.add_argument("--metrics", type=Path, help="one row an optimizer step (parquet)")
    parser.add_argument("--spent", type=Path, help="folder of an old checkpoint that gives up its optimizer state then")
    parser.add_argument("--events", type=Path, help="folder of event files for TensorBoard")
    return parser


def _run(options: argparse.Namespace) -> None:
    scale = load_scale(options.scale).for_run(options.run)
    config, dtype = scale.training, scale.model.dtype
    make_deterministic(config.threads)
    accelerator = accelerator_of(config, dtype)
    if accelerator.num_processes != config.processes:
        raise TrainingError(
            f"launched with {accelerator.num_processes} processes, but the scale says {config.processes}"
        )
    work = Unfinished(options.out, work_key(options.batch, options.checkpoint, config, dtype))
    start, done = work.find() or (options.checkpoint, [])
    accelerator.wait_for_everyone()
    trainer = Trainer(start, config, accelerator, dtype)
    logged = options.events and accelerator.is_main_process
    events = EventFile(options.events, trainer.step + 1) if logged else None

    def keep(finished: Sequence[StepMetrics]) -> None:
        if events:
            events.add(finished[-1])
        if config.resume_every and len(finished) % config.resume_every == 0:
            trainer.save(work.folder, work.state(finished))

    metrics = trainer.train(read_batch(options.batch), done, keep)
    if events:
        events.add(metrics[-1])
        events.close()
    trainer.save(options.out)
    if accelerator.is_main_process:
        if options.metrics:
            write_metrics(options.metrics, metrics)
        forget_unfinished(options.checkpoint)
        if options.spent:
            give_up_state(options.spent)
    accelerator.end_training()


if __name__ == "__main__":
    sys.exit(main())
