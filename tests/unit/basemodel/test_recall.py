import random

from ssr.basemodel.recall import UNTOLD, recall_document
from ssr.basemodel.tokenizer import SPECIALS
from ssr.engine.chat import ChatCodec


def test_all_that_is_learned_was_said_before(codec: ChatCodec) -> None:
    rng = random.Random(1)
    for _ in range(40):
        document = recall_document(codec, len(SPECIALS), rng)
        assert document.mistaken is not None and (document.mistaken == ~document.said).all()
        ids = document.ids.tolist()
        first = int(document.said.argmax())
        shown = " ".join(map(str, ids[: first - UNTOLD]))
        newline = codec.encode("\n")[0]
        line: list[int] = []
        for token in ids[first - UNTOLD :]:
            line.append(token)
            if token == newline:
                assert f" {' '.join(map(str, line))}" in f" {shown}"
                line = []
        assert 0.3 < document.said.mean() < 0.6
