"""Conversations and plain source as token ids with a mask, and batches of them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ssr.agent.loop import remaining
from ssr.basemodel.conversation import Conversation
from ssr.basemodel.corpus import Source, is_test
from ssr.basemodel.terminal import numbered, without_docstrings
from ssr.config import AgentConfig
from ssr.engine.chat import ChatCodec

PLAIN_LINES = 60
TESTS = 0.15
"""Share of what is read that is tests."""
CODE_ALONE = 0.6
"""Share of it that is without docstrings."""
TWICE = 0.4
"""Share of it that is read once more below: what is written again is copied, for the most part."""
AGAIN_LINES = 20
"""Lines of these."""
NUMBERED = 0.5
"""Share of it with line numbers, as looks show it."""


@dataclass(frozen=True)
class Document:
    """Token ids, which of them an assistant said, and which it said by mistake: these are not to be learned at all."""

    ids: np.ndarray
    said: np.ndarray
    mistaken: np.ndarray | None = None


def document_of(conversation: Conversation, codec: ChatCodec, agent: AgentConfig) -> Document:
    """The ids that an episode of this conversation would hold, budget lines included."""
    ids = codec.start(conversation.prompt)
    said, mistaken = [0] * len(ids), [0] * len(ids)
    for number, turn in enumerate(conversation.turns, start=1):
        spoken = codec.turn(turn)
        ids += spoken
        wrong = number - 1 in conversation.mistakes
        said += [not wrong] * len(spoken)
        mistaken += [wrong] * len(spoken)
        if number <= len(conversation.answers):
            budget = remaining(agent, number, len(ids))
            heard = codec.observation(f"{conversation.answers[number - 1]}\n{budget}".lstrip("\n"))
            ids += heard
            said += [0] * len(heard)
            mistaken += [0] * len(heard)
    return Document(np.array(ids, dtype=np.int64), np.array(said, dtype=bool), np.array(mistaken, dtype=bool))


def plain_document(source: Source, codec: ChatCodec, rng: random.Random) -> Document:
    """A stretch of a file, to be read as it is or without its docstrings; a long file comes more often."""
    tests = rng.random() < TESTS
    texts = [text for path, text in sorted(source.files.items()) if is_test(path) == tests] or [*source.files.values()]
    text = rng.choices(texts, [text.count("\n") + 1 for text in texts])[0]
    lines = numbered(text) if rng.random() < NUMBERED else text.split("\n")
    lines = without_docstrings(lines) if rng.random() < CODE_ALONE else lines
    start = rng.randrange(max(1, len(lines) - PLAIN_LINES // 2))
    again = rng.random() < TWICE
    read = lines[start : start + AGAIN_LINES] * 2 if again else lines[start : start + PLAIN_LINES]
    ids = np.array(codec.encode("\n".join(read)), dtype=np.int64)
    return Document(ids, np.ones(len(ids), dtype=bool))


def batches(documents: Iterator[Document], batch_tokens: int, max_tokens: int, seed: int) -> Iterator[list[Document]]:
    """Batches of about `batch_tokens` tokens, each of documents of like length; too long documents are left out."""
    rng = random.Random(seed)
    while True:
        pool: list[Document] = []
        while len(pool) < 256:
            document = next(documents)
            if 2 <= len(document.ids) <= max_tokens:
                pool.append(document)
        pool.sort(key=lambda document: len(document.ids))
        groups: list[list[Document]] = [[]]
        for document in pool:
            if len(document.ids) * (len(groups[-1]) + 1) > batch_tokens and groups[-1]:
                groups.append([])
            groups[-1].append(document)
        rng.shuffle(groups)
        yield from groups
