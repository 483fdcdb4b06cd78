import random
import re
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssr.agent.formats import FORMATS, ToolCall
from ssr.basemodel import actions
from ssr.basemodel.breaking import choose_mutation, edit_of, mutate, to_inject
from ssr.basemodel.conversation import Conversation
from ssr.basemodel.corpus import Source, last_name, library_functions
from ssr.basemodel.drills import NOTED, Drills
from ssr.basemodel.looks import lines_of
from ssr.basemodel.terminal import listing, shown, shown_of, without_docstrings
from ssr.config import AgentConfig, GameConfig
from ssr.repository.mutations import RECOVERABLE
from ssr.repository.places import Function, share_of

LINES = st.lists(st.sampled_from(["a", "b", "  c", "", "return x"]), min_size=1, max_size=12)


@given(LINES, st.data())
def test_an_edit_stands_once_and_makes_the_change(lines: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(lines) - 1))
    text = "\n".join(lines) + "\n"
    change = edit_of(text, place + 1, lines[place], "new")
    if change is None or not lines[place]:
        return
    search, replace = (part.splitlines() for part in change)
    places = [i for i in range(len(lines)) if lines[i : i + len(search)] == search]
    assert len(places) == 1
    edited = [*lines[: places[0]], *replace, *lines[places[0] + len(search) :]]
    assert edited == [*lines[:place], "new", *lines[place + 1 :]]


def test_the_shown_text_is_what_the_commands_print(pocket: Source, tmp_path: Path) -> None:
    for function in pocket.functions:
        text = pocket.files[function.path]
        file = tmp_path / function.path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        command = actions.view_command(function.path, last_name(function))
        assert printed(command, tmp_path) == shown(text, function)
        assert printed(actions.look_command(function), tmp_path) == shown_of(text, function)


def test_the_listing_is_what_the_command_prints(pocket: Source, tmp_path: Path) -> None:
    files = pocket.files | {"more.py": "def zig(a):\n    pass\n", "test_more.py": "assert zig(1) == zig(2)\nzag(1)\n"}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    listed = listing(Source("more", files))
    assert "n=zig(" in listed.split("\n") and "zag" not in listed
    assert printed(actions.list_command(), tmp_path) == listed


