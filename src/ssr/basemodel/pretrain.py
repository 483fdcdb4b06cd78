"""Making the small base model from nothing: tokenizer, then pre-training on source code and drills."""

import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from ssr.basemodel.conversation import Conversation
from ssr.basemodel.corpus import library_functions, repository_source
from ssr.basemodel.documents import Document, batches, document_of, plain_document
from ssr.basemodel.drills import Drills
from ssr.basemodel.recall import recall_document
from ssr.basemodel.supervised import HEARD_SHARE, Progress, Trainer, new_model
from ssr.basemodel.tokenizer import SPECIALS, load_tokenizer, save_tokenizer, train_tokenizer
from ssr.basemodel.unfinished import Unfinished, work_key
from ssr.config import Scale
from ssr.digests import write_digests
from ssr.engine.chat import ChatCodec
from ssr.repository.listing import load_repositories
from ssr.repository.snapshot import Snapshot

LIBRARY_FUNCTIONS = 60_000
PLAIN_SHARE = 0.1
"""Share of the repositories' plain source, by number, in all training but that which copies."""
TOKENIZER_DRILLS = 2000
COPYING_TOKENS = 2_500_000
"""Tokens of short drills that pre-training begins with, until a small model has learned to copy."""
RECALL = 0.3
"""Share of words drawn at random among the documents of that part, by number; later and in supervised training,
RECALL_LATER."""
RECALL_LATER = 0.05
SHORT_SHARE = 0.7
"""Share of short drills among all drills from then on, by number."""
SEED = 0


def snapshots_of(scale: Scale, folder: Path) -> list[Snapshot]:
    """The snapshots of the scale's repositories, by name."""
    names = scale.include or list(load_repositories(scale.repositories))
    return [Snapshot.load(folder / name) for name in sorted(names)]


def drills_of(scale: Scale, snapshots: Path, mistakes: float = 0.0) -> Drills:
    """Drills over the repositories' snapshots, where they are in Python, and all Python source of this machine."""
    read = (repository_source(snapshot) for snapshot in snapshots_of(scale, snapshots))
    sources = [source for source in read if source.functions]
    return Drills(sources, library_functions(LIBRARY_FUNCTIONS, SEED), scale.agent, scale.game, mistakes)


def make_tokenizer(scale: Scale, snapshots: Path, out: Path) -> None:
    """Train the tokenizer on the repositories, library functions and rendered drills, and write it to `out`."""
    drills = drills_of(scale, snapshots)
    save_tokenizer(train_tokenizer(_texts(drills), scale.basemodel.vocabulary), out)
    write_digests(out)


def _texts(drills: Drills) -> Iterator[str]:
    for source in drills.sources:
        yield from [*source.files.values()] * 2
    for function in islice(drills.library.functions, 8000):
        yield function.source
    for conversation in islice(drills.stream(SEED + 1), TOKENIZER_DRILLS):
        yield "system\nuser\nassistant\ntool\n"
        yield from texts_of(conversation)


def texts_of(conversation: Conversation) -> Iterator[str]:
    """Every text of a conversation."""
    for message in conversation.prompt:
        yield message["content"]
    yield from conversation.turns
    yield from conversation.answers


def pretrain(scale: Scale, snapshots: Path, tokenizer: Path, out: Path, report: Callable[[Progress], None]) -> None:
    """Pre-train a new model on plain source and drills, and write it with its tokenizer to `out`; go on if it was
    killed."""
    import torch

    recipe = scale.basemodel
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(SEED)
    loaded = load_tokenizer(tokenizer)
    codec = ChatCodec(loaded)
    model = new_model(recipe, loaded.pad_token_id, codec.stop_id, scale.agent.context_tokens)
    trainer = Trainer(
        model,
        budget=recipe.pretraining_tokens,
        rate=recipe.learning_rate,
        decay=0.0,
        heard=HEARD_SHARE,
        seed=SEED,
        half=recipe.half,
    )
    documents = _documents(drills_of(scale, snapshots), codec, scale)
    unfinished = Unfinished(out, work_key("pretrain", scale, snapshots_of(scale, snapshots), tokenizer))
    trainer.run(batches(documents, recipe.batch_tokens, scale.agent.context_tokens, SEED), report, unfinished)
    model.save_pretrained(out)
    loaded.save_pretrained(out)
    write_digests(out)
    unfinished.forget()


def undrilled(drills: Drills, codec: ChatCodec, rng: random.Random, recall: float, plain: float) -> Document | None:
    """Words drawn at random or plain source, each by its share; None where a drill is due."""
    if rng.random() < recall:
        return recall_document(codec, len(SPECIALS), rng)
    if plain and rng.random() < plain:
        return plain_document(drills.draw_source(rng), codec, rng)
    return None


def _documents(drills: Drills, codec: ChatCodec, scale: Scale) -> Iterator[Document]:
    rng = random.Random(SEED)
    conversations = drills.stream(SEED)
    tokens = 0
    while True:
        copying = tokens < COPYING_TOKENS
        shares = (RECALL, 0.0) if copying else (RECALL_LATER, PLAIN_SHARE)
        document = undrilled(drills, codec, rng, *shares)
        if document is None:
            is_short = copying or rng.random() < SHORT_SHARE
            made = drills.short(rng) if is_short else next(conversations)
            if made is None:
                continue
            document = document_of(made, codec, scale.agent)
        tokens += len(document.ids)
        yield document
