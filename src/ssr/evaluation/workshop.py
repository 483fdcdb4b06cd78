"""Makes tasks at one commit of a repository: screens mutations with its tests, writes and checks instances."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ssr.contracts import SandboxBackend
from ssr.evaluation.grading import PYTEST, evaluate_patch
from ssr.evaluation.observed import Observation, observe
from ssr.evaluation.screening import Failure, Outcome, Variant, screen
from ssr.evaluation.sources import Sources, cut_tests, diff_of, read_sources, return_before
from ssr.evaluation.statements import Complaint, complaint_of, statement
from ssr.game.diffs import reverse
from ssr.game.instance import Instance, Source
from ssr.repository.mutations import Mutation
from ssr.repository.places import Function
from ssr.repository.snapshot import Snapshot
from ssr.seeds import seed_of

RUNS = 5
"""Runs of a task's tests, beyond the first look, that must say the same: a bug can make a test fail by chance."""
MAX_FAILURES = 20
MAX_TEST_FUNCTIONS = 8
MAX_TEST_FILES = 2
TEST_PARSER = """\
import json
import sys

result = {}
for line in sys.stdin:
    words = line.replace(" - ", " ").split()
    if len(words) > 1 and "::" in words[1] and words[0] in ("PASSED", "XFAIL", "FAILED", "ERROR"):
        passed = words[0] in ("PASSED", "XFAIL") and result.get(words[1]) != "failed"
        result[words[1]] = "passed" if passed else "failed"
print(json.dumps(result))
"""


@dataclass(frozen=True)
class Bug:
    """A mutation that the tests notice."""

    function: Function
    mutation: Mutation
    outcome: Outcome
    complaint: Complaint


