"""What a repository's tests need, resolved to pinned wheels: what could be had, and what could not."""

import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ssr.errors import ConfigError, InstallFailed
from ssr.play.declared import declared, own_names
from ssr.repository.package_index import pip, tail

RESOLVE = ["install", "--dry-run", "--ignore-installed", "--only-binary", ":all:", "--report"]


@dataclass(frozen=True)
class Resolved:
    """Pinned packages with their digests, and the requirements that had to be left out with pip's reason."""

    pins: tuple[str, ...]
    missing: dict[str, str]

    @property
    def packages(self) -> list[str]:
        """`name==version`, without digests."""
        return [pin.split()[0] for pin in self.pins]


def write_environment(
    folder: Path, name: str, more: Sequence[str], given: Path | None, out: Path, say: Callable[[str], None]
) -> Resolved | None:
    """Write `out`, hashed requirements for the tests of the project in `folder`; None where `given` is taken as it is.

    `more` are requirements that a person added: they must be had. Raises InstallFailed if one cannot, ConfigError for
    one that is none.
    """
    if given is not None:
        shutil.copyfile(given, out)
        return None
    wanted = declared(folder, name)
    asked = {str(canonicalize_name(each.name)): each for each in map(_requirement, more)}
    say(f"resolving {', '.join(sorted({**wanted, **asked}))}")
    resolved = resolve([str(each) for each in {**wanted, **asked}.values()])
    refused = {key: why for key, why in resolved.missing.items() if canonicalize_name(_requirement(key).name) in asked}
    if refused:
        raise InstallFailed("; ".join(f"--with {key}: {why}" for key, why in refused.items()))
    own = own_names(folder, name)  # what the tests need may itself need the project, whose source is there
    pins = tuple(pin for pin in resolved.pins if canonicalize_name(pin.partition("==")[0]) not in own)
    out.write_text("".join(f"{pin}\n" for pin in pins))
    return Resolved(pins, resolved.missing)


def resolve(requirements: Sequence[str]) -> Resolved:
    """Wheels for all of the requirements that can be had together; where one cannot, the others go on without it."""
    pins, problem = _report(requirements)
    if pins is not None:
        return Resolved(pins, {})
    missing = {each: why for each in requirements if (why := _report([each])[1])}
    kept = [each for each in requirements if each not in missing]
    pins, problem = _report(kept)
    while pins is None and kept:  # each can be had, but not with those before it
        missing[kept[-1]] = f"not together with the others: {problem}"
        kept = kept[:-1]
        pins, problem = _report(kept)
    return Resolved(pins or (), missing)


def _report(requirements: Sequence[str]) -> tuple[tuple[str, ...] | None, str]:
    """Pins, or None and why there are none."""
    if not requirements:
        return (), ""
    with TemporaryDirectory() as folder:
        report, file = Path(folder, "report.json"), Path(folder, "requirements.txt")
        file.write_text("".join(f"{each}\n" for each in requirements))
        done = pip([*RESOLVE, str(report), "-r", str(file)], {"PIP_USER": "0"})
        if done.returncode != 0:
            return None, _reason(done.stderr)
        installs = json.loads(report.read_text())["install"]
    pins = []
    for each in sorted(installs, key=lambda each: str(each["metadata"]["name"]).lower()):
        digest = each["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
        if not digest:
            return None, f"{each['metadata']['name']}: the index gives no sha256"
        pins.append(f"{each['metadata']['name']}=={each['metadata']['version']} --hash=sha256:{digest}")
    return tuple(pins), ""


def _reason(said: str) -> str:
    """Pip's own sentence, short."""
    lines = [line.removeprefix("ERROR: ") for line in tail(said).splitlines() if line.startswith("ERROR")]
    text = lines[-1] if lines else (tail(said) or "pip failed").splitlines()[-1]
    if text.startswith("No matching distribution"):
        return "no wheel for this Python on the package index"
    return re.sub(r"\s+", " ", text)[:200]


def _requirement(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise ConfigError(f"--with {text!r} is no requirement: write it as attrs>=23") from error
