"""The manifest of a scale's results: a digest of every file, and what it was made from; and what differs in another."""

import hashlib
import json
import platform
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from ssr.config import load_scale
from ssr.errors import EvaluationError
from ssr.repository.listing import load_repositories
from ssr.repository.snapshot import MANIFEST, file_digest

UNCOMPARED_FOLDERS = ("cache", "journals", "logs", "scales", "timings")
UNCOMPARED_FILES = ("timings.parquet",)
"""Times and facts of the machine: they differ from run to run and no result depends on them, as on nothing hidden."""
STAGES = (
    "snapshots", "code", "locks", "versions", "scale", "checkpoints/000", "basemodel", "benchmarks", "tasks", "inject",
    "validate", "solve", "bugs", "batch", "checkpoints", "training", "evaluate", "summary", "metrics.parquet",
    "figures", "tables",
)  # fmt: skip
"""In the order in which one is made from those before."""
SHARD = re.compile(r"/\d\d/(?=[^/]+\.parquet$)")
"""In the path of a table that shards share out, where the shard stands."""


class ResultsManifest(BaseModel):
    """manifest.json: everything that results were made from, and a sha256 of each file that was made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: dict[str, Any]
    """Every key of the scale, defaults included."""
    snapshots: dict[str, str]
    """Repository -> sha256 of its manifest, which names the digests of its parts."""
    code: dict[str, str]
    """File of the package and of the rules -> sha256."""
    locks: dict[str, str]
    """File of hashed requirements -> sha256."""
    versions: dict[str, str]
    """Python and every installed distribution."""
    files: dict[str, str]
    """Path under the scale's results -> sha256."""
    tables: dict[str, str]
    """Path, `*` for the shard, of a table that shards share out -> sha256 of its rows in a fixed order."""


class Difference(BaseModel):
    """One thing that is not the same in both manifests; an empty text stands for what is missing."""

    stage: str
    name: str
    first: str
    second: str


def make_manifest(
    scale_file: Path, results: Path, snapshots: Path, project: Path, parts: Sequence[str] = ("*",)
) -> ResultsManifest:
    """Digest the results of a scale, or those whose paths fit one of the patterns, and what they were made from.

    `project` is the folder with `src`, `rules` and `envs`. Raises EvaluationError if there are no results, ConfigError
    for a scale's file that cannot be read.
    """
    scale = load_scale(scale_file)
    if not results.is_dir():
        raise EvaluationError(f"{results} holds no results: run `snakemake --configfile {scale_file}` first")
    repositories = scale.include or list(load_repositories(scale.repositories))
    code = [project / "Snakefile", *sorted((project / "rules").glob("*.smk")), *sorted((project / "src").rglob("*.*"))]
    return ResultsManifest(
        scale=scale.model_dump(mode="json"),
        snapshots={name: file_digest(snapshots / name / MANIFEST) for name in sorted(repositories)},
        code=_digests([path for path in code if path.is_file() and "__pycache__" not in path.parts], project),
        locks=_digests(sorted((project / "envs").glob("*.lock")), project),
        versions={"python": platform.python_version(), **_installed()},
        files=_digests(_compared(results, parts), results),
        tables=_tables(results, parts),
    )


def write_manifest(manifest: ResultsManifest, out: Path) -> None:
    """Write a manifest as JSON, keys sorted."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(manifest.model_dump(mode="json"), indent=1, sort_keys=True) + "\n")


def read_manifest(path: Path) -> ResultsManifest:
    """Read what `write_manifest` wrote. Raises EvaluationError."""
    try:
        return ResultsManifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise EvaluationError(f"{path} is no manifest of results; make it with `ssr manifest`: {error}") from error


def compared_results(first: ResultsManifest, second: ResultsManifest) -> tuple[dict[str, str], dict[str, str]]:
    """The digests that must be equal: of all files, or, between other numbers of shards, of what these made together.

    Without a shard's file in one of them, too, it is the table of all shards that differs. The report names the files
    of the shards, and is left out between other numbers of them.
    """
    shards = [{name for name in one.files if SHARD.search(name)} for one in (first, second)]
    if shards[0] == shards[1]:
        return first.files, second.files
    return _by_table(first), _by_table(second)


def _by_table(manifest: ResultsManifest) -> dict[str, str]:
    whole = {name: digest for name, digest in manifest.files.items() if not SHARD.search(name)}
    return {name: digest for name, digest in whole.items() if not name.startswith("report/")} | manifest.tables


def differences(first: ResultsManifest, second: ResultsManifest) -> list[Difference]:
    """What differs, causes before what follows from them: inputs, then files in the order of the stages."""
    pairs = {
        "snapshots": (first.snapshots, second.snapshots),
        "code": (first.code, second.code),
        "locks": (first.locks, second.locks),
        "versions": (first.versions, second.versions),
        "scale": (_flat(first.scale), _flat(second.scale)),
        "files": compared_results(first, second),
    }
    found = [
        Difference(stage=_stage(part, name), name=name, first=a.get(name, ""), second=b.get(name, ""))
        for part, (a, b) in pairs.items()
        for name in sorted({*a, *b})
        if a.get(name, "") != b.get(name, "")
    ]
    return sorted(found, key=lambda difference: (_rank(difference.stage), _generation(difference.name)))


def _stage(part: str, name: str) -> str:
    if part != "files":
        return part
    fitting = [stage for stage in STAGES if name == stage or name.startswith(f"{stage}/")]
    return max(fitting, key=len, default=name.partition("/")[0])


def _rank(stage: str) -> int:
    return STAGES.index(stage) if stage in STAGES else len(STAGES)


def _generation(name: str) -> str:
    """The first part of a path that counts generations: earlier ones come first."""
    return next((part[:3] for part in name.split("/") if part[:3].isdigit()), "")


def _compared(results: Path, parts: Sequence[str]) -> list[Path]:
    paths = {path: path.relative_to(results) for path in sorted(results.rglob("*")) if path.is_file()}
    return [
        path
        for path, name in paths.items()
        if name.parts[0] not in UNCOMPARED_FOLDERS and path.name not in UNCOMPARED_FILES
        if not any(part.startswith(".") for part in name.parts)
        if any(fnmatch(name.as_posix(), part) for part in parts)
    ]


def _tables(results: Path, parts: Sequence[str]) -> dict[str, str]:
    shards: defaultdict[str, list[Path]] = defaultdict(list)
    for path in _compared(results, parts):
        name = path.relative_to(results).as_posix()
        if SHARD.search(name):
            shards[SHARD.sub("/*/", name)].append(path)
    return {name: _digest_of_rows(paths) for name, paths in sorted(shards.items())}


def _digest_of_rows(paths: Sequence[Path]) -> str:
    rows = [json.dumps(row, sort_keys=True) for path in paths for row in pq.ParquetFile(path).read().to_pylist()]
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()


def _digests(paths: list[Path], root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): file_digest(path) for path in paths}


def _installed() -> dict[str, str]:
    return {found.metadata["Name"].lower(): found.version for found in distributions()}


def _flat(section: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Keys of a scale as `section.key`, values as JSON."""
    found: dict[str, str] = {}
    for key, value in section.items():
        nested = isinstance(value, dict) and value
        found |= _flat(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": json.dumps(value, sort_keys=True)}
    return found
