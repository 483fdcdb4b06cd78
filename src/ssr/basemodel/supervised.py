"""Supervised training of the small base model, for pre-training and for demonstrations alike."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

from ssr.basemodel.documents import Document
from ssr.basemodel.unfinished import Unfinished
from ssr.config import BasemodelConfig

if TYPE_CHECKING:
    from transformers import Qwen3ForCausalLM

HEARD_SHARE = 0.4
"""Share of the tokens that nobody said which still enter the loss in pre-training."""
SAVE_EVERY = 200
"""Steps between two states that a killed stage can go on from."""


@dataclass(frozen=True)
class Progress:
    """What a training log line says."""

    step: int
    tokens: int
    loss_said: float
    loss_heard: float
    trained: int
    """Tokens since training began or went on."""
    seconds: float


def new_model(config: BasemodelConfig, pad_id: int, eos_id: int, context: int) -> "Qwen3ForCausalLM":
    """A Qwen3 model with random weights of the recipe's size."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    shape = Qwen3Config(
        vocab_size=config.vocabulary,
        hidden_size=config.hidden,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.heads // 2,
        head_dim=config.hidden // config.heads,
        intermediate_size=config.intermediate,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        initializer_range=0.02,
        bos_token_id=None,
        eos_token_id=eos_id,
        pad_token_id=pad_id,
    )
    return Qwen3ForCausalLM(shape)


class Trainer:
    """Muon for the matrices inside the layers, AdamW for the rest; a constant rate, then linear decay.

    `budget` counts tokens, `decay` is the share of it in which the rate falls, `heard` the share of the tokens nobody
    said that enter the loss; with `half` matrix products are bfloat16.
    """

    def __init__(
        self,
        model: "Qwen3ForCausalLM",
        *,
        budget: int,
        rate: float,
        decay: float,
        heard: float,
        seed: int,
        half: bool = False,
    ) -> None:
        self.model, self.budget, self.heard, self.decay, self.half = model, budget, heard, decay, half
        inner = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n and "lm_head" not in n]
        chosen = {id(p) for p in inner}
        rest = [p for p in model.parameters() if id(p) not in chosen]
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(inner, lr=rate, momentum=0.95, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.95), weight_decay=0.0),
        ]
        self.rate = rate
        self.rng = np.random.default_rng(seed)
        self.step = self.tokens = 0

    def run(
        self,
        stream: Iterator[list[Document]],
        report: Callable[[Progress], None],
        unfinished: Unfinished | None = None,
    ) -> None:
        """Train until the budget of tokens is spent, from the beginning of `stream` or from where `unfinished` is."""
        self._go_on(stream, unfinished.read() if unfinished else None)
        start, before = time.monotonic(), self.tokens
        while self.tokens < self.budget:
            batch = next(stream)
            said, heard = self._update(batch)
            self.step += 1
            self.tokens += sum(len(document.ids) for document in batch)
            report(Progress(self.step, self.tokens, said, heard, self.tokens - before, time.monotonic() - start))
            if unfinished and self.step % SAVE_EVERY == 0:
                unfinished.write(self._state())

    def _state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "rng": json.dumps(self.rng.bit_generator.state),
            "step": self.step,
            "tokens": self.tokens,
        }

    def _go_on(self, stream: Iterator[list[Document]], state: dict[str, Any] | None) -> None:
        """Take up a kept state, and leave out of the stream what was trained on."""
        if state is None:
            return
        self.model.load_state_dict(state["model"])
        for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self.rng.bit_generator.state = json.loads(state["rng"])
        self.step, self.tokens = state["step"], state["tokens"]
        for _ in range(self.step):
            next(stream)

    def _update(self, batch: list[Document]) -> tuple[float, float]:
        ids, said, heard = self._tensors(batch)
        mask = said | heard
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            hidden = self.model.model(input_ids=ids[:, :-1]).last_hidden_state
            logits = hidden[mask] @ self.model.lm_head.weight.T
        losses = F.cross_entropy(logits.float(), ids[:, 1:][mask], reduction="none")
        losses.mean().backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.rate * self._schedule()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        of_said = said[mask]
        return losses[of_said].mean().item(), losses[~of_said].mean().item() if heard.any() else 0.0

    def _schedule(self) -> float:
        left = 1.0 - self.tokens / self.budget
        falling = max(0.02, left / self.decay) if self.decay else 1.0
        return min(1.0, (self.step + 1) / 40, falling)

    def _tensors(self, batch: list[Document]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Right-padded ids [documents, length], and which next tokens [documents, length - 1] were said or heard."""
        length = max(len(document.ids) for document in batch)
        ids = np.zeros((len(batch), length), dtype=np.int64)
        said = np.zeros((len(batch), length), dtype=bool)
        heard = np.zeros((len(batch), length), dtype=bool)
        for row, document in enumerate(batch):
            count = len(document.ids)
            ids[row, :count] = document.ids
            said[row, :count] = document.said
            heard[row, :count] = ~document.said & (self.rng.random(count) < self.heard)
            if document.mistaken is not None:
                heard[row, :count] &= ~document.mistaken
        return torch.from_numpy(ids), torch.from_numpy(said[:, 1:]), torch.from_numpy(heard[:, 1:])


def log_lines(every: int) -> Callable[[Progress], None]:
    """A report that prints the mean losses of each `every` steps."""
    window: list[Progress] = []

    def report(progress: Progress) -> None:
        window.append(progress)
        if len(window) == every:
            said, heard = (
                sum(values) / every for values in zip(*((p.loss_said, p.loss_heard) for p in window), strict=True)
            )
            speed = f"{progress.trained / progress.seconds:.0f} tokens/s"
            print(
                f"step {progress.step}  tokens {progress.tokens}  said {said:.4f}  heard {heard:.4f}  {speed}",
                flush=True,
            )
            window.clear()

    return report
