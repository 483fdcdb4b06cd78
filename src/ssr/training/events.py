"""What each optimizer step says of itself, as TensorBoard reads it."""

from dataclasses import asdict
from pathlib import Path

from ssr.errors import ConfigError
from ssr.training.metrics import StepMetrics

SECONDS = 5


class EventFile:
    """A file of events in a folder, one for each time that a generation is trained."""

    def __init__(self, folder: Path, first: int) -> None:
        """`first` is the step that comes next: what the folder holds of it and of later ones no longer counts.

        Raises ConfigError where tensorboardX is not installed.
        """
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise ConfigError(
                "logging.tensorboard needs the package tensorboardX: install ssr[tensorboard], or leave the key false"
            ) from error
        self._writer = SummaryWriter(str(folder), purge_step=first, filename_suffix=f".{first:06d}", flush_secs=SECONDS)

    def add(self, metrics: StepMetrics) -> None:
        """Write a step's metrics, within SECONDS; what a step does not have is left out."""
        values = asdict(metrics)
        step = values.pop("step")
        for name, value in values.items():
            if value is not None:
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """End the file."""
        self._writer.close()
