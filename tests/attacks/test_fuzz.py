"""Fuzz: whatever text arrives is read or refused by name, and what is read can be trusted in what it says.

About 10,000 cases: many for what is pure, a few hundred for what needs git or a sandbox, those partly in one command;
the everyday part tries a fifth.
"""

import json
import string
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from arena import RULES, Arena
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssr.agent.formats import ARGUMENTS, FORMATS, FormatProblem, ToolCall
from ssr.agent.tools import Tools, read_patch
from ssr.config import AgentConfig
from ssr.contracts import Sandbox
from ssr.game.artifact import FILES, BugArtifact, ListProblem
from ssr.game.consistency import CHECK_NAMES, check
from ssr.game.diffs import DiffProblem, inside, read_diff, reverse, unquote
from ssr.game.falsify import falsifications
from ssr.game.protected import named
from ssr.game.testrun import OUTCOMES, read_mapping
from ssr.game.verdict import judge

REFUSALS = {
    *("empty", "too_large", "binary", "not_a_diff", "absolute_path", "outside_repository", "git_path"),
    *("copy", "symlink", "submodule"),
}
FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def cases(number: int) -> int:
    """How many of `number` cases are tried: all, or the everyday part's share."""
    return max(1, number * settings.default.max_examples // 100)


TEXT = st.text(max_size=60) | st.text(string.printable, max_size=200)
NASTY = (
    "/",
    "..",
    ".git",
    "a",
    "é",
    " ",
    "\t",
    '"',
    "\\303\\251",
    "\\",
    "\r",
    "\0",
    "\ud800",
    "x" * 300,
    "-",
    "b/",
    ":(top)",
)
PATHS = st.lists(st.sampled_from(NASTY), max_size=8).map("".join)
HEADS = (
    "diff --git a/{0} b/{1}\n",
    "index 1111111..2222222 100644\n",
    "index 1..2 120000\n",
    "new file mode 100644\n",
    "deleted file mode 100755\n",
    "old mode 100644\nnew mode 100755\n",
    "similarity index 90%\nrename from {0}\nrename to {1}\n",
    "copy from {0}\ncopy to {1}\n",
    "GIT binary patch\nliteral 1\nIcmZPo000310RR91\n",
    "Binary files a/{0} and b/{1} differ\n",
    "--- a/{0}\n+++ b/{1}\n",
    "--- /dev/null\n+++ b/{1}\n",
    "--- {0}\t2020-01-01\n+++ {1}\n",
    "@@ -1,2 +1,2 @@ def f():\n a\n-b\n+c\n",
    "@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n",
    "@@ -1 +0,0 @@\n-a\n",
    "@@ -9999999999999999999,1 +1,99 @@\n a\n",
    "-- \n2.43.0\n",
    "\r\n",
)


@st.composite
def diffs(draw: st.DrawFn) -> str:
    """Parts of diffs in any order, with any names."""
    parts = draw(st.lists(st.tuples(st.sampled_from(HEADS), PATHS, PATHS), max_size=8))
    return "".join(head.format(old, new) for head, old, new in parts)


@settings(max_examples=cases(3000))
@given(diffs() | TEXT)
def test_a_diff_is_read_or_refused_by_name(text: str) -> None:
    try:
        diff = read_diff(text, 64)
    except DiffProblem as problem:
        assert problem.name in REFUSALS
        return
    assert diff.paths
    assert all(inside(path) == "" for path in diff.paths)
    with suppress(DiffProblem):  # headers that git would not apply need not make sense the other way round
        assert read_diff(reverse(text), 128).paths <= diff.paths
    assert {len(change.paths) for change in diff.files} <= {1, 2}


@settings(max_examples=cases(1000))
@given(PATHS | TEXT)
def test_a_path_inside_stays_inside(path: str) -> None:
    name = unquote(path)
    if inside(name):
        return
    place = (Path("/testbed") / name).parts
    assert place[:2] == ("/", "testbed")
    assert ".." not in place
    assert not any(part.lower() == ".git" for part in place)
    named(name, RULES.protected_files)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(OUTCOMES) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=cases(1500))
