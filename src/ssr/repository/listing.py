"""Lists of repositories: YAML, a mapping from a repository's name to where it comes from and what its tests need."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, field_validator, model_validator

from ssr.errors import ConfigError

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Entry(BaseModel):
    """What every kind of source has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    """The key in the list; names the snapshot's folder."""
    licence: str = Field(min_length=1)
    """SPDX identifier."""
    import_paths: tuple[str, ...] = (".",)
    """Folders that stand on the import path when the tests run."""
    tests: tuple[str, ...] = ("test_*.py", "*_test.py", "tests.py")
    """File names, or paths where there is a slash, that mark a test file; a release without one is refused."""

    @field_validator("import_paths")
    @classmethod
    def _inside(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for path in paths:
            if Path(path).is_absolute() or ".." in Path(path).parts:
                raise ValueError(f"{path!r} leads out of the repository")
        return paths


class Installed(Entry):
    """A source whose tests need packages that are installed beside it."""

    environment: Path
    """What the tests need, pinned by digest, relative to the list; never the repository's own package.

    Hashed requirements for pip (`.txt`), or a package-lock.json for npm (`.json`).
    """


class PinnedRelease(BaseModel):
    """One source distribution of the package index, or one tarball of the npm registry."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.!+_-]*$")
    """Version on the index, in quotes in the list."""
    file: str = Field(pattern=r"^[^/]+\.(tar\.gz|tgz|tar\.bz2|tar\.xz)$")
    """File name of the archive."""
    sha256: Sha256
    """Digest of that file."""


class ReleasesSpec(Installed):
    """Source distributions, one commit a release."""

    kind: Literal["releases"]
    """History made from releases."""
    package: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name on the package index."""
    releases: tuple[PinnedRelease, ...] = Field(min_length=1)
    """Oldest first; the last one is the head."""


class NpmSpec(Installed):
    """Tarballs of the npm registry, one commit a version."""

    kind: Literal["npm"]
    """History made from versions."""
    package: str = Field(pattern=r"^(@[a-z0-9~-][a-z0-9._~-]*/)?[A-Za-z0-9~-][A-Za-z0-9._~-]*$")
    """Name on the registry, with its scope if it has one."""
    releases: tuple[PinnedRelease, ...] = Field(min_length=1)
    """Oldest first; the last one is the head."""
    tests: tuple[str, ...] = ("test/*.*js", "tests/*.*js", "*.test.*js", "test.*js")
    """As for other kinds."""
    built: tuple[str, ...] = ()
    """Names of files and folders that were built from the code; left out, as a bug in the code would not be in them."""


class GitSpec(Installed):
    """A git repository up to one commit."""

    kind: Literal["git"]
    """History taken over as it is."""
    source: str = Field(pattern=r"^[^-]")
    """Address, or a path relative to the list."""
    commit: str = Field(pattern=r"^[0-9a-f]{40}$")
    """The head; nothing later is taken over."""
    version: str | None = None
    """Name of the head; its short commit when left out."""
    origin: str | None = None
    """What the manifest calls the source, where `source` is a copy of it."""


class ImageSpec(Entry):
    """A container image that holds a repository and all that its tests need: the paper's own input."""

    kind: Literal["image"]
    """History and environment taken over as they are."""
    image: str = Field(pattern=r"^([^\s@]+@)?sha256:[0-9a-f]{64}$")
    """`name@sha256:…`, pulled once, or the id `sha256:…` of an image that the engine holds already."""
    path: str | None = Field(None, pattern=r"^/[^\s]+$")
    """Where the repository stands; looked for when left out."""
    search_path: tuple[str, ...] = ()
    """Folders of programs to stand before the image's own PATH, for instance of an environment to be activated."""
    import_paths: tuple[str, ...] = ()
    """As for other kinds; images have what they need installed."""
    tests: tuple[str, ...] = ()
    """As for other kinds; nothing is asked for when left out."""
    version: str | None = None
    """Name of the head; its short commit when left out."""


RepositorySpec = ReleasesSpec | GitSpec | NpmSpec | ImageSpec


class _List(RootModel[dict[str, Annotated[RepositorySpec, Field(discriminator="kind")]]]):
    @model_validator(mode="before")
    @classmethod
    def _name_entries(cls, raw: object) -> object:
        if not isinstance(raw, dict):
            return raw
        return {key: {"name": key, **entry} if isinstance(entry, dict) else entry for key, entry in raw.items()}


def load_repositories(path: Path) -> dict[str, RepositorySpec]:
    """Read a list of repositories, in its order. Raises ConfigError that names the entry and what is wrong with it."""
    try:
        return _List.model_validate(yaml.safe_load(path.read_text())).root
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read the list of repositories {path}: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'list'}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"the list of repositories {path} is wrong: {problems}") from error
