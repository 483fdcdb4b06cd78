"""A package index in a folder: releases of `parcel`, and a list entry that pins them."""

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from ssr.repository.listing import PinnedRelease, ReleasesSpec

SETUP = 'raise SystemExit("a build backend ran")\n'
FILES = {
    "parcel.py": b"def weigh(things):\n    return sum(things)\n",
    "test_parcel.py": b"from parcel import weigh\n\n\ndef test_weigh():\n    assert weigh([1, 2]) == 3\n",
    "windows.txt": b"one\r\ntwo\r\n",
    ".gitattributes": b"* text=auto eol=lf\n",
    ".gitignore": b"kept.txt\n",
    "kept.txt": b"ignored by git, but released\n",
    "tool.sh": b"#!/bin/sh\ntrue\n",
    "setup.py": SETUP.encode(),
    "pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n',
    "own.py": SETUP.encode(),
    "PKG-INFO": b"Metadata-Version: 2.1\n",
    "parcel.egg-info/PKG-INFO": b"Metadata-Version: 2.1\n",
    "__pycache__/parcel.cpython-38.pyc": b"\0",
}


def pack(path: Path, files: dict[str, bytes], mode: int = 0o664) -> str:
    """Write a source distribution; returns its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{path.name.removesuffix('.tar.gz')}/{name}")
            member.size, member.mode = len(data), mode
            archive.addfile(member, io.BytesIO(data))
    path.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Index:
    """Where pip looks, the folder of the list, and the entry."""

    folder: Path
    list_folder: Path
    spec: ReleasesSpec

    def release(self, version: str, files: dict[str, bytes]) -> PinnedRelease:
        """Add a release to the index; returns its pin."""
        name = f"parcel-{version}.tar.gz"
        return PinnedRelease(version=version, file=name, sha256=pack(self.folder / name, files))

    def pinned(self, *releases: PinnedRelease) -> ReleasesSpec:
        """The entry with other releases."""
        return self.spec.model_copy(update={"releases": releases})
