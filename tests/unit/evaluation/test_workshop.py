"""What chance has a part in is no task: a workshop runs tests again before it believes them."""

from dataclasses import replace

import pytest

from ssr.contracts import SandboxBackend
from ssr.evaluation.screening import Variant
from ssr.evaluation.workshop import Workshop
from ssr.game.instance import Instance
from ssr.repository.mutations import mutations_of
from ssr.repository.snapshot import Snapshot

BY_TURNS = """\
from pathlib import Path


def test_by_turns():
    turns = Path("/tmp/turns")
    count = len(turns.read_text()) if turns.exists() else 0
    turns.write_text("x" * (count + 1))
    assert count % 3 == {turn}


def test_always():
    assert False
"""
STEADY = "def test_always():\n    assert False\n"


@pytest.fixture(scope="module")
def workshop(pocket: Snapshot, backend: SandboxBackend) -> Workshop:
    return Workshop(backend, pocket, pocket.head, 120)


@pytest.mark.parametrize("turn", [0, 2])
def test_what_comes_and_goes_is_not_settled(workshop: Workshop, turn: int) -> None:
    file = "tests/test_turns.py"
    variants = [Variant({file: text}, (file,)) for text in (BY_TURNS.format(turn=turn), STEADY)]
    by_turns, steady = workshop.settled(variants, 0)
    assert by_turns is None
    assert steady is not None and steady.failed == {f"{file}::test_always"}


def test_a_bug_whose_first_look_showed_other_tests_makes_no_task(workshop: Workshop) -> None:
    clamp = next(function for function in workshop.sources.functions if function.name == "clamp")
    mutations = mutations_of(workshop.sources.files[clamp.path], clamp)
    bug = workshop.bugs([(clamp, mutation) for mutation in mutations])[0]
    one_less = replace(bug.outcome, failed=frozenset(sorted(bug.outcome.failed)[1:]))
    same, other = workshop.together([[bug], [replace(bug, outcome=one_less)]])
    assert same is not None and same.failed == bug.outcome.failed
    assert other is None


def test_a_task_holds_only_where_each_of_its_tests_does_as_it_says(
    workshop: Workshop, verified: list[Instance]
) -> None:
    task = verified[0]
    assert task.PASS_TO_PASS
    assert workshop.holds(task)
    passing = [*task.FAIL_TO_PASS, task.PASS_TO_PASS[0]]
    assert not workshop.holds(task.model_copy(update={"FAIL_TO_PASS": passing}))
    failing = [*task.PASS_TO_PASS, task.FAIL_TO_PASS[0]]
    assert not workshop.holds(task.model_copy(update={"PASS_TO_PASS": failing}))
