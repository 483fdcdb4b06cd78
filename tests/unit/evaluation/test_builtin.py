"""The built-in benchmarks, made from the pocket project with real sandboxes and pytest runs."""

from contextlib import closing
from dataclasses import replace

import pytest
from unidiff import PatchSet

from ssr.agent.prompts import specification
from ssr.config import AgentConfig, EvaluationConfig
from ssr.contracts import SandboxBackend
from ssr.errors import EvaluationError
from ssr.evaluation.builtin import Line, make_benchmark, with_specification
from ssr.evaluation.grading import evaluate_patch
from ssr.evaluation.sources import read_sources
from ssr.evaluation.workshop import Workshop
from ssr.game.codebase import open_codebase
from ssr.game.instance import Instance
from ssr.game.verdict import judge
from ssr.repository.places import share_of
from ssr.repository.snapshot import Snapshot


def places(snapshot: Snapshot, instance: Instance) -> set[str]:
    """Qualified names of the functions that a task's bug stands in."""
    functions = read_sources(snapshot, instance.base_commit).functions
    found = set()
    for patch in PatchSet(instance.bug_inject_diff):
        lines = [line.source_line_no for hunk in patch for line in hunk if line.is_removed]
        here = [function for function in functions if function.path == patch.path]
        found |= {f.name for f in here if any(f.first_line <= line <= f.last_line for line in lines)}
    return found


def test_verified_tasks_change_one_place_of_the_newest_release(verified: list[Instance], pocket: Snapshot) -> None:
    assert [task.instance_id for task in verified] == [f"pocket__verified-{n:03d}" for n in (1, 2, 3)]
    for task in verified:
        assert (task.base_commit, task.version, task.source) == (pocket.head, "3", "builtin-verified")
        assert len(places(pocket, task)) == 1


@pytest.mark.slow
def test_pro_tasks_change_several_places(pro: list[Instance], pocket: Snapshot) -> None:
    made = [task for task in pro if "upstream" not in task.instance_id]
    assert len(made) == 1
    assert all(len(places(pocket, task)) == 2 for task in made)
    for task in made:
        assert task.problem_statement.count("`") >= 6


@pytest.mark.slow
def test_every_upstream_change_with_new_failing_tests_is_a_task(pro: list[Instance], pocket: Snapshot) -> None:
    tasks = {task.version: task for task in pro if "upstream" in task.instance_id}
    assert list(tasks) == ["2", "3"]
    mean = tasks["2"]
    assert mean.base_commit == pocket.releases[1].commit
    assert "tests/test_numbers.py::test_mean_of_nothing" in mean.FAIL_TO_PASS
    assert "tests/test_text.py::test_shorten" in mean.FAIL_TO_PASS
    assert "tests/test_numbers.py::test_mean" in mean.PASS_TO_PASS
    assert set(mean.test_files) == {"tests/test_numbers.py", "tests/test_text.py"}
    assert all(test.startswith("tests/test_store.py::") for test in tasks["3"].FAIL_TO_PASS)


@pytest.mark.parametrize("made", ["verified", pytest.param("pro", marks=pytest.mark.slow)])
def test_gold_resolves_and_nothing_does_not(
    request: pytest.FixtureRequest, made: str, pocket: Snapshot, backend: SandboxBackend
) -> None:
    tasks: list[Instance] = request.getfixturevalue(made)
    for task in (tasks[0], tasks[-1]):
        assert evaluate_patch(backend, pocket, task, task.patch, 120)["resolved"] is True
        assert evaluate_patch(backend, pocket, task, "", 120)["resolved"] is False


@pytest.mark.slow
def test_the_game_judges_human_tasks_as_swebench_does(
    human: list[Instance], pocket: Snapshot, backend: SandboxBackend
) -> None:
    for task in human:
        assert judge(backend, pocket, task, task.patch).solved
        assert not judge(backend, pocket, task, task.test_patch).solved


def test_the_agent_does_not_see_the_failing_tests(
    verified: list[Instance], pocket: Snapshot, backend: SandboxBackend
) -> None:
    for task in verified:
        with closing(open_codebase(backend, pocket, task)) as sandbox:
            done = sandbox.run("python -m pytest -q -p no:cacheprovider -rp", timeout_s=120)
        assert done.exit_code == 0
        assert not any(test in done.output.split() for test in task.FAIL_TO_PASS)


