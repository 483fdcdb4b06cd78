"""Signs that a policy collapses (appendix E.3): it repeats itself, or samples what it finds unlikely itself."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REPEATED_TOKENS = 8
"""Length of a run of tokens that counts as repeated when it was sampled before."""
STRETCH = 32
UNLIKELY = -3.0
"""Mean log-probability, in nats, below which a stretch of sampled tokens is gibberish. At temperature 1 it is minus the
entropy: code and prose lie near -0.5, a uniform choice among 4096 tokens at -8.3."""


@dataclass(frozen=True)
class Health:
    """Counts over sampled tokens; counts of several trajectories add up."""

    windows: int = 0
    """Runs of REPEATED_TOKENS sampled tokens."""
    repeated: int = 0
    """Of those, runs that the same trajectory sampled before."""
    tokens: int = 0
    gibberish: int = 0
    """Sampled tokens that stand in an unlikely stretch."""

    def __add__(self, other: "Health") -> "Health":
        return Health(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    @property
    def repetition_rate(self) -> float:
        """Share of the runs that are repeated, 0 of none."""
        return self.repeated / self.windows if self.windows else 0.0

    @property
    def gibberish_rate(self) -> float:
        """Share of the sampled tokens that are gibberish, 0 of none."""
        return self.gibberish / self.tokens if self.tokens else 0.0


def health_of(sampled: NDArray[np.int32], logprobs: NDArray[np.float32]) -> Health:
    """Health of one trajectory from its sampled tokens and their log-probabilities, in order."""
    windows = repeated = 0
    if len(sampled) >= REPEATED_TOKENS:
        runs = np.lib.stride_tricks.sliding_window_view(sampled, REPEATED_TOKENS)
        windows, repeated = len(runs), len(runs) - len(np.unique(runs, axis=0))
    return Health(windows, repeated, len(sampled), _unlikely(logprobs.astype(np.float64)))


def total(parts: Iterable[Health]) -> Health:
    """Counts of several trajectories together."""
    return sum(parts, Health())


def _unlikely(logprobs: NDArray[np.float64]) -> int:
    """Tokens in stretches of STRETCH (the last one of what is left) whose mean is below UNLIKELY."""
    stretches = np.split(logprobs, range(STRETCH, len(logprobs), STRETCH)) if len(logprobs) else []
    return sum(len(stretch) for stretch in stretches if stretch.mean() < UNLIKELY)