@given(st.dictionaries(TEXT, st.sampled_from(OUTCOMES)).map(json.dumps) | VALUES.map(json.dumps) | TEXT)
def test_parser_output_is_a_mapping_or_a_problem(text: str) -> None:
    outcomes, problem, detail = read_mapping(text)
    assert bool(problem) == bool(detail)
    assert not (problem and outcomes)
    assert list(outcomes) == sorted(outcomes)
    assert set(outcomes.values()) <= set(OUTCOMES)
    "".join(outcomes).encode()


@settings(max_examples=cases(1000))
@given(st.lists(PATHS | TEXT, max_size=6).map("\n".join))
def test_an_oracle_list_is_read_or_refused_by_name(text: str) -> None:
    artifact = BugArtifact("", text, "", "", "")
    try:
        paths = artifact.oracle_files()
    except ListProblem as problem:
        assert problem.name in {"no_test_files", "absolute_path", "outside_repository", "git_path", "bad_path"}
        return
    assert paths == tuple(sorted(set(paths)))
    assert all(inside(path) == "" and path.isprintable() for path in paths)


@settings(max_examples=cases(300), suppress_health_check=FIXTURES)
@given(st.dictionaries(st.sampled_from(FILES), st.binary(max_size=40) | st.none()))
def test_any_folder_is_an_artifact_with_or_without_a_problem(tmp_path: Path, files: dict[str, bytes | None]) -> None:
    for name in FILES:
        (tmp_path / name).unlink(missing_ok=True)
    for name, data in files.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
    artifact = BugArtifact.from_directory(tmp_path)
    readable = [name for name in FILES if artifact.texts[name].encode() == files.get(name)]
    assert bool(artifact.problem) == (len(readable) < len(FILES))
    assert {part.split(":")[0] for part in artifact.problem.split("; ") if part} <= {"missing_file", "not_text"}


@settings(max_examples=cases(1000))
@given(st.dictionaries(PATHS, TEXT, max_size=2), st.frozensets(TEXT, max_size=3))
def test_falsified_texts_keep_their_lines(texts: dict[str, str], stated: frozenset[str]) -> None:
    for changed in falsifications(texts, stated):
        for path, text in changed.items():
            assert text != texts[path]
            assert len(text.splitlines()) == len(texts[path].splitlines())


MARKS = (
    *(
        "<tool: ",
        "bash",
        "edit",
        "create",
        "submit",
        ">",
        "\n",
        "</tool>",
        "<tool_call>",
        "</tool_call>",
        "<think>",
        "</think>",
    ),
    *(
        '{"name": "bash", "arguments": {"command": "a"}}',
        "{",
        '"',
        "<<<<<<< SEARCH\n",
        "=======\n",
        ">>>>>>> REPLACE\n",
    ),
    *("\ud800", "\0", " ", "a\n", "\\ud800"),
)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=cases(1000))
@given(text=st.lists(st.sampled_from(MARKS), max_size=16).map("".join) | TEXT)
def test_a_turn_is_one_call_or_a_problem(name: str, text: str) -> None:
    parsed = FORMATS[name].parse(text)
    if isinstance(parsed, FormatProblem):
        assert parsed.message
        return
    assert set(parsed.arguments) == set(ARGUMENTS[parsed.name])
    "".join(parsed.arguments.values()).encode()
    if FORMATS["hermes"].parse(FORMATS["hermes"].write(parsed)) != parsed:
        assert "</tool_call>" in "".join(parsed.arguments.values())


LINES = st.lists(
    st.sampled_from(["a", "b", "", "-x", "+y", " z", "\\ No", "é\r", "@@ -1 +1 @@", "--- a/x"]), max_size=10
)
STATES = st.tuples(LINES, st.booleans()).map(lambda state: "\n".join(state[0]) + "\n" * state[1])
UNDO = """
i=0
while [ -e /tmp/pairs/$i.old ]; do
  cp /tmp/pairs/$i.old f; git add -f f; cp /tmp/pairs/$i.new f
  git diff --no-color f > /tmp/pairs/$i.diff; i=$((i + 1))
done
"""
WRITE = """
import json, pathlib, sys
for name, text in json.load(sys.stdin).items():
    pathlib.Path("/tmp/pairs", name).write_bytes(text.encode())
"""
REDO = """
i=0
while [ -e /tmp/pairs/$i.old ]; do
  cp /tmp/pairs/$i.new f
  if [ -s /tmp/pairs/$i.undo ]; then git apply --whitespace=nowarn /tmp/pairs/$i.undo || echo refused $i; fi
  cmp -s f /tmp/pairs/$i.old || echo differs $i
  i=$((i + 1))
done
"""


