"""Lines of words drawn at random, some of which come again: nothing helps here but to copy, word by word."""

import math
import random

import numpy as np

from ssr.basemodel.documents import Document
from ssr.engine.chat import ChatCodec

WORDS = (10, 1500)
"""Different tokens of one document, from few, where a token alone does not tell which one follows it, to many."""
LENGTH = (40, 600)
"""Tokens of its lines; as many are said again."""
LINE = (3, 16)
"""Tokens of one line."""
STRETCH = (1, 1, 1, 2, 3)
"""Lines that come again in a row."""
UNTOLD = 2
"""First tokens of such a stretch, which nothing tells."""


def recall_document(codec: ChatCodec, special: int, rng: random.Random) -> Document:
    """Lines of random tokens above the first `special` ones, and stretches of them again: only these are learned."""
    vocabulary = range(special, len(codec.tokenizer))
    words = rng.sample(vocabulary, min(_between(WORDS, rng), len(vocabulary)))
    (newline,) = codec.encode("\n")
    total = _between(LENGTH, rng)
    lines: list[list[int]] = []
    while sum(map(len, lines)) < total:
        lines.append([*rng.choices(words, k=rng.randint(*LINE)), newline])
    ids = [token for line in lines for token in line] + [newline]
    learned = [False] * len(ids)
    while len(ids) < 2 * total:
        start = rng.randrange(len(lines))
        stretch = [token for line in lines[start : start + rng.choice(STRETCH)] for token in line]
        ids += stretch
        learned += [False] * UNTOLD + [True] * (len(stretch) - UNTOLD)
    said = np.array(learned, dtype=bool)
    return Document(np.array(ids, dtype=np.int64), said, ~said)


def _between(bounds: tuple[int, int], rng: random.Random) -> int:
    """A number between two, small ones as likely as large ones."""
    low, high = (math.log(bound) for bound in bounds)
    return round(math.exp(rng.uniform(low, high)))
