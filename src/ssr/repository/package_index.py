"""The package index, with pip as client and as pip is configured: fetch releases, install environments."""

import compileall
import logging
import os
import py_compile
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ssr.errors import DigestMismatch, InstallFailed, MissingRelease, RepositoryError
from ssr.repository.listing import PinnedRelease

logger = logging.getLogger(__name__)
FETCH_ONLY = Path(__file__).parent / "fetch_only"
FETCH = ["download", "--require-hashes", "--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--use-pep517"]
INSTALL = ["install", "--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile"]
TAIL_LINES = 8


def fetch_release(package: str, release: PinnedRelease, folder: Path) -> Path:
    """Fetch one source distribution into `folder` without running anything in it; returns its path.

    Raises DigestMismatch, MissingRelease, or RepositoryError when the index cannot be reached.
    """
    folder.mkdir(parents=True)
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{package}=={release.version} --hash=sha256:{release.sha256}\n")
    done = pip(
        [*FETCH, "--dest", str(folder), "-r", str(requirement)],
        {"PYTHONPATH": str(FETCH_ONLY), "SSR_FETCH_NAME": package, "SSR_FETCH_VERSION": release.version},
    )
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise DigestMismatch(
            f"{release.file} is not the file that was pinned (sha256 {release.sha256}): find out why it changed "
            f"before you pin it anew.\n{tail(done.stderr)}"
        )
    if "No matching distribution found" in done.stderr:
        raise MissingRelease(
            f"the package index has no source distribution of {package} {release.version} for this interpreter: "
            f"correct the version in the list or leave it out.\n{tail(done.stderr)}"
        )
    if done.returncode != 0:
        raise RepositoryError(f"pip could not fetch {release.file}: mend the cause, try again.\n{tail(done.stderr)}")
    if not (folder / release.file).is_file():
        got = ", ".join(sorted(path.name for path in folder.iterdir() if path != requirement))
        raise MissingRelease(f"{package} {release.version} is the file {got}, not {release.file}: correct `file`.")
    return folder / release.file


def install_environment(requirements: Path, package: str, site_packages: Path) -> None:
    """Install hashed requirements, wheels only, into `site_packages` and prepare their bytecode.

    Raises InstallFailed, also when the requirements name `package`, the repository's own.
    """
    if _canonical(package) in _names(requirements):
        raise InstallFailed(
            f"{requirements.name} would install {package}, the repository under test, beside its own source: "
            "take it out of the requirements"
        )
    done = pip(
        [*INSTALL, "--target", str(site_packages), "-r", str(requirements)],
        {"PIP_USER": "0"},
    )
    if done.returncode != 0:
        raise InstallFailed(
            f"the environment {requirements.name} could not be installed; every requirement needs its version, "
            f"its hash and a wheel for Python {sys.version_info.major}.{sys.version_info.minor}.\n{tail(done.stderr)}"
        )
    seal_environment(site_packages)


def seal_environment(site_packages: Path) -> None:
    """Take out what differs between machines (scripts and their records) and compile bytecode that is never checked."""
    for script in sorted((site_packages / "bin").glob("*")):
        script.unlink()
    if (site_packages / "bin").exists():
        (site_packages / "bin").rmdir()
    for record in sorted(site_packages.glob("*.dist-info/RECORD")):
        lines = record.read_text().splitlines(keepends=True)
        record.write_text("".join(line for line in lines if not re.match(r"(\.\./)*bin/|.*\.pyc,", line)))
    compileall.compile_dir(
        site_packages,
        quiet=2,
        stripdir=str(site_packages),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def pip(arguments: list[str], variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run pip, as it is configured, with its words kept."""
    logger.debug("pip %s", " ".join(arguments))
    command = [sys.executable, "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, env=os.environ | dict(variables), capture_output=True, text=True)


def tail(text: str) -> str:
    """The last lines of what pip said."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("WARNING")]
    return "\n".join(lines[-TAIL_LINES:])


def _names(requirements: Path) -> set[str]:
    found = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*==", requirements.read_text(), flags=re.MULTILINE)
    return {_canonical(name) for name in found}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