@dataclass(frozen=True)
class Workshop:
    """One commit of one repository."""

    backend: SandboxBackend
    snapshot: Snapshot
    commit: str
    timeout_s: float

    @cached_property
    def sources(self) -> Sources:
        """The commit's text."""
        return read_sources(self.snapshot, self.commit)

    @cached_property
    def original(self) -> Outcome:
        """The whole suite on the unchanged commit."""
        return self.screen([Variant({}, tuple(sorted(self.sources.tests)))], 0)[0]

    def screen(self, variants: Sequence[Variant], max_failures: int = MAX_FAILURES) -> list[Outcome]:
        """Outcomes of variants of this commit, in order."""
        return screen(self.backend, self.snapshot, self.commit, variants, max_failures)

    def tests_for(self, function: Function) -> tuple[str, ...]:
        """The test files that speak most of a function; of its class or module where none does."""
        stem = function.path.rpartition("/")[2].removesuffix(".py")
        for word in dict.fromkeys((function.bare_name, function.name.split(".")[0], stem)):
            counts = {
                path: len(re.findall(rf"\b{re.escape(word)}\b", text)) for path, text in self.sources.tests.items()
            }
            found = sorted((path for path in counts if counts[path]), key=lambda path: (-counts[path], path))
            if found:
                return tuple(sorted(found[:MAX_TEST_FILES]))
        return ()

    def bugs(self, candidates: Sequence[tuple[Function, Mutation]]) -> list[Bug]:
        """Those of the candidates that a few test functions notice."""
        tests = [self.tests_for(function) for function, _ in candidates]
        variants = [Variant(self.mutated([m]), t) for (_, m), t in zip(candidates, tests, strict=True)]
        found = []
        for (function, mutation), outcome in zip(candidates, self.screen(variants), strict=True):
            if self._is_bug(outcome):
                complaint = complaint_of(function, self._observation(outcome, function.bare_name))
                found.append(Bug(function, mutation, outcome, complaint))
        return found

    def settled(self, variants: Sequence[Variant], max_failures: int) -> list[Outcome | None]:
        """Outcomes of variants, in order, as `screen`; None where `RUNS` runs did not all do the same."""
        runs = self.screen([variant for variant in variants for _ in range(RUNS)], max_failures)
        alike = [runs[first : first + RUNS] for first in range(0, len(runs), RUNS)]
        return [outcomes[0] if _agree(outcomes) else None for outcomes in alike]

    def together(self, groups: Sequence[Sequence[Bug]]) -> list[Outcome | None]:
        """What the tests of each group's bugs do when all of the group are there; None where that is up to chance."""
        variants = [Variant(self.mutated([bug.mutation for bug in group]), _files(group)) for group in groups]
        return [
            None if outcome is None or (len(group) == 1 and not _agree([outcome, group[0].outcome])) else outcome
            for group, outcome in zip(groups, self.settled(variants, 2 * MAX_FAILURES), strict=True)
        ]

    def mutated(self, mutations: Sequence[Mutation]) -> dict[str, str | None]:
        """Text of the files that the mutations change."""
        texts: dict[str, str | None] = {}
        for mutation in sorted(mutations, key=lambda m: (m.path, -m.line)):
            texts[mutation.path] = mutation.apply(texts.get(mutation.path) or self.sources.files[mutation.path])
        return texts

    def instance(self, bugs: Sequence[Bug], outcome: Outcome, instance_id: str, source: Source) -> Instance | None:
        """The task that these bugs together make; None where the failing tests cannot be taken out."""
        failing = sorted(outcome.failed & self.original.passed)
        test_files = sorted({test.split("::")[0] for test in failing})
        told_by_tests = source == "builtin-bugs"
        weak = {path: self._weakened(path, failing, outcome, told_by_tests) for path in test_files}
        if None in weak.values():
            return None
        mutated = self.mutated([bug.mutation for bug in bugs])
        passing = [t for t in sorted(outcome.passed & self.original.passed) if t.split("::")[0] in weak]
        text = statement([bug.complaint for bug in bugs], seed_of("statement", instance_id))
        bug_inject = diff_of({path: self.sources.files[path] for path in mutated}, mutated)
        test_weaken = diff_of({path: self.sources.files[path] for path in weak}, weak, 1 if told_by_tests else 3)
        return self.record(instance_id, source, text, bug_inject, test_weaken, failing, passing, test_files)

    def _weakened(self, path: str, failing: Sequence[str], outcome: Outcome, told_by_tests: bool) -> str | None:
        """A test file that notices the bugs no more: without its failing tests or, where the tests are what is told of
        the bugs, with a return before what fails."""
        text = self.sources.tests[path]
        here = [test for test in failing if test.split("::")[0] == path]
        if not told_by_tests:
            return cut_tests(text, functions_in(here, path))
        lines = {failure.test: failure.line for failure in outcome.failures}
        known = all(lines.get(test) for test in here)
        return return_before(text, (lines[test] for test in here)) if known else None

    def record(
        self,
        instance_id: str,
        source: Source,
        problem_statement: str,
        bug_inject: str,
        test_weaken: str,
        failing: Sequence[str],
        passing: Sequence[str],
        test_files: Sequence[str],
    ) -> Instance:
        """A task in SWE-bench's fields, with a plain pytest script and parser."""
        modules = " ".join(f"'{path}'" for path in test_files if path in self.sources.tests)
        version = next((release.version for release in self.snapshot.releases if release.commit == self.commit), "")
        return Instance(
            instance_id=instance_id,
            repo=self.snapshot.name,
            base_commit=self.commit,
            version=version,
            problem_statement=problem_statement,
            patch=reverse(bug_inject),
            test_patch=reverse(test_weaken),
            FAIL_TO_PASS=list(failing),
            PASS_TO_PASS=list(passing),
            bug_inject_diff=bug_inject,
            test_weaken_diff=test_weaken,
            test_script=f"#!/bin/bash\n{PYTEST} {modules}\n",
            test_files=list(test_files),
            test_parser=TEST_PARSER,
            strategy="issue",
            source=source,
        )

    def holds(self, instance: Instance) -> bool:
        """Whether swebench's grading says that the gold patch resolves the task, and that the empty patch fails each
        test of FAIL_TO_PASS and passes each of PASS_TO_PASS."""
        failing = sorted(instance.FAIL_TO_PASS)
        return self._failing(instance, instance.patch) == ([], []) and self._failing(instance, "") == (failing, [])

    def _failing(self, instance: Instance, patch: str) -> tuple[list[str], list[str]] | None:
        """Tests of FAIL_TO_PASS and of PASS_TO_PASS that fail with a patch; None where it does not apply."""
        report = evaluate_patch(self.backend, self.snapshot, instance, patch, self.timeout_s)
        if not report["patch_successfully_applied"]:
            return None
        tests = report["tests_status"]
        return sorted(tests["FAIL_TO_PASS"]["failure"]), sorted(tests["PASS_TO_PASS"]["failure"])

    def _is_bug(self, outcome: Outcome) -> bool:
        failing = outcome.failed & self.original.passed
        located = all("::" in test for test in outcome.failed)
        functions = {test.split("[")[0] for test in failing}
        few = len(outcome.failed) < MAX_FAILURES and len(functions) <= MAX_TEST_FUNCTIONS
        return outcome.finished and bool(failing) and located and few

    def _observation(self, outcome: Outcome, name: str) -> Observation:
        seen = [self._observe(failure, name) for failure in outcome.failures]
        return min(seen, key=lambda observation: observation.rank)

    def _observe(self, failure: Failure, name: str) -> Observation:
        source = self.sources.tests.get(failure.test.split("::")[0], "")
        return observe(failure.test, failure.message, source, failure.line, name)


def functions_in(tests: Sequence[str], path: str) -> list[str]:
    """Qualified names of the test functions behind test ids of one file."""
    ids = (test.split("[")[0].split("::") for test in tests)
    return sorted({".".join(names) for file, *names in ids if file == path})


def _files(bugs: Sequence[Bug]) -> tuple[str, ...]:
    """The test files that ran when the bugs were found."""
    return tuple(sorted({test.split("::")[0] for bug in bugs for test in bug.outcome.passed | bug.outcome.failed}))


def _agree(outcomes: Sequence[Outcome]) -> bool:
    return len({(outcome.finished, outcome.passed, outcome.failed) for outcome in outcomes}) == 1
