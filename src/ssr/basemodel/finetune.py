"""Supervised training on the demonstrator's episodes, and on drills that keep repair general."""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from ssr.basemodel.conversation import Conversation
from ssr.basemodel.documents import Document, batches, document_of
from ssr.basemodel.drills import Drills
from ssr.basemodel.pretrain import PLAIN_SHARE, RECALL_LATER, SEED, drills_of, snapshots_of, undrilled
from ssr.basemodel.supervised import HEARD_SHARE, Progress, Trainer
from ssr.basemodel.tokenizer import load_tokenizer
from ssr.basemodel.unfinished import Unfinished, work_key
from ssr.config import AgentConfig, Scale
from ssr.engine.chat import ChatCodec
from ssr.training.checkpoint import save_checkpoint

DEMONSTRATION_SHARE = 0.04
"""Share of the documents that are demonstrations; the others are drills."""
DRILLS = {"whole": 0.2, "short": 0.77, "look": 0.03}
"""Shares of the drills, by number: a whole conversation, one turn without a prompt, a first turn that looks."""
MISTAKES = 0.1
"""Share of looks and edits in them that succeed only after one or more that do not."""
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
    """Train the pre-trained model on demonstrations and drills, where the rate decays; go on if it was killed."""
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
    drills = drills_of(scale, snapshots, MISTAKES)
    documents = mixed(read_demonstrations(demonstrations), _read_and_drilled(drills, codec, scale.agent))
    stream = batches(documents, recipe.batch_tokens, scale.agent.context_tokens, SEED + 1)
    unfinished = Unfinished(out, work_key("finetune", scale, snapshots_of(scale, snapshots), pretrained))
    trainer.run(stream, report, unfinished)
    save_checkpoint(out, model, pretrained, {"step": 0})
    unfinished.forget()


def _read_and_drilled(drills: Drills, codec: ChatCodec, agent: AgentConfig) -> Iterator[Document]:
    rng = random.Random(SEED + 8)
    drilled = _drilled(drills)
    while True:
        document = undrilled(drills, codec, rng, RECALL_LATER, PLAIN_SHARE)
        yield document_of(next(drilled), codec, agent) if document is None else document


def _drilled(drills: Drills) -> Iterator[Conversation]:
    rng = random.Random(SEED + 7)
    whole = drills.stream(SEED + 7)
    while True:
        kind = rng.choices(list(DRILLS), list(DRILLS.values()))[0]
        made = drills.short(rng) if kind == "short" else next(whole)
        if made is not None:
            yield made.first() if kind == "look" else made


def mixed(episodes: Sequence[Document], drills: Iterator[Document]) -> Iterator[Document]:
    """Demonstrations, each once before any comes again, and drills, by their shares."""
    rng = random.Random(SEED)
    demonstrations = (episodes[index] for _ in count() for index in rng.sample(range(len(episodes)), len(episodes)))
    while True:
        yield next(demonstrations if rng.random() < DEMONSTRATION_SHARE else drills)
