"""Keys of a scale that are changed for one command: `-c game.attempts=4`, or what `snakemake --config` was given.

A changed scale is a file of its own, results/{name}/scales/{digest}.yaml: whole, named by its content, and what every
command of that run is given as `--scale`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ssr.config.scale import load_scale, merge
from ssr.errors import ConfigError
from ssr.files import written

RESULTS = Path("results")


def parse_overrides(words: Sequence[str]) -> dict[str, Any]:
    """`section.key=value` or `section={key: value}`, values in YAML, as a mapping nested like a scale.

    Raises ConfigError for a word that is neither.
    """
    overrides: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not all(name.split(".")):
            raise ConfigError(f"-c {word!r} changes no key: write section.key=value, as game.attempts=4")
        try:
            value: Any = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"-c {word!r}: the value is not YAML, put it into quotes: {error}") from error
        for part in reversed(name.split(".")):
            value = {part: value}
        overrides = merge(overrides, value)
    return overrides


def changed_keys(values: Mapping[str, Any], scale_file: Path) -> dict[str, Any]:
    """What `values` says otherwise than the scale's file, nested as there; a text among it is read as YAML.

    `snakemake --config` gives the numbers of a nested value as texts.
    """
    return _changed(values, yaml.safe_load(scale_file.read_text()))


def effective_scale(scale_file: Path, overrides: Mapping[str, Any], results: Path = RESULTS) -> Path:
    """The file of the scale with some keys changed, written where it is not there yet; `scale_file` without changes.

    Raises ConfigError for a key that no scale has, or a value that the schema refuses.
    """
    if not overrides:
        return scale_file
    scale = load_scale(scale_file, dict(overrides))
    values = merge(yaml.safe_load(scale_file.read_text()), dict(overrides))
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    path = results / scale.name / "scales" / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.yaml"
    if not path.exists():
        with written(path) as partial:
            partial.write_text(text)
    return path


def _changed(values: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            if inner := _changed(value, old):
                found[key] = inner
        elif (read := _read(value)) != old:
            found[key] = read
    return found


def _read(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _read(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_read(inner) for inner in value]
    return yaml.safe_load(value) if isinstance(value, str) else value
