from itertools import islice

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from ssr.basemodel.documents import batches, document_of
from ssr.basemodel.drills import Drills
from ssr.basemodel.supervised import Progress, Trainer, new_model
from ssr.config import AgentConfig, BasemodelConfig
from ssr.engine.chat import ChatCodec


def test_a_document_is_the_conversation_and_marks_what_was_said(
    drills: Drills, codec: ChatCodec, agent: AgentConfig
) -> None:
    conversation = next(drills.stream(5))
    document = document_of(conversation, codec, agent)
    said = codec.decode(document.ids[document.said].tolist())
    assert said.replace("<|im_end|>", "") == "".join(conversation.turns)
    assert len(document.ids) == len(document.said)


def test_batches_hold_like_lengths_and_respect_the_budget(drills: Drills, codec: ChatCodec, agent: AgentConfig) -> None:
    documents = (document_of(c, codec, agent) for c in drills.stream(6))
    for batch in islice(batches(documents, 4000, 4096, 0), 5):
        longest = max(len(document.ids) for document in batch)
        assert len(batch) == 1 or longest * len(batch) <= 4000


@pytest.mark.slow
def test_training_lowers_the_loss(
    drills: Drills, codec: ChatCodec, agent: AgentConfig, tokenizer: PreTrainedTokenizerFast
) -> None:
    recipe = BasemodelConfig(vocabulary=700, hidden=48, layers=2, heads=2, intermediate=96, batch_tokens=4000)
    model = new_model(recipe, tokenizer.pad_token_id, codec.stop_id, 4096)
    progress: list[Progress] = []
    documents = (document_of(c, codec, agent) for c in drills.stream(7))
    trainer = Trainer(model, budget=150_000, rate=1e-2, decay=0.4, heard=0.4, seed=0)
    trainer.run(batches(documents, 1500, 4096, 0), progress.append)
    assert progress[-1].tokens >= 150_000
    assert np.mean([p.loss_said for p in progress[-5:]]) < 0.6 * progress[0].loss_said
