from collections.abc import Iterator
from itertools import islice

import pytest
from transformers import PreTrainedTokenizerFast

from ssr.basemodel.corpus import Source, library_functions, repository_source
from ssr.basemodel.drills import Drills
from ssr.basemodel.pretrain import texts_of
from ssr.basemodel.tokenizer import train_tokenizer
from ssr.config import AgentConfig, GameConfig
from ssr.engine.chat import ChatCodec
from ssr.repository.places import Function
from ssr.repository.snapshot import Snapshot


@pytest.fixture(scope="session")
def agent() -> AgentConfig:
    return AgentConfig(prompts="brief", context_tokens=4096, max_turns=10, edit_context_lines=0, resubmission=False)


@pytest.fixture(scope="session")
def pocket(snapshot: Snapshot) -> Source:
    return repository_source(snapshot)


@pytest.fixture(scope="session")
def library() -> list[Function]:
    """Functions of what is installed, drawn with seed 5."""
    return library_functions(200, seed=5)


@pytest.fixture(scope="session")
def drills(pocket: Source, agent: AgentConfig) -> Drills:
    return Drills([pocket], pocket.functions, agent, GameConfig(min_passing_tests=1))


@pytest.fixture(scope="session")
def tokenizer(pocket: Source, drills: Drills) -> PreTrainedTokenizerFast:
    def texts() -> Iterator[str]:
        yield from pocket.files.values()
        for conversation in islice(drills.stream(0), 50):
            yield from texts_of(conversation)

    return train_tokenizer(texts(), 700)


@pytest.fixture(scope="session")
def codec(tokenizer: PreTrainedTokenizerFast) -> ChatCodec:
    return ChatCodec(tokenizer)
