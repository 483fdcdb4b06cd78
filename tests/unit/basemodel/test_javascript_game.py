"""JavaScript in the game: the demonstrator plays both roles, node runs the tests, checks and verdicts are the same."""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from javascript_project import write_javascript
from ssr.basemodel.demonstrate import Demonstrations
from ssr.basemodel.dialects import JAVASCRIPT, PYTHON, read_repository
from ssr.basemodel.javascript import TEST_PARSER, definition
from ssr.config import AgentConfig, GameConfig, Scale
from ssr.contracts import SandboxBackend
from ssr.engine.chat import ChatCodec
from ssr.repository.build import make_snapshot
from ssr.repository.listing import GitSpec
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.factory import open_backend

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
EPISODES = 4


@pytest.fixture(scope="module")
def scale() -> Scale:
    agent = AgentConfig(prompts="brief", context_tokens=16_384, max_turns=10, edit_context_lines=0, resubmission=False)
    game = GameConfig(min_passing_tests=3, test_timeout_s=60)
    return Scale.model_validate(
        {"name": "node", "repositories": "none.yaml", "model": {"base": "none"}, "runs": {"ssr": {}}}
    ).model_copy(update={"agent": agent, "game": game})


@pytest.fixture(scope="module")
def backend(scale: Scale) -> Iterator[SandboxBackend]:
    with open_backend(scale.sandbox) as opened:
        yield opened


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The tiny project: a git repository without dependencies."""
    folder = tmp_path_factory.mktemp("javascript")
    commits = write_javascript(folder)
    spec = GitSpec(
        name="wordlist",
        kind="git",
        licence="MIT",
        environment=Path("none.json"),
        source="javascript.git",
        commit=commits[-1],
        tests=("*.test.js",),
    )
    return make_snapshot(spec, folder, folder / "snapshots" / "wordlist")


@pytest.fixture(scope="module")
def played(scale: Scale, backend: SandboxBackend, small: Snapshot, codec: ChatCodec) -> Demonstrations:
    return Demonstrations(scale, small, codec, backend)


def test_the_language_is_that_of_most_files(small: Snapshot, snapshot: Snapshot) -> None:
    source, dialect = read_repository(small)
    assert dialect is JAVASCRIPT
    assert set(source.files) == {"lib/numbers.js", "lib/words.js", "test/numbers.test.js", "test/words.test.js"}
    assert read_repository(snapshot)[1] is PYTHON


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("weigh", "function weigh(things) {"),
        ("weigh", "async function weigh (things) {"),
        ("weigh", "var weigh = function other(things) {"),
        ("weigh", "    weigh: function (things) {"),
        ("weigh", "const weigh = async (things) => {"),
        ("weigh", "    static weigh(things) {"),
    ],
)
def test_definitions_are_found_by_python_and_grep_alike(name: str, line: str) -> None:
    others = [f"return {name}(things);", f"    if ({name}(things)) {{ go(); }}", f"over{name} = function () {{"]
    text = "\n".join([*others, line])
    done = subprocess.run(["grep", "-E", definition(name)], input=text, capture_output=True, text=True)
    assert done.stdout.splitlines() == [line]
    assert [each for each in text.split("\n") if re.search(definition(name), each)] == [line]


def test_the_parser_reads_tape_and_node_and_leaves_skipped_tests_out() -> None:
    tape = "== test/a.js\nTAP version 13\n# adds\nok 1 should be equal\nnot ok 2 should be equal\n  ---\n  ...\n"
    tape += "# skips\nnot ok 3 later # SKIP\n\n1..3\n# tests 3\n"
    node = "== b.test.js\n# Subtest: group\n    # Subtest: inner\n    ok 1 - inner\n    1..1\nok 1 - group\n"
    done = subprocess.run([sys.executable, "-c", TEST_PARSER], input=tape + node, capture_output=True, text=True)
    assert json.loads(done.stdout) == {
        "test/a.js adds": "failed",
        "b.test.js inner": "passed",
        "b.test.js group": "passed",
    }


@pytest.mark.slow
def test_the_demonstrator_plays_both_roles(played: Demonstrations) -> None:
    instances = played.inject(EPISODES)
    assert len(instances) >= EPISODES // 2
    assert played.solve(instances) == len(instances)
    for instance in instances:
        assert instance.bug_inject_diff.startswith("diff --git a/lib/")
        assert all(path.startswith("test/") for path in instance.test_files)
        assert all(test.startswith("test/") for test in instance.FAIL_TO_PASS)
        assert ".ok(1, " in instance.test_weaken_diff
    assert Counter(row["role"] for row in played.rows) == {"injector": len(instances), "solver": len(instances)}


@pytest.mark.slow
def test_a_project_of_the_registry_is_played(
    scale: Scale, backend: SandboxBackend, real_javascript: Snapshot, codec: ChatCodec
) -> None:
    made = Demonstrations(scale, real_javascript, codec, backend)
    (instance,) = made.inject(1)
    assert instance.test_files == ["test/parse.js", "test/stringify.js", "test/utils.js"]
    assert len(instance.PASS_TO_PASS) > 100
    assert made.solve([instance]) == 1
