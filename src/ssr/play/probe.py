"""Whether the tests of a snapshot can be collected in a sandbox, and what they miss. Nothing is run outside of it."""

import re
from collections import Counter
from dataclasses import dataclass, field

from ssr.contracts import SandboxBackend
from ssr.repository.snapshot import Snapshot

SCRIPT = "python -m pytest --collect-only -q -rs -p no:cacheprovider --color=no 2>&1 | grep -vE '^[^ ]+::'"
"""Without the names of the tests, which alone can be more than a sandbox may print."""
SHOWN = 6
_MODULE = re.compile(r"^E +ModuleNotFoundError: No module named '([\w.]+)'", re.MULTILINE)
_SKIPPED = re.compile(r"^SKIPPED \[(\d+)\] .*could not import '([\w.]+)'", re.MULTILINE)
_METADATA = re.compile(r"PackageNotFoundError: (?:No package metadata was found for )?([\w.-]+)")
_ERROR = re.compile(r"^E +(\w*(?:Error|Exception)\b.*)$", re.MULTILINE)
_COUNT = re.compile(r"^(?:(\d+)/)?(\d+) tests? collected|^no tests collected|^(\d+) tests? collected", re.MULTILINE)


@dataclass(frozen=True)
class Probe:
    """What pytest collected."""

    tests: int
    broken: int
    """Files that cannot be collected."""
    modules: dict[str, int]
    """Modules that are not there -> how often they were missed, most first."""
    errors: tuple[str, ...]
    """Other things that went wrong, each once."""
    seconds: float
    tail: str
    """End of the output."""
    timed_out: bool = False
    skipped: dict[str, int] = field(default_factory=dict)
    """Modules without which whole files are skipped -> how many, most first."""


def probe(backend: SandboxBackend, snapshot: Snapshot, timeout_s: float) -> Probe:
    """Collect a Python repository's tests with pytest. Raises SandboxError."""
    done = backend.run_once(snapshot, SCRIPT, timeout_s=timeout_s)
    return read_collection(done.output, done.seconds, done.timed_out)


def read_collection(output: str, seconds: float = 0.0, timed_out: bool = False) -> Probe:
    """What the output of `pytest --collect-only -q` says."""
    counts = [int(found.group(2)) for found in _COUNT.finditer(output) if found.group(2)]
    broken = re.findall(r"^ERROR (\S+)", output, re.MULTILINE)
    modules = Counter(_MODULE.findall(output))
    skipped: Counter[str] = Counter()
    for times, name in _SKIPPED.findall(output):
        skipped[name.partition(".")[0]] += int(times)
    metadata = [f"no package metadata of {name}, as it is not installed" for name in _METADATA.findall(output)]
    others = [line for line in _ERROR.findall(output) if not re.match("ModuleNotFound|PackageNotFound", line)]
    return Probe(
        tests=counts[-1] if counts else 0,
        broken=len(set(broken)),
        modules=dict(modules.most_common()),
        errors=tuple(dict.fromkeys([*metadata, *others]))[:SHOWN],
        seconds=seconds,
        tail="\n".join(output.rstrip().splitlines()[-SHOWN:]),
        timed_out=timed_out,
        skipped=dict(skipped.most_common()),
    )