PARTS = ["def f(a):", '    """One line."""', '    """', "    a = 1", "", 'x = "y"']


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=12))
def test_docstrings_are_left_out_as_the_command_leaves_them_out(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    done = subprocess.run(["bash", "-c", actions.WITHOUT_DOCSTRINGS], input=text, capture_output=True, text=True)
    assert done.stdout.split("\n")[:-1] == without_docstrings(lines)


def test_a_function_written_again_takes_its_place(drills: Drills, tmp_path: Path) -> None:
    rng = random.Random(2)
    made = [c for c in (drills.short(rng) for _ in range(170)) if c is not None and WRITTEN.search(c.turns[0])]
    as_they_are = 0
    for conversation in made:
        path, _, shown = conversation.prompt[0]["content"].partition("\n")
        before = dict(lines_of(shown, 1, sys.maxsize))
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{before.get(number, 'hidden')}\n" for number in range(1, max(before) + 1)))
        printed("git init -q && git add -A", tmp_path)
        if all(before[number] == text for number, text in lines_of(conversation.turns[0], 1, sys.maxsize)):
            as_they_are += 1
            continue
        [said] = printed(in_folder(command_of(conversation.turns[0]), tmp_path), tmp_path).split("\n")
        after = dict(enumerate(file.read_text().split("\n"), start=1))
        [changed] = [number for number, text in before.items() if after[number] != text]
        assert said == f"+{after[changed]}"
        written = dict(lines_of(conversation.turns[0], 1, sys.maxsize))
        assert written == {number: after[number] for number in written} and changed in written
    assert 10 < as_they_are < len(made) - 20


WRITTEN = re.compile(r"cat > /tmp/lines <<'E'\n(.*)\nE\n", re.DOTALL)


def command_of(turn: str) -> str:
    call = FORMATS["cwm"].parse(turn)
    assert isinstance(call, ToolCall)
    return call.arguments["command"]


def in_folder(command: str, folder: Path) -> str:
    return command.replace("/tmp/", f"{folder}/")


@pytest.mark.parametrize(
    "line", ["    return 'a\\n' + \"\\\\d$x\"", "if a: b = c & d", "\tx = {1: 2}  # 100%", "  \\", "else:"]
)
def test_any_line_is_written_as_it_is(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\n\nthree\nfour\n")
    printed("git init -q && git add -A", tmp_path)
    command = actions.rewrite_command("a.py", ["1:one", "2:", f"3:{line}", "4:four"])
    assert printed(in_folder(command, tmp_path), tmp_path) == f"+{line}"
    assert (tmp_path / "a.py").read_text() == f"one\n\n{line}\nfour\n"


@pytest.mark.parametrize("line", ["return 1", "", "x[1:2]", "1:one", "7:one"])
def test_what_changes_nothing_is_an_error(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\n")
    printed("git init -q && git add -A", tmp_path)
    command = in_folder(actions.rewrite_command("a.py", [line]), tmp_path)
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert (tmp_path / "a.py").read_text() == "one\n"


def test_many_repairs_leave_a_note_and_change_nothing_else(drills: Drills, tmp_path: Path) -> None:
    made = solved(drills, 600)
    names = [[call.name for call in map(FORMATS["cwm"].parse, c.turns) if isinstance(call, ToolCall)] for c in made]
    noted = [turns for turns, c in zip(names, made, strict=True) if "FIXME" in "".join(c.turns)]
    assert abs(len(noted) / len(made) - NOTED) < 0.15
    assert all(turns == ["bash", "bash", "bash", "submit"] for turns in noted)
    (tmp_path / "a.py").write_text("def f(\n    a,\n): return f(1)\ndef g(): f()\n")
    printed(actions.note_command("a.py", "f"), tmp_path)
    assert (tmp_path / "a.py").read_text() == "def f(  # FIXME\n    a,\n): return f(1)\ndef g(): f()\n"


def test_checked_repairs_change_other_lines_until_the_tests_pass(library: list[Function], agent: AgentConfig) -> None:
    drills = Drills([], library, agent, GameConfig(), noted=0.0, checked=1.0)
    tries: Counter[int] = Counter()
    for conversation in solved(drills, 300):
        checks = [place for place, turn in enumerate(conversation.turns) if "pytest" in turn]
        assert checks[-1] == len(conversation.turns) - 2 and " passed" in conversation.answers[checks[-1]]
        edited = [conversation.turns[place - 1] for place in checks]
        assert edited[-1] not in edited[:-1] and checks[-1] - 1 not in conversation.mistakes
        for place in checks[:-1]:
            assert place - 1 in conversation.mistakes and place not in conversation.mistakes
            assert re.search(r"1 (failed|error)\b.* in 0.00s$", conversation.answers[place])
        tries[len(checks)] += 1
    assert set(tries) == {1, 2, 3, 4}


def test_a_check_keeps_what_passes_and_undoes_what_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # as in a sandbox
    (tmp_path / "a.py").write_text("def f():\n    return 1\n")
    (tmp_path / "test_a.py").write_text("import a\ndef test_f(): assert a.f() < 3\n")
    for command in ("init -q", "add .", "-c user.name=a -c user.email=a commit -qm a"):
        printed(f"git {command}", tmp_path)
    check = actions.check_command("f").replace("/tmp/", f"{tmp_path}/").replace("python", sys.executable)
    for value, kept in ((5, False), (2, True)):
        (tmp_path / "a.py").write_text(f"def f():\n    return {value}\n")
        assert ("1 passed" if kept else "1 failed") in printed(check, tmp_path)
        assert (f"return {value}" in (tmp_path / "a.py").read_text()) == kept
    assert "+    return 2" in (tmp_path / "fix.diff").read_text()


def solved(drills: Drills, tries: int) -> list[Conversation]:
    rng = random.Random(9)
    return [c for c in (drills.library_solver(rng) for _ in range(tries)) if c is not None]


def printed(command: str, folder: Path) -> str:
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=folder, check=True)
    return done.stdout.removesuffix("\n")


def test_every_turn_is_one_call_and_the_edit_undoes_what_is_shown(drills: Drills) -> None:
    form = FORMATS["cwm"]
    for conversation in islice(drills.stream(3), 60):
        calls = [form.parse(turn) for turn in conversation.turns]
        assert all(isinstance(call, ToolCall) for call in calls)
        assert len(conversation.answers) == len(conversation.turns) - 1
        edits = [call for call in calls if isinstance(call, ToolCall) and call.name == "edit"]
        if not edits:
            continue
        place = [call.name for call in calls if isinstance(call, ToolCall)].index("edit")
        before = conversation.answers[place - 1] if place else conversation.prompt[-1]["content"]
        changed = edits[0].arguments["search"].rstrip("\n").split("\n")[-1]
        assert changed in before


def test_half_of_the_repairs_are_in_the_repositories(
    pocket: Source, library: list[Function], agent: AgentConfig
) -> None:
    drills = Drills([pocket], library, agent, GameConfig(min_passing_tests=1), noted=0.0)
    repairs = [c for c in islice(drills.stream(4), 120) if "bug_inject.diff" not in "".join(c.turns)]
    lines = {line for text in pocket.files.values() for line in text.split("\n")}
    written = [WRITTEN.findall(next(turn for turn in c.turns if WRITTEN.search(turn)))[0] for c in repairs]
    own = [sum(line.partition(":")[2] not in lines for line in text.split("\n")) < 2 for text in written]
    assert 0.2 < sum(own) / len(own) < 0.7


def test_most_repairs_are_of_kinds_that_the_code_tells(library: list[Function]) -> None:
    rng = random.Random(5)
    steps = [step for function in library for step in mutate(function, 1, rng) or ()]
    recoverable = [step for step in steps if step.mutation.kind in RECOVERABLE]
    assert len(steps) > 50
    assert len(recoverable) / len(steps) > 0.8


def test_most_injections_can_be_repaired(drills: Drills, pocket: Source) -> None:
    rng = random.Random(5)
    for strategy in ("direct", "removal"):
        fits = [to_inject(strategy, rng) for _ in range(60)]
        drawn = [choose_mutation(pocket.files[f.path], f, rng, among) for f in pocket.functions for among in fits]
        made = [mutation for mutation in drawn if mutation is not None]
        assert len(made) > 50
        assert 0.6 < sum(mutation.recoverable for mutation in made) / len(made) < 1


def test_drills_leave_the_benchmarks_places_alone(pocket: Source) -> None:
    assert pocket.functions
    assert {share_of(pocket.name, function) for function in pocket.functions} == {"training"}


def test_half_of_the_injections_are_told_where_and_edit_there(drills: Drills, pocket: Source) -> None:
    rng = random.Random(6)
    made = [c for c in (drills.injector(pocket, rng.choice(pocket.functions), rng) for _ in range(60)) if c is not None]
    seeded = [conversation for conversation in made if "Put it into" in conversation.prompt[-1]["content"]]
    assert 0.2 < len(seeded) / len(made) < 0.8
    for conversation in seeded:
        call = FORMATS["cwm"].parse(conversation.turns[0])
        assert isinstance(call, ToolCall) and call.name == "edit"
        told = conversation.prompt[-1]["content"]
        assert f"Put it into {call.arguments['path']}, lines " in told and call.arguments["search"] in f"{told}\n"


def test_library_functions_are_short_distinct_and_repeatable(library: list[Function]) -> None:
    assert library_functions(200, seed=5) == library
    assert len({f.source for f in library}) == len(library) >= 200


def test_the_edits_of_a_short_drill_restore_the_function(drills: Drills) -> None:
    rng = random.Random(2)
    made = [c for c in (drills.short(rng) for _ in range(250)) if c is not None and "<tool: edit>" in c.turns[0]]
    assert {len(conversation.turns) for conversation in made} >= {1, 2}
    for conversation in made:
        path, _, text = conversation.prompt[0]["content"].partition("\n")
        calls = [FORMATS["cwm"].parse(turn) for turn in conversation.turns]
        for call in calls:
            assert isinstance(call, ToolCall)
            assert call.arguments["path"] == path
            assert text.count(call.arguments["search"].rstrip("\n")) >= 1
            text = f"\n{text}\n".replace(f"\n{call.arguments['search']}", f"\n{call.arguments['replace']}")[1:-1]
        assert text not in conversation.prompt[0]["content"]
