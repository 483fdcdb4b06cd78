"""Whether the locks agree with pyproject.toml: `envs/shell python envs/check_locks.py [PROJECT] [--flake NAMES]`.

A lock under envs/ must pin what pyproject.toml asks for in it (`tool.ssr.locks`), each pin with hashes and without an
address. What a pinned package asks for in turn is read from its metadata where that very version is installed, so the
lock of the environment that runs this is checked whole: all that is needed is pinned, and nothing else is.

NAMES is what the flake reads in the same files, `nix eval --json .#lib.locks`: it must be what is read here.
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[^\s;]+)(?: ; [^\\]+)? \\")
HASH = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}(?: \\)?")
ENVIRONMENT = {key: str(value) for key, value in default_environment().items()} | {"python_version": "3.11"}


@dataclass(frozen=True)
class Lock:
    """One lock file: its pins, and the lines that are none."""

    name: str
    pins: dict[str, str]
    faults: list[str]

    @classmethod
    def read(cls, path: Path) -> "Lock":
        pins: dict[str, str] = {}
        faults: list[str] = []
        hashed = True
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if pin := PIN.fullmatch(line):
                if not hashed or pin["name"] in pins:
                    faults.append(f"line {number}: the pin before has no hash, or this one is there twice")
                pins[pin["name"]], hashed = pin["version"], False
            elif HASH.fullmatch(line):
                hashed = True
            else:
                faults.append(f"line {number} is neither a pin nor a hash: {line.strip()}")
        return cls(path.stem, pins, faults if hashed else [*faults, "the last pin has no hash"])


def main(root: Path, flake: Path | None) -> int:
    """Print what is wrong with the locks of a project; returns the exit code."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    names = project["tool"]["ssr"]["locks"]
    faults = []
    for name in names:
        lock = Lock.read(root / "envs" / f"{name}.lock")
        found = [*lock.faults, *disagreements(lock, project)]
        if flake:
            found += other_names(lock, project, json.loads(flake.read_text())[name])
        faults += [f"envs/{name}.lock: {fault}" for fault in found]
        print(f"envs/{name}.lock: {len(lock.pins)} pins, {len(found)} faults")
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print("make the lock again: envs/lock NAME", file=sys.stderr)
    return 1 if faults else 0


def disagreements(lock: Lock, project: dict[str, Any]) -> Iterator[str]:
    """What is needed and not pinned, pinned at another version, or pinned and not needed."""
    left_out = set(project["tool"]["ssr"]["left-out"].get(lock.name, []))
    waiting = [("pyproject.toml", text, "") for text in wanted(project, lock.name)]
    seen: set[tuple[str, str]] = set()
    unread = False
    while waiting:
        asker, text, extra = waiting.pop()
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        if name in left_out or (
            requirement.marker and not requirement.marker.evaluate({**ENVIRONMENT, "extra": extra})
        ):
            continue
        version = lock.pins.get(name)
        if version is None:
            yield f"{asker} needs {requirement}, which is not pinned"
        elif not requirement.specifier.contains(version, prereleases=True):
            yield f"{asker} needs {requirement}, pinned is {version}"
        else:
            for more in {"", *requirement.extras} - {more for other, more in seen if other == name}:
                seen.add((name, more))
                asked = asked_by(name, version)
                unread |= asked is None
                waiting += [(name, text, more) for text in asked or []]
    if not unread:
        yield from (
            f"{name} is pinned and nothing needs it" for name in sorted(lock.pins.keys() - {n for n, _ in seen})
        )


def other_names(lock: Lock, project: dict[str, Any], flake: dict[str, list[str]]) -> list[str]:
    """Where the flake names other packages than pyproject.toml and the lock do."""
    asked: set[str] = {canonicalize_name(Requirement(text).name) for text in wanted(project, lock.name)}
    here = {"asked": asked, "pinned": set(lock.pins)}
    different = {key: sorted(here[key] ^ set(flake[key])) for key in here}
    return [f"the flake differs in what is {key}: {', '.join(names)}" for key, names in different.items() if names]


def wanted(project: dict[str, Any], lock: str) -> list[str]:
    """The requirements that pyproject.toml puts into a lock."""
    extras = project["project"]["optional-dependencies"]
    more = [text for extra in project["tool"]["ssr"]["locks"][lock] for text in extras[extra]]
    return [*project["build-system"]["requires"], *project["project"]["dependencies"], *more]


@cache
def asked_by(name: str, version: str) -> list[str] | None:
    """What a package asks for, as its metadata says; None where this version is not installed."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    return (found.requires or []) if found.version == version else None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Whether the locks agree with pyproject.toml.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parent.parent, help="the project")
    parser.add_argument("--flake", type=Path, help="what the flake reads: nix eval --json .#lib.locks")
    options = parser.parse_args()
    sys.exit(main(options.root, options.flake))