def test_statements_name_the_function_and_hide_the_fix(verified: list[Instance], pocket: Snapshot) -> None:
    for task in verified:
        name = next(iter(places(pocket, task))).removesuffix(".__init__").rpartition(".")[2]
        assert f"`{name}`" in task.problem_statement.split(". ")[0]
        assert len(task.problem_statement.split()) < 120
        added = [line.value.strip() for hunk in PatchSet(task.patch)[0] for line in hunk if line.is_added]
        assert not any(line in task.problem_statement for line in added)


@pytest.mark.slow
def test_human_tasks_share_neither_place_nor_release_with_the_benchmarks(
    human: list[Instance], verified: list[Instance], pro: list[Instance], pocket: Snapshot
) -> None:
    held_out = [*verified, *pro]
    assert {task.base_commit for task in human} & {task.base_commit for task in held_out} == set()
    assert {p for t in human for p in places(pocket, t)} & {p for t in held_out for p in places(pocket, t)} == set()
    assert all(task.source == "human" for task in human)


def test_shares_split_the_functions(verified: list[Instance], pocket: Snapshot) -> None:
    functions = {function.name: function for function in read_sources(pocket, pocket.head).functions}
    for task in verified:
        assert {share_of("pocket", functions[name]) for name in places(pocket, task)} == {"builtin-verified"}


@pytest.mark.slow
def test_making_again_gives_the_same(
    human: list[Instance], pocket: Snapshot, backend: SandboxBackend, wanted: EvaluationConfig
) -> None:
    assert make_benchmark("human", [pocket], backend, wanted) == human


def test_too_few_tasks_are_an_error(pocket: Snapshot, backend: SandboxBackend) -> None:
    newest = replace(pocket, releases=pocket.releases[-1:])
    with pytest.raises(EvaluationError, match="60 tasks are asked for and the repositories give 0"):
        make_benchmark("human", [newest], backend, EvaluationConfig())


@pytest.fixture(scope="session")
def split(pocket: Snapshot) -> Snapshot:
    """The pocket project under a name that puts some of its functions into the two small shares."""
    return replace(pocket, name="pocket293")


def test_held_out_bugs_are_told_by_their_tests_alone(split: Snapshot, backend: SandboxBackend) -> None:
    config, agent = EvaluationConfig(bugs_tasks=1, test_timeout_s=120), AgentConfig(prompts="brief")
    bugs = make_benchmark("builtin-bugs", [split], backend, config)
    assert [bug.instance_id for bug in bugs] == ["pocket293__bugs-001"]
    functions = {function.name: function for function in read_sources(split, split.head).functions}
    for bug in bugs:
        assert {share_of(split.name, functions[name]) for name in places(split, bug)} == {"builtin-bugs"}
        told = with_specification(bug, agent)
        assert told.problem_statement == specification(agent, bug.test_patch)
        assert bug.test_patch.strip() in told.problem_statement
        removed = [line[1:].strip() for line in bug.test_patch.splitlines() if line[0] == "-" and line[:3] != "---"]
        assert removed and set(removed) == {"return"}
        assert bug.problem_statement not in told.problem_statement


@pytest.mark.slow
def test_asked_for_in_parts_there_are_as_many_as_at_once(split: Snapshot, backend: SandboxBackend) -> None:
    workshop = Workshop(backend, split, split.head, 120)
    at_once, in_parts = (Line("builtin-bugs", [workshop], ()) for _ in range(2))
    while not at_once.exhausted:
        at_once.advance(99)
    while not in_parts.exhausted:
        in_parts.advance(len(in_parts.made) + 2)
    assert len(at_once.made) > 1
    assert {task.patch for task in in_parts.made} == {task.patch for task in at_once.made}


@pytest.mark.slow
def test_the_tuning_set_has_places_of_its_own(split: Snapshot, backend: SandboxBackend) -> None:
    config = EvaluationConfig(tuning_tasks=1, test_timeout_s=120)
    task = make_benchmark("builtin-tuning", [split], backend, config)[0]
    functions = {function.name: function for function in read_sources(split, split.head).functions}
    assert {share_of(split.name, functions[name]) for name in places(split, task)} == {"builtin-tuning"}
    assert (task.source, len(places(split, task))) == ("builtin-tuning", 1)
