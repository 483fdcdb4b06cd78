"""What engines read of a checkpoint folder: codec, configuration, optimizer step."""

import json
from pathlib import Path

from transformers import AutoConfig, AutoTokenizer, PretrainedConfig, PreTrainedTokenizerFast

from ssr.contracts import CompletionRequest
from ssr.engine.chat import ChatCodec
from ssr.errors import ContextFull, EngineError

UNBOUNDED = 2**31
"""Context of a model that names none."""


def load_codec(checkpoint: Path) -> ChatCodec:
    """The chat codec of a checkpoint folder. Raises EngineError where there is none."""
    if not (checkpoint / "config.json").is_file():
        raise EngineError(f"{checkpoint} is no checkpoint: it has no config.json")
    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    except (OSError, ValueError) as error:
        raise EngineError(f"cannot read the tokenizer of {checkpoint}: {error}") from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise EngineError(f"the tokenizer of {checkpoint} is not a fast one")
    return ChatCodec(tokenizer)


def load_config(checkpoint: Path, codec: ChatCodec) -> PretrainedConfig:
    """The text model's configuration. Raises EngineError where the tokenizer has more ids than the model."""
    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(checkpoint).get_text_config()
    except (OSError, ValueError) as error:
        raise EngineError(f"cannot read the configuration of {checkpoint}: {error}") from error
    if codec.vocabulary > config.vocab_size:
        raise EngineError(
            f"the tokenizer of {checkpoint} has {codec.vocabulary} tokens, its model only {config.vocab_size}: they do "
            "not belong together"
        )
    return config


def longest_context(config: PretrainedConfig) -> int:
    """Tokens that the model's positions reach."""
    return int(getattr(config, "max_position_embeddings", 0) or UNBOUNDED)


def room_after(request: CompletionRequest, longest: int) -> int:
    """Tokens that a context leaves for a turn, at most those asked for. Raises ContextFull where it leaves none."""
    room = longest - len(request.prompt_ids)
    if room < 1 or not request.prompt_ids:
        raise ContextFull(
            f"{request.key}: a prompt of {len(request.prompt_ids)} tokens does not fit the model's context of {longest}"
        )
    return min(request.max_tokens, room)


def weight_version(checkpoint: Path) -> int:
    """Optimizer step of the checkpoint; 0 for one that this project did not train."""
    path = checkpoint / "trainer.json"
    return int(json.loads(path.read_text())["step"]) if path.is_file() else 0
