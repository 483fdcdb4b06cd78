"""One generation of training: a batch and a checkpoint in, the next checkpoint out; any number of ranks."""

import logging
import math
import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.optim import AdamW
from transformers import PreTrainedModel

from ssr.digests import DIGESTS
from ssr.errors import TrainingError
from ssr.seeds import seed_of
from ssr.training import checkpoint as checkpoints
from ssr.training.lora import merged
from ssr.training.metrics import StepMetrics
from ssr.training.objective import Monitors, policy_loss
from ssr.training.plan import collate, number_of_steps, split_ranks, split_steps, used_length
from ssr.training.policy import Policy, load_policy
from ssr.training.shape import FAMILIES, read_shape
from ssr.training.state import read_state
from ssr.training.trajectory import Trajectory

if TYPE_CHECKING:
    from ssr.config import TrainingConfig

logger = logging.getLogger(__name__)


def make_deterministic(threads: int) -> None:
    """Same inputs, same bytes: deterministic kernels, a fixed number of threads. Call before any GPU work."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    os.environ.setdefault("FLASH_ATTENTION_DETERMINISTIC", "1")
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_num_threads(threads)


def learning_rate(config: "TrainingConfig", step: int) -> float:
    """Of the optimizer step that follows `step` finished ones: linear warm-up over the run, then constant."""
    return config.learning_rate * min(1.0, (step + 1) / config.warmup_steps if config.warmup_steps else 1.0)


class Trainer:
    """The model, its optimizer and the step count of one checkpoint, spread over the ranks of an Accelerator."""

    def __init__(
        self,
        checkpoint: Path,
        config: "TrainingConfig",
        accelerator: Accelerator,
        dtype: str = "float32",
        policy: Policy | None = None,
    ) -> None:
        """Load a checkpoint, or take a `policy` that is loaded and has its place.

        Raises TrainingError if the checkpoint is damaged, or no model that can be trained packed.
        """
        if (checkpoint / DIGESTS).is_file():
            checkpoints.verify(checkpoint)
        self.config, self.accelerator, self.checkpoint = config, accelerator, checkpoint
        self.step: int = read_state(checkpoint)["step"]
        torch.manual_seed(seed_of("training", self.step))
        policy = policy or load_policy(checkpoint, config, dtype)
        self.cost = _cost(policy.model)
        optimizer = AdamW(
            [parameter for parameter in policy.parameters() if parameter.requires_grad],
            lr=config.learning_rate,
            betas=config.adam_betas,
            weight_decay=config.weight_decay,
            fused=accelerator.device.type == "cuda",
        )
        self.policy, self.optimizer = accelerator.prepare(policy, optimizer)
        self.policy.train()
        checkpoints.load_optimizer(checkpoint, self.model, self.optimizer.optimizer)

    @property
    def model(self) -> PreTrainedModel:
        """The model without what Accelerate put around it."""
        model: PreTrainedModel = self.accelerator.unwrap_model(self.policy).model
        return model

    def train(
        self,
        rows: Sequence[Trajectory],
        done: Sequence[StepMetrics] = (),
        after: Callable[[Sequence[StepMetrics]], None] = lambda _: None,
    ) -> list[StepMetrics]:
        """Train on a batch, `config.steps` optimizer steps or what `config.batch_tokens` makes of it.

        `done` are the steps of this batch that the checkpoint has behind it; `after` is told all finished ones after
        each but the last. Raises TrainingError for rows without advantage.
        """
        unready = next((row.episode_id for row in rows if row.advantage is None), None)
        if unready is not None:
            raise TrainingError(f"episode {unready!r} has no advantage: prepare the batch first")
        if not rows:
            return [StepMetrics(self.step, 0, 0, 0, 0, learning_rate(self.config, self.step))]
        steps = number_of_steps(sum(used_length(row) for row in rows), self.config)
        parts = split_steps(rows, steps, self.step - len(done))
        finished = list(done)
        for part in parts[len(done) :]:
            finished.append(self.train_step(part))
            if len(finished) < len(parts):
                after(finished)
        return finished

    def train_step(self, rows: Sequence[Trajectory]) -> StepMetrics:
        """One optimizer step on all of `rows`, this rank taking its share.

        The loss is a sum over sampled tokens, divided by their number over all ranks and packs. Raises TrainingError
        for a loss or gradient that is not finite.
        """
        started = time.perf_counter()
        accelerator, config = self.accelerator, self.config
        lengths = [used_length(row) for row in rows]
        ranks, budget = accelerator.num_processes, config.microbatch_tokens
        packs = split_ranks(lengths, ranks, budget, self.cost)[accelerator.process_index]
        sampled = sum(row.sampled_tokens for row in rows)
        rate = learning_rate(config, self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        monitors = self._accumulate([[rows[i] for i in pack] for pack in packs], rows[0], sampled)
        norm = float(checkpoints.whole(accelerator.clip_grad_norm_(self.policy.parameters(), config.max_grad_norm)))
        if not (math.isfinite(norm) and math.isfinite(monitors.loss)):
            raise TrainingError(
                f"step {self.step + 1}: loss {monitors.loss} or gradient norm {norm} is not finite; "
                f"the checkpoint {self.checkpoint} is the last good one"
            )
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        self._log(sum(lengths), time.perf_counter() - started)
        return StepMetrics(
            step=self.step,
            rows=len(rows),
            tokens=sum(lengths),
            sampled_tokens=sampled,
            packs=len(packs) * ranks,
            learning_rate=rate,
            loss=monitors.loss / sampled,
            grad_norm=norm,
            entropy=monitors.entropy / sampled,
            ratio_mean=monitors.ratio / sampled,
            ratio_max=monitors.ratio_max,
            clipped_share=monitors.clipped / sampled,
            kl=monitors.kl / sampled,
        )

    def _accumulate(self, packs: Sequence[Sequence[Trajectory]], spare: Trajectory, sampled: int) -> Monitors:
        """Sum this rank's gradients; monitors are those of all ranks. An empty pack runs `spare` with weight 0."""
        total = Monitors()
        for number, rows in enumerate(packs, start=1):
            # Shards of gradients are summed where they are kept; whole ones are exchanged once, after the last pack.
            exchange = self.accelerator.is_fsdp2 or number == len(packs)
            with nullcontext() if exchange else self.accelerator.no_sync(self.policy):
                total += self._backward(rows or [spare], 0.0 if not rows else 1 / sampled)
        return self._reduce(total)

    def _backward(self, rows: Sequence[Trajectory], weight: float) -> Monitors:
        tokens, targets, behaviour, advantages = collate(rows)
        device = self.accelerator.device
        logprobs, entropy = self.policy(tokens.to(device), targets.to(device))
        loss, monitors = policy_loss(logprobs, entropy, behaviour.to(device), advantages.to(device), self.config)
        # Data parallel training averages gradients over ranks, and this is a sum.
        self.accelerator.backward(loss * (weight * self.accelerator.num_processes))
        return monitors if weight else Monitors()

    def _reduce(self, monitors: Monitors) -> Monitors:
        if self.accelerator.num_processes == 1:
            return monitors
        names = list(asdict(monitors))
        mine = torch.tensor(list(asdict(monitors).values()), dtype=torch.float64, device=self.accelerator.device)
        gathered: Tensor = self.accelerator.gather(mine[None])
        return sum((Monitors(**dict(zip(names, row, strict=True))) for row in gathered.tolist()), Monitors())

    def save(self, folder: Path, more: dict[str, Any] | None = None) -> None:
        """Write the checkpoint, `more` in its trainer state, from the main process; every rank must call it."""
        main = self.accelerator.is_main_process
        optimizer = checkpoints.optimizer_tensors(self.model, self.optimizer.optimizer, keep=main)
        weights = checkpoints.weight_tensors(self.model, keep=main)
        if main:
            adapter = None
            if self.config.lora is not None:
                weights, adapter = merged(weights, self.config.lora)
            state = {"step": self.step} | (more or {})
            checkpoints.save_checkpoint(folder, self.model, self.checkpoint, state, optimizer or None, weights, adapter)
        self.accelerator.wait_for_everyone()

    def _log(self, tokens: int, seconds: float) -> None:
        ranks = self.accelerator.num_processes
        if self.accelerator.is_main_process:
            speed, plural = tokens / seconds, "s" if ranks > 1 else ""
            logger.info("step %d: %d tokens, %.0f tokens/s on %d rank%s", self.step, tokens, speed, ranks, plural)


def _cost(model: PreTrainedModel) -> Callable[[int], int]:
    """What a sequence of some length costs this model; squared lengths where its shape is not known."""
    config = model.config.get_text_config().to_dict()
    return read_shape(config).cost if config["model_type"] in FAMILIES else lambda length: length**2
