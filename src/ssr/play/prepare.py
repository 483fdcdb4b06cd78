"""Before the game: take a repository in, look at it, resolve what its tests need, freeze it, collect its tests."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import yaml

from ssr.config import Scale
from ssr.errors import ConfigError, NoTests, RepositoryError
from ssr.files import written
from ssr.play.environment import write_environment
from ssr.play.place import REPOSITORY, Place, take_in
from ssr.play.probe import SHOWN, Probe, probe
from ssr.play.survey import TESTS, Survey, look_at
from ssr.repository.build import make_snapshot
from ssr.repository.git import BRANCH, git
from ssr.repository.listing import load_repositories
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.factory import open_backend

RECORD = "prepared.json"
MANY = 2000
"""Tests of a repository beyond which an agent should not run all at once."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Ask:
    """Which repository, and what its tests need beyond what it says."""

    place: str
    at: str = ""
    packages: tuple[str, ...] = ()
    environment: Path | None = None
    tests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """What is known of a repository before the game begins."""

    place: Place
    survey: Survey
    packages: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    """Requirement -> why it could not be had."""
    probe: Probe | None = None
    """None for languages whose tests are not collected beforehand."""


def prepare(ask: Ask, scale: Scale, out: Path, say: Say) -> Prepared:
    """Make `out`/snapshots/NAME, or find it made. Says what was found and what is missing.

    Raises NoTests before anything is installed, InstallFailed, RepositoryError where no test can be collected.
    """
    record = out / RECORD
    if record.exists():
        prepared = read_prepared(record)
        say(f"{prepared.place.name} at {prepared.place.commit[:12]} is prepared")
    else:
        place, survey = _seen(ask, out, say)
        prepared = Prepared(place, survey, *_installed(ask, place, survey, out, say))
        _write(prepared, record)
    if prepared.survey.language == "Python" and prepared.probe is None:
        prepared = replace(prepared, probe=_probed(prepared.place, scale, out, say))
        _write(prepared, record)
    return prepared


def _probed(place: Place, scale: Scale, out: Path, say: Say) -> Probe:
    say("collecting the tests in a sandbox")
    with open_backend(scale.sandbox) as backend:
        found = probe(backend, Snapshot.load(out / "snapshots" / place.name), scale.game.test_timeout_s)
    for line in told(found):
        say(line)
    if found.tests > MANY:
        say(
            f"note: all tests at once may take longer than a command may, {scale.agent.command_timeout_s:.0f} s: "
            "-c agent.command_timeout_s=600 gives more"
        )
    if not found.tests and not found.timed_out:
        raise RepositoryError(f"pytest collects no test in {place.said}: {_what_to_do(found)}")
    return found


def _write(prepared: Prepared, record: Path) -> None:
    with written(record) as partial:
        partial.write_text(json.dumps(asdict(prepared), indent=1) + "\n")


def read_prepared(record: Path) -> Prepared:
    """What `prepare` wrote."""
    values = json.loads(record.read_text())
    values["place"] = Place(**values["place"])
    values["survey"] = Survey(**values["survey"])
    values["probe"] = Probe(**values["probe"]) if values["probe"] else None
    return Prepared(**values)


def _seen(ask: Ask, out: Path, say: Say) -> tuple[Place, Survey]:
    say(f"taking in {ask.place}")
    place = take_in(ask.place, ask.at, out)
    say(f"{place.name} at {place.commit[:12]}, {place.commits} commit{'s' * (place.commits != 1)}")
    files = out / "files"
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    git("--work-tree", str(files), "checkout", "-q", "-f", BRANCH.rpartition("/")[2], "--", ".", cwd=out / REPOSITORY)
    survey = look_at(files, place.name, ask.tests or TESTS)
    shares = ", ".join(f"{lines:,} {name}" for name, lines in list(survey.languages.items())[:3])
    say(f"{survey.lines:,} lines of code ({shares}), {len(survey.tests)} test files, licence {survey.licence}")
    for note in place.notes:
        say(f"note: {note}")
    if not survey.tests:
        shutil.rmtree(files)
        raise NoTests(
            f"{place.said} has no file that is called like a test. Bugs are found valid by tests, so there is nothing "
            "to play here: take a checkout that has them (source distributions often leave them out), or say what they "
            "are called: --tests 'check_*.py'"
        )
    if survey.compiled:
        say(f"note: nothing is built here, tests of compiled parts fail: {', '.join(survey.compiled[:3])}")
    return place, survey


def _installed(ask: Ask, place: Place, survey: Survey, out: Path, say: Say) -> tuple[list[str], dict[str, str]]:
    """Resolve and install; packages, and what could not be had."""
    files = out / "files"
    packages: list[str] = []
    missing: dict[str, str] = {}
    if ask.environment is not None and not ask.environment.is_file():
        raise ConfigError(f"--environment {ask.environment} is no file: hashed requirements, or a package-lock.json")
    lock = ask.environment or (files / "package-lock.json" if survey.language in ("JavaScript", "TypeScript") else None)
    environment = out / f"environment{'.json' if lock and lock.suffix == '.json' else '.txt'}"
    if survey.language == "Python" or (lock is not None and lock.is_file()):
        given = ask.environment or (lock if survey.language != "Python" else None)
        if resolved := write_environment(files, place.name, ask.packages, given, environment, say):
            packages, missing = resolved.packages, resolved.missing
    else:
        environment.with_suffix(".txt").write_text("")
        environment = environment.with_suffix(".txt")
        say(f"note: nothing is installed for {survey.language}: name what its tests need with --environment")
    for requirement, why in missing.items():
        say(f"missing: {requirement}: {why}")
    shutil.rmtree(files)
    say(f"installing {len(packages)} packages and freezing the snapshot" if packages else "freezing the snapshot")
    _freeze(place, survey, environment, out)
    return packages, missing


def _freeze(place: Place, survey: Survey, environment: Path, out: Path) -> None:
    entry = {
        "kind": "git",
        "source": REPOSITORY,
        "origin": place.said,
        "commit": place.commit,
        "licence": survey.licence,
        "environment": environment.name,
        "import_paths": list(survey.import_paths),
        "tests": ["*"],  # they were looked for already
    }
    listing = out / "list.yaml"
    listing.write_text(yaml.safe_dump({place.name: entry}, sort_keys=False))
    make_snapshot(load_repositories(listing)[place.name], out, out / "snapshots" / place.name)


def told(found: Probe) -> list[str]:
    """What a person should hear of a collection."""
    if found.timed_out:
        return ["pytest did not finish collecting in time: the game goes on, as an agent may run a few files alone"]
    lines = [f"{found.tests:,} tests collected in {found.seconds:.0f} s; {found.broken} files cannot be collected"]
    for module, times in list(found.modules.items())[:SHOWN]:
        lines.append(f"missing: the module {module} ({times} times): --with the package that brings it")
    for module, times in list(found.skipped.items())[:SHOWN]:
        lines.append(f"note: without {module} tests are skipped ({times} files): --with {module}, if it is called so")
    return lines + [f"error: {line}" for line in found.errors]


def _what_to_do(found: Probe) -> str:
    if found.modules:
        return f"add what brings {', '.join(list(found.modules)[:SHOWN])} by --with PACKAGE, or give --environment FILE"
    return f"see what it says and give --environment FILE, or --tests\n{found.tail}"
