from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from ssr.basemodel import supervised
from ssr.basemodel.documents import batches, document_of
from ssr.basemodel.drills import Drills
from ssr.basemodel.supervised import Progress, Trainer, new_model
from ssr.basemodel.unfinished import Unfinished
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


class Killed(Exception):
    """Instead of a signal."""


@pytest.mark.slow
def test_a_killed_training_goes_on_from_its_last_state_to_the_same_weights(
    drills: Drills,
    codec: ChatCodec,
    agent: AgentConfig,
    tokenizer: PreTrainedTokenizerFast,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervised, "SAVE_EVERY", 4)
    recipe = BasemodelConfig(vocabulary=700, hidden=32, layers=2, heads=2, intermediate=64, batch_tokens=1000)

    def train(report: Callable[[Progress], None], unfinished: Unfinished | None) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        model = new_model(recipe, tokenizer.pad_token_id, codec.stop_id, 4096)
        documents = (document_of(c, codec, agent) for c in drills.stream(7))
        trainer = Trainer(model, budget=10_000, rate=1e-2, decay=0.4, heard=0.4, seed=0)
        trainer.run(batches(documents, 1000, 4096, 0), report, unfinished)
        return model.state_dict()

    def die(progress: Progress) -> None:
        if progress.step == 6:
            raise Killed

    unbroken: list[Progress] = []
    whole = train(unbroken.append, None)
    with pytest.raises(Killed):
        train(die, Unfinished(tmp_path / "model", "this"))
    assert Unfinished(tmp_path / "model", "other work").read() is None
    went_on: list[Progress] = []
    again = train(went_on.append, Unfinished(tmp_path / "model", "this"))
    assert [p.step for p in went_on] == [p.step for p in unbroken if p.step > 4]
    assert [(p.tokens, p.loss_said) for p in went_on] == [(p.tokens, p.loss_said) for p in unbroken if p.step > 4]
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    Unfinished(tmp_path / "model", "this").forget()
    assert Unfinished(tmp_path / "model", "this").read() is None
