"""Tasks from real changes: a release whose new tests fail on the code of the release before it."""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ssr.evaluation.observed import observe
from ssr.evaluation.screening import Failure, Variant
from ssr.evaluation.sources import Sources, diff_of, is_test_path, read_sources
from ssr.evaluation.statements import Complaint, complaint_of, statement
from ssr.evaluation.workshop import Workshop
from ssr.game.instance import Instance
from ssr.repository.places import Function, functions_of, parse_function
from ssr.repository.snapshot import Release, Snapshot
from ssr.seeds import seed_of

MAX_COMPLAINTS = 2


@dataclass(frozen=True)
class Change:
    """What one release changed in code and tests, read from text alone."""

    release: Release
    old: Sources
    new: Sources

    @cached_property
    def code(self) -> list[str]:
        """Code files that differ, or are in one of the two releases only."""
        return self._differing({*self.old.code, *self.new.code})

    @cached_property
    def tests(self) -> list[str]:
        """Files of the test suite that differ."""
        return self._differing(path for path in {*self.old.files, *self.new.files} if is_test_path(path))

    @cached_property
    def modules(self) -> tuple[str, ...]:
        """Those of the new release's differing test files that pytest collects."""
        return tuple(path for path in self.tests if path in self.new.tests)

    @property
    def testable(self) -> bool:
        """Whether a task can be in it at all."""
        return bool(self.code and self.modules)

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The functions that are new or differ from the old release, by bare name; special methods by their class."""
        before = {(function.name, function.source) for function in self.old.functions}
        changed = (f for f in self.new.functions if f.path in self.code and (f.name, f.source) not in before)
        names: dict[str, Function] = {}
        for function in changed:
            *owners, name = function.name.split(".")
            names.setdefault(owners[-1] if owners and name.startswith("__") else name, function)
        return names

    @cached_property
    def places(self) -> set[str]:
        """Qualified names of the functions that do other things in the new release, or are in one of the two only."""
        sides = [
            {(function.name, _behaviour(function)) for function in side.functions} for side in (self.old, self.new)
        ]
        return {name for name, _ in sides[0] ^ sides[1]}

    def _differing(self, paths: Iterable[str]) -> list[str]:
        return sorted(path for path in paths if self.new.files.get(path) != self.old.files.get(path))


def testable_changes(snapshot: Snapshot) -> list[Change]:
    """The changes between consecutive releases, oldest first, that touch code and tests."""
    sources = [read_sources(snapshot, release.commit) for release in snapshot.releases]
    changes = (Change(*each) for each in zip(snapshot.releases[1:], sources, sources[1:], strict=False))
    return [change for change in changes if change.testable]


def upstream_task(workshop: Workshop, change: Change) -> Instance | None:
    """The task of a change, in the workshop of its release; None where no new test fails before and passes after,
    or where that is up to chance."""
    reverted = _texts(change.old, change.code)
    sides = [Variant({}, change.modules), Variant(reverted, change.modules)]
    fixed, broken = workshop.settled(sides, max_failures=0)
    if fixed is None or broken is None:
        return None
    failing = sorted(fixed.passed - broken.passed)
    if not failing or not broken.finished:
        return None
    instance_id = f"{workshop.snapshot.name}__upstream-{change.release.version}"
    instance = workshop.record(
        instance_id,
        "builtin-pro",
        statement(_complaints(change, broken.failures), seed_of("statement", instance_id)),
        diff_of(_texts(change.new, change.code), reverted),
        diff_of(_texts(change.new, change.tests), _texts(change.old, change.tests)),
        failing,
        sorted(fixed.passed & broken.passed),
        [path for path in change.tests if path in change.new.files],
    )
    return instance if workshop.holds(instance) else None


def _behaviour(function: Function) -> str:
    """A function without its layout, comments, docstring and annotations."""
    tree = parse_function(function)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
            node.body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        elif isinstance(node, ast.arg):
            node.annotation = None
    return ast.dump(tree)


def _texts(sources: Sources, paths: Iterable[str]) -> Mapping[str, str | None]:
    return {path: sources.files.get(path) for path in paths}


def _mentions(text: str, name: str) -> bool:
    return bool(re.search(rf"\b{re.escape(name)}\b", text))


def _complaints(change: Change, failures: Iterable[Failure]) -> list[Complaint]:
    """What the failing tests say of the changed functions that they speak of, most telling first."""
    module = change.code[0].rpartition("/")[2].removesuffix(".py")
    fallback = next(iter(change.functions), module)
    complaints: dict[str, Complaint] = {}
    for failure in failures:
        file, *parts = failure.test.split("[")[0].split("::")
        source = change.new.files.get(file, "")
        test = next((f for f in functions_of(source, file) if f.name == ".".join(parts)), None)
        texts = (failure.message, test.source if test else "", source)
        name = next((name for text in texts for name in change.functions if _mentions(text, name)), fallback)
        seen = observe(failure.test, failure.message, source, failure.line, name)
        if name not in complaints or seen.rank < complaints[name].observation.rank:
            function = change.functions.get(name)
            place = complaint_of(function, seen) if function else Complaint(name, "", change.code[0], seen)
            complaints[name] = place if name == place.name else replace(place, name=name, owner="")
    return sorted(complaints.values(), key=lambda complaint: complaint.observation.rank)[:MAX_COMPLAINTS]
