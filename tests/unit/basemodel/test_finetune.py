"""What supervised training is made of."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from ssr.basemodel.documents import Document
from ssr.basemodel.finetune import DEMONSTRATION_SHARE, mixed


def test_documents_come_by_their_shares_and_demonstrations_take_turns() -> None:
    def numbered(number: int) -> Document:
        return Document(np.array([number]), np.array([True]))

    def endless(number: int) -> Iterator[Document]:
        while True:
            yield numbered(number)

    episodes = [numbered(number) for number in range(5)]
    drawn = [int(d.ids[0]) for d in islice(mixed(episodes, endless(10)), 4000)]
    demonstrations = [number for number in drawn if number < 10]
    assert abs(len(demonstrations) / 4000 - DEMONSTRATION_SHARE) < 0.015
    assert all(set(demonstrations[i : i + 5]) == set(range(5)) for i in range(0, len(demonstrations) - 5, 5))
