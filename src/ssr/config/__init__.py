"""The schema of a scale: every key typed, bounded, documented."""

from ssr.config.game import GameConfig, SelfplayConfig
from ssr.config.learning import (
    BasemodelConfig,
    BenchmarkSource,
    EvaluationConfig,
    LoggingConfig,
    LoraConfig,
    TrainingConfig,
)
from ssr.config.play import AgentConfig, EngineConfig, ModelConfig, Sampling, SamplingConfig, SandboxConfig, VllmConfig
from ssr.config.scale import Scale, load_scale, merge
from ssr.config.section import Section

__all__ = [
    "AgentConfig",
    "BasemodelConfig",
    "BenchmarkSource",
    "EngineConfig",
    "EvaluationConfig",
    "GameConfig",
    "LoggingConfig",
    "LoraConfig",
    "ModelConfig",
    "Sampling",
    "SamplingConfig",
    "SandboxConfig",
    "Scale",
    "Section",
    "SelfplayConfig",
    "TrainingConfig",
    "VllmConfig",
    "load_scale",
    "merge",
]
