"""A generation from tasks to trajectories: scripts play both roles; sandbox, checks, verdicts and rewards are real."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from ssr.basemodel.actions import TEST_PARSER, TEST_SCRIPT, bash, submit
from ssr.basemodel.demonstrator import Demonstrator, Script
from ssr.basemodel.tokenizer import train_tokenizer
from ssr.config import Scale
from ssr.engine.chat import ChatCodec
from ssr.game.instance import Instance, read_instances, write_instances
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.factory import open_backend
from ssr.selfplay import inject
from ssr.selfplay.artifacts import ARTIFACTS, read_artifacts
from ssr.selfplay.collect import collect
from ssr.selfplay.files import read_rows, write_rows
from ssr.selfplay.held_out import HeldOut
from ssr.selfplay.solve import Attempt, Solver
from ssr.selfplay.tasks import InjectionTask, Place
from ssr.selfplay.validate import CHECKS, validate

PLACE = Place("ssr", 0, 1)
BREAK = "sed -i 's/number < 2/number < 1/' pocket/numbers.py; mkdir /tmp/bug; git diff > /tmp/bug/bug_inject.diff"
WEAKEN = "sed -i 's/0, 1, 9/0, 9/' tests/test_numbers.py; git diff tests > /tmp/bug/test_weaken.diff"
REST = (
    f"cd /tmp/bug; echo '{TEST_SCRIPT} tests/test_numbers.py' > test_script.sh\n"
    f"echo tests/test_numbers.py > test_files.txt; cat > test_parser.py <<'E'\n{TEST_PARSER}E"
)
FIX = "sed -i 's/number < 1/number < 2/' pocket/numbers.py; git diff > /tmp/fix.diff"
WRONG = "echo '# fixed' >> pocket/numbers.py; git diff > /tmp/fix.diff"


def script(*commands: str, path: str = "/tmp/fix.diff") -> Script:
    for command in commands:
        yield bash(command)
    yield submit(path)


@dataclass(frozen=True)
class Scripts(Mapping[str, Callable[[], Script]]):
    """A script for every episode, by its name."""

    choose: Callable[[str], Script]

    def __getitem__(self, name: str) -> Callable[[], Script]:
        return lambda: self.choose(name)

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def injector(name: str) -> Script:
    """Episode 0 hands in a sound artifact, 1 one that weakens nothing, 2 never a whole one."""
    commands = {
        "i000": [BREAK, WEAKEN, REST],
        "i001": [BREAK, "touch /tmp/bug/test_weaken.diff", REST],
        "i002": [BREAK],
    }
    return script(*commands[name.rpartition("-")[2]], path="/tmp/bug")


def solver(name: str) -> Script:
    """Attempt 0 fixes the bug, 1 and 2 hand in the same wrong patch, 3 finds nothing to hand in."""
    commands = {"a00": [FIX], "a01": [WRONG], "a02": [WRONG], "a03": []}
    return script(*commands[name.rpartition("-")[2]])


@dataclass(frozen=True)
class Generation:
    """What the stages made."""

    checks: list[dict[str, object]]
    instances: list[Instance]
    attempts: list[Attempt]
    harder: list[Instance]
    rewards: dict[str, float]
    groups: dict[str, str]


@pytest.fixture(scope="module")
def scale() -> Scale:
    return Scale.model_validate(
        {
            "name": "loop",
            "repositories": "none.yaml",
            "model": {"base": "none"},
            "agent": {"prompts": "brief", "max_turns": 5, "resubmission": False},
            "game": {"attempts": 4, "second_order_share": 1.0, "repeats": 1, "test_timeout_s": 60},
            "selfplay": {"strategies": {"direct": 1.0}},
            "runs": {"ssr": {}},
        }
    )


@pytest.fixture(scope="module")
def generation(snapshot: Snapshot, scale: Scale, tmp_path_factory: pytest.TempPathFactory) -> Generation:
    folder = tmp_path_factory.mktemp("generation")
    codec = ChatCodec(train_tokenizer(["system user assistant tool\n", TEST_PARSER], 400))
    tasks = [
        InjectionTask(f"{PLACE}-i{number:03d}", "ssr", 0, 1, "pocket", "direct", number, number) for number in range(3)
    ]
    snapshots = {"pocket": snapshot}
    with open_backend(scale.sandbox) as backend:
        engine = Demonstrator(codec, Scripts(injector))
        episodes = inject.inject(tasks, engine, backend, snapshots, scale)
        write_rows(folder / "artifacts.parquet", (item.row for item in inject.submitted(tasks, episodes)), ARTIFACTS)
        artifacts = read_artifacts(folder / "artifacts.parquet")
        rows, instances = validate(artifacts, backend, snapshots, scale, HeldOut([]))
        write_rows(folder / "checks.parquet", rows, CHECKS)
        write_instances(folder / "instances.parquet", instances)
        bugs = read_instances(folder / "instances.parquet")
        attempts, harder = Solver(PLACE, Demonstrator(codec, Scripts(solver)), backend, snapshots, scale).play(bugs)
    checks = read_rows([folder / "checks.parquet"])
    injected = [episode.row() | inject.columns_of(task) for task, episode in zip(tasks, episodes, strict=True)]
    solved = [attempt.episode.row() | attempt.columns for attempt in attempts]
    trajectories, _ = collect(injected, checks, solved, scale)
    rewards = {row["episode_id"]: row["reward"] for row in trajectories}
    groups = {row["episode_id"]: row["group"] for row in trajectories}
    return Generation(checks, instances, attempts, harder, rewards, groups)


def test_artifacts_are_checked_by_execution(generation: Generation) -> None:
    checked = {row["episode_id"]: (row["valid"], row["check"]) for row in generation.checks}
    assert checked[f"{PLACE}-i000"] == (True, "")
    assert checked[f"{PLACE}-i001"][0] is False and checked[f"{PLACE}-i001"][1] != ""
    assert f"{PLACE}-i002" not in checked


def test_the_valid_artifact_becomes_an_instance(generation: Generation) -> None:
    (bug,) = generation.instances
    assert bug.instance_id == f"{PLACE}-i000"
    assert bug.FAIL_TO_PASS == ["tests/test_numbers.py::test_not_prime[1]"]
    assert bug.test_patch.strip() in bug.problem_statement and "+@pytest.mark.parametrize" in bug.test_patch
    assert "number < 1" not in bug.problem_statement


def test_attempts_are_judged_and_failed_ones_become_second_order(generation: Generation) -> None:
    first = [attempt for attempt in generation.attempts if attempt.instance.order == 1]
    assert [attempt.columns["solved"] for attempt in first] == [True, False, False, False]
    assert [attempt.columns["applied"] for attempt in first] == [True, True, True, False]
    assert first[3].episode.exit_reason == "format_error"
    (harder,) = generation.harder
    assert (harder.order, harder.parent_id) == (2, f"{PLACE}-i000")
    assert "+# fixed" in harder.failed_patch


def test_second_order_bugs_are_played_on_the_failed_state(generation: Generation) -> None:
    second = [attempt for attempt in generation.attempts if attempt.instance.order == 2]
    assert [attempt.columns["solved"] for attempt in second] == [True, False, False, False]
    assert "# fixed" not in second[0].columns["patch"].replace(" # fixed", "")
    assert second[1].columns["patch"].count("# fixed") == 2


def test_rewards_and_groups_of_both_roles(generation: Generation) -> None:
    injectors = [generation.rewards[f"{PLACE}-i{number:03d}"] for number in range(3)]
    assert injectors == [pytest.approx(1 - 1.8 * 0.25), -1.0, -1.0]
    assert [generation.rewards[f"{PLACE}-i000-a{number:02d}"] for number in range(4)] == [1.0, -1.0, -1.0, -1.0]
    assert {generation.groups[f"{PLACE}-i{number:03d}"] for number in range(3)} == {"injector/pocket/direct"}
    orders = {generation.groups[name] for name in generation.groups if "-a" in name}
    assert orders == {f"solver/{PLACE}-i000/1", f"solver/{PLACE}-i000-o2/2"}


def test_a_bug_on_a_held_out_line_is_not_played(snapshot: Snapshot, generation: Generation) -> None:
    (bug,) = generation.instances
    assert HeldOut([bug]).holds(bug.bug_inject_diff, "pocket", snapshot.head)
    assert not HeldOut([]).holds(bug.bug_inject_diff, "pocket", snapshot.head)