@settings(max_examples=cases(4), suppress_health_check=FIXTURES)
@given(pairs=st.lists(st.tuples(STATES, STATES), min_size=50, max_size=50))
def test_reversed_diffs_undo_what_git_did(arena: Arena, pairs: list[tuple[str, str]]) -> None:
    with closing(arena.backend.open(arena.snapshot)) as sandbox:
        _write(
            sandbox,
            {
                f"{i}.{end}": text
                for i, pair in enumerate(pairs)
                for end, text in zip(("old", "new"), pair, strict=True)
            },
        )
        assert sandbox.run(UNDO, timeout_s=60).exit_code == 0
        made = sandbox.run("cd /tmp/pairs; for i in $(seq 0 49); do cat $i.diff; printf '%%%%\\0'; done", timeout_s=60)
        texts = made.output.split("%%\0")[:-1]
        for text in filter(None, texts):
            assert read_diff(text, 64).paths == {"f"}
            assert read_diff(reverse(reverse(text)), 64).files == read_diff(text, 64).files
        _write(sandbox, {f"{i}.undo": reverse(text) if text else "" for i, text in enumerate(texts)})
        assert sandbox.run(REDO, timeout_s=60).output == ""


def _write(sandbox: Sandbox, files: dict[str, str]) -> None:
    script = f"mkdir -p /tmp/pairs; python -c '{WRITE}'"
    done = sandbox.run(script, stdin=json.dumps(files).encode(), timeout_s=60)
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def tools(arena: Arena) -> Iterator[Tools]:
    with closing(arena.limited.open(arena.snapshot)) as sandbox:
        yield Tools(sandbox, AgentConfig(command_timeout_s=2), read_patch)


ANY = st.sampled_from(NASTY[:-6]) | PATHS.filter(lambda path: "\ud800" not in path) | TEXT
CALLS = st.one_of(
    st.builds(lambda path, search: ToolCall("edit", {"path": path, "search": search, "replace": "x\n"}), ANY, TEXT),
    st.builds(lambda path, text: ToolCall("create", {"path": path, "content": text}), ANY, TEXT),
    st.builds(lambda path: ToolCall("submit", {"path": path}), ANY),
)


@settings(max_examples=cases(100), suppress_health_check=FIXTURES)
@given(call=CALLS)
def test_a_tool_answers_any_call(arena: Arena, tools: Tools, call: ToolCall) -> None:
    parsed = FORMATS["hermes"].parse(FORMATS["hermes"].write(call))
    before = arena.host.state()
    if isinstance(parsed, ToolCall):
        tools.run(parsed).encode()
    assert arena.host.state() == before


@settings(max_examples=cases(15), suppress_health_check=FIXTURES)
@given(data=st.data())
def test_a_damaged_artifact_ends_in_a_report(arena: Arena, data: st.DataObject) -> None:
    artifact = arena.artifact("tap")
    field = data.draw(st.sampled_from(["bug_inject_diff", "test_weaken_diff", "test_files", "test_parser"]))
    report = check(
        replace(artifact, **{field: _damaged(data, getattr(artifact, field))}), arena.backend, arena.snapshot, RULES
    )
    assert report.valid == (report.check == "")
    assert report.check in {"", *CHECK_NAMES}


@settings(max_examples=cases(15), suppress_health_check=FIXTURES)
@given(data=st.data())
def test_a_damaged_patch_ends_in_a_verdict(arena: Arena, data: st.DataObject) -> None:
    instance = arena.instance("tap")
    verdict = judge(arena.backend, arena.snapshot, instance, _damaged(data, instance.patch), RULES)
    assert verdict.solved == (verdict.reason == "solved")


def _damaged(data: st.DataObject, text: str) -> str:
    start = data.draw(st.integers(0, len(text)))
    return text[:start] + data.draw(PATHS | TEXT) + text[start + data.draw(st.integers(0, 20)) :]
