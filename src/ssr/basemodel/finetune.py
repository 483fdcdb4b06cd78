"""Supervised training on the demonstrator's episodes, mixed with drills so that repair stays general."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from ssr.basemodel.documents import Document, batches, document_of
from ssr.basemodel.drills import Conversation, Drills
from ssr.basemodel.pretrain import SEED, drills_of
from ssr.basemodel.supervised import HEARD_SHARE, Progress, Trainer
from ssr.basemodel.tokenizer import load_tokenizer
from ssr.config import Scale
from ssr.engine.chat import ChatCodec
from ssr.training.checkpoint import save_checkpoint

DEMONSTRATION_SHARE = 0.08
"""Share of the documents that are demonstrations."""
SHORT_SHARE = 0.5
"""Share of short drills among all drills, by number."""
DECAY = 0.8
"""Share of the budget in which the rate falls."""


def read_demonstrations(folder: Path) -> list[Document]:
    """Documents of the demonstrator's successful episodes, repository by repository."""
    paths = sorted(folder.glob("*.parquet"))
    rows = [row for path in paths for row in pq.read_table(path, columns=["token_ids", "loss_mask"]).to_pylist()]
    return [Document(np.array(row["token_ids"], np.int64), np.array(row["loss_mask"], bool)) for row in rows]


def finetune(
    scale: Scale,
    snapshots: Path,
    pretrained: Path,
    demonstrations: Path,
    out: Path,
    report: Callable[[Progress], None],
) -> None:
    """Train the pre-trained model on demonstrations and drills; the rate decays here."""
    import torch
    from transformers import Qwen3ForCausalLM

    recipe = scale.basemodel
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(SEED)
    tokenizer = load_tokenizer(pretrained)
    codec = ChatCodec(tokenizer)
    model = Qwen3ForCausalLM.from_pretrained(pretrained)
    trainer = Trainer(
        model,
        budget=recipe.finetuning_tokens,
        rate=recipe.finetuning_rate,
        decay=DECAY,
        heard=HEARD_SHARE,
        seed=SEED + 1,
        half=recipe.half,
    )
    episodes = read_demonstrations(demonstrations)
    drills = (document_of(c, codec, scale.agent) for c in _drilled(drills_of(scale, snapshots)))
    stream = batches(_mixed(episodes, drills), recipe.batch_tokens, scale.agent.context_tokens, SEED + 1)
    trainer.run(stream, report)
    save_checkpoint(out, model, pretrained, {"step": 0})


def _drilled(drills: Drills) -> Iterator[Conversation]:
    rng = random.Random(SEED + 7)
    whole = drills.stream(SEED + 7)
    while True:
        made = drills.short(rng, 0.0) if rng.random() < SHORT_SHARE else next(whole)
        if made is not None:
            yield made


def _mixed(episodes: list[Document], drills: Iterator[Document]) -> Iterator[Document]:
    """Demonstrations, each once before any comes again, and drills between them."""
    rng = random.Random(SEED)
    while True:
        for index in rng.sample(range(len(episodes)), len(episodes)):
            while rng.random() >= DEMONSTRATION_SHARE:
                yield next(drills)
            yield episodes[index]
