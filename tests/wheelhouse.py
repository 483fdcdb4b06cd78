"""A folder of wheels packed from installed distributions, so that tests install environments without a network."""

import hashlib
import os
import re
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest

PYTEST = ("iniconfig", "packaging", "pluggy", "pygments", "pytest")
LEFT_OUT = re.compile(r"pygments/lexers/(?!__init__|_mapping|diff|python)|.*\.pyc$")
"""Of the languages that pygments colours pytest asks for two; to compile the others takes longer than all else."""


def fill_wheelhouse(folder: Path, names: tuple[str, ...] = PYTEST) -> str:
    """Pack pure-Python distributions of the running environment as wheels; returns their hashed requirements."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for name in names:
        found = distribution(name)
        wheel = folder / f"{name}-{found.version}-py3-none-any.whl"
        _pack(found, wheel)
        lines.append(f"{name}=={found.version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    return "".join(lines)


def no_index(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let pip see the files of one folder and nothing else."""
    patch.setenv("PIP_CONFIG_FILE", os.devnull)
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("PIP_FIND_LINKS", str(folder))


def _pack(found: Distribution, wheel: Path) -> None:
    files = sorted(str(file) for file in found.files or [] if ".." not in file.parts)
    files = [file for file in files if not LEFT_OUT.match(file)]
    kept = [file for file in files if not file.endswith((".dist-info/RECORD", ".dist-info/INSTALLER", "/REQUESTED"))]
    metadata = next(file.split("/")[0] for file in kept if ".dist-info/" in file)
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in kept:
            archive.writestr(zipfile.ZipInfo(file), Path(str(found.locate_file(file))).read_bytes())
        record = "".join(f"{file},,\n" for file in [*kept, f"{metadata}/RECORD"])
        archive.writestr(zipfile.ZipInfo(f"{metadata}/RECORD"), record)
