"""What supervised training is made of."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from ssr.basemodel.corpus import Source
from ssr.basemodel.documents import Document
from ssr.basemodel.finetune import DEMONSTRATION_SHARE, READING_SHARE, mixed, readings
from ssr.engine.chat import ChatCodec
from ssr.repository.places import share_of


def test_functions_of_every_share_are_read_as_they_are(pocket: Source, codec: ChatCodec) -> None:
    read = [codec.decode(document.ids.tolist()) for document in islice(readings([pocket], codec), len(pocket.readable))]
    assert {share_of(pocket.name, function) for function in pocket.readable} > {"training"}
    for function in pocket.readable:
        start = f"{function.path}\n" + "\n".join(function.source.split("\n")[:10])
        assert sum(text.startswith(start) for text in read) == 1
    for text in read:
        path, _, lines = text.partition("\n")
        assert lines in pocket.files[path]


def test_documents_come_by_their_shares_and_demonstrations_take_turns() -> None:
    def numbered(number: int) -> Document:
        return Document(np.array([number]), np.array([True]))

    def endless(number: int) -> Iterator[Document]:
        while True:
            yield numbered(number)

    episodes = [numbered(number) for number in range(5)]
    drawn = [int(d.ids[0]) for d in islice(mixed(episodes, endless(10), endless(20)), 4000)]
    demonstrations = [number for number in drawn if number < 10]
    assert abs(len(demonstrations) / 4000 - DEMONSTRATION_SHARE) < 0.015
    assert abs(drawn.count(10) / 4000 - READING_SHARE) < 0.03
    assert all(set(demonstrations[i : i + 5]) == set(range(5)) for i in range(0, len(demonstrations) - 5, 5))
