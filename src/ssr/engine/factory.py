"""Opens the engine that a scale names."""

from pathlib import Path

from ssr.config import EngineConfig
from ssr.contracts import Engine
from ssr.digests import DIGESTS, wrong_files
from ssr.errors import ConfigError, EngineError


def open_engine(config: EngineConfig, checkpoint: Path, dtype: str = "float32") -> Engine:
    """The engine over a checkpoint folder; an endpoint ignores it and plays with its own model.

    Raises EngineError when it cannot start or the checkpoint is damaged, ConfigError when needed keys are missing.
    """
    if config.kind == "openai":
        from ssr.engine.openai_engine import OpenAIEngine, key_from

        if config.endpoint is None or config.model is None:
            raise ConfigError("engine.kind `openai` needs engine.endpoint and engine.model")
        return OpenAIEngine(config.endpoint, config.model, key_from(config.api_key_variable), config.observation_role)
    _check_files(checkpoint)
    if config.kind == "vllm":
        from ssr.engine.vllm_engine import VllmEngine

        return VllmEngine(checkpoint, config, dtype)
    from ssr.engine.transformers_engine import TransformersEngine

    return TransformersEngine(checkpoint, dtype, config.threads)


def _check_files(checkpoint: Path) -> None:
    """Only the trainer reads the folders of a checkpoint; one without digests is somebody else's and believed."""
    if (checkpoint / DIGESTS).is_file() and (wrong := wrong_files(checkpoint, deep=False)):
        raise EngineError(f"the checkpoint {checkpoint} is damaged or was changed: {', '.join(wrong)}; make it again")
