"""A scale: one YAML file under workflow/config/ holds every key; no code asks which scale it runs at."""

import copy
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from ssr.config.game import GameConfig, SelfplayConfig
from ssr.config.learning import BasemodelConfig, EvaluationConfig, LoggingConfig, TrainingConfig
from ssr.config.play import AgentConfig, EngineConfig, ModelConfig, SamplingConfig, SandboxConfig
from ssr.config.section import Section
from ssr.errors import ConfigError


class Scale(Section):
    """One scale, complete."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]+$")
    """Folder of its results."""
    repositories: Path
    """List of repositories, relative to the project's root."""
    include: list[str] | None = None
    """Names out of that list; all of them when left out."""
    seeds: list[int] = Field([0], min_length=1)
    """Every run is made once a seed."""
    model: ModelConfig
    sandbox: SandboxConfig = SandboxConfig()
    engine: EngineConfig = EngineConfig()
    agent: AgentConfig = AgentConfig()
    sampling: SamplingConfig = SamplingConfig()
    game: GameConfig = GameConfig()
    selfplay: SelfplayConfig = SelfplayConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    basemodel: BasemodelConfig = BasemodelConfig()
    logging: LoggingConfig = LoggingConfig()
    runs: dict[str, dict[str, Any]] = Field(min_length=1)
    """A run's name and the keys in which it differs from the scale, nested as they are here."""

    @model_validator(mode="after")
    def _runs_are_valid(self) -> "Scale":
        if list(self.runs.values()) == [{}]:
            return self
        for name in self.runs:
            run = self.for_run(name)
            if run.selfplay.bugs_of is not None and run.selfplay.bugs_of not in self.runs:
                raise ValueError(f"run {name!r}: bugs_of names {run.selfplay.bugs_of!r}, which is no run of this scale")
            if run.selfplay.issues_of is not None and run.selfplay.issues_of not in run.evaluation.sources:
                raise ValueError(
                    f"run {name!r}: issues_of names {run.selfplay.issues_of!r}; evaluation.sources has no such"
                )
        return self

    def for_run(self, run: str) -> "Scale":
        """The scale with a run's keys laid over it; its own `runs` then holds that run alone, without keys.

        Raises ConfigError for a run that the scale does not have.
        """
        if run not in self.runs:
            raise ConfigError(f"scale {self.name!r} has no run {run!r}; it has {', '.join(sorted(self.runs))}")
        if list(self.runs.values()) == [{}]:
            return self
        merged = merge(self.model_dump(), self.runs[run])
        return Scale.model_validate(merged | {"runs": {run: {}}})


def merge(base: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """`override` laid over `base`, section by section; mappings of weights are replaced whole."""
    result = copy.deepcopy(base)
    for key, value in override.items():
        nested = isinstance(value, dict) and isinstance(result.get(key), dict) and key != "strategies"
        result[key] = merge(result[key], value) if nested else copy.deepcopy(value)
    return result


def load_scale(path: Path, overrides: dict[str, Any] | None = None) -> Scale:
    """Read a scale's file. Raises ConfigError that names the file, the key and what is wrong with it."""
    try:
        raw = yaml.safe_load(path.read_text())
        return Scale.model_validate(merge(raw, overrides or {}))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read the scale {path}: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'scale'}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"the scale {path} is wrong: {problems}") from error
