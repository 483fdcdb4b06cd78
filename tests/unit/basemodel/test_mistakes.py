"""Mistakes in drills: the real tools answer them with the very same words, and a model is not taught to make them."""

import random
import re
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import pytest

from ssr.agent.formats import FORMATS, ToolCall
from ssr.agent.tools import Tools, read_patch
from ssr.basemodel import actions
from ssr.basemodel.breaking import Change
from ssr.basemodel.conversation import Conversation
from ssr.basemodel.corpus import Source, last_name
from ssr.basemodel.documents import document_of
from ssr.basemodel.drills import Drills
from ssr.basemodel.looks import Line, lines_of
from ssr.basemodel.mistakes import called_names, early_end, wrong_edit, wrong_look
from ssr.basemodel.repairs import Repair
from ssr.basemodel.terminal import shown
from ssr.config import AgentConfig, GameConfig, SandboxConfig
from ssr.engine.chat import ChatCodec
from ssr.repository.places import Function
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.factory import open_backend

NAMES = ["flatten", "_cached", "Registry", "to_bytes"]


@pytest.fixture(scope="module")
def tools(snapshot: Snapshot, agent: AgentConfig) -> Iterator[Tools]:
    with open_backend(SandboxConfig()) as backend, closing(backend.open(snapshot, snapshot.head)) as sandbox:
        yield Tools(sandbox, agent, read_patch)


def answer_of(tools: Tools, turn: str) -> str:
    call = FORMATS["cwm"].parse(turn)
    assert isinstance(call, ToolCall)
    return str(getattr(tools, call.name)(**call.arguments))


def test_a_wrong_look_is_answered_as_in_the_sandbox(tools: Tools, pocket: Source) -> None:
    rng, seen = random.Random(3), set()
    for function in pocket.functions * 3:
        for command in (
            actions.look_command(function),
            actions.view_command(function.path, last_name(function)),
            actions.find_command(last_name(function)),
        ):
            made = wrong_look(command, function.path, rng, [*NAMES, last_name(function)])
            assert made is not None and made[0] != actions.bash(command)
            assert answer_of(tools, made[0]) == made[1]
            seen.add(made[1].split(" ")[0])
    assert seen == {"[exit", "grep:"}


def test_a_function_written_again_is_answered_as_in_the_sandbox(tools: Tools, pocket: Source) -> None:
    for function in pocket.functions[:4]:
        lines = lines_of(shown(pocket.files[function.path], function), function.first_line, function.last_line)
        first, *_, last = [Line(line.number, f"{line.text}  # other") for line in lines if line.text]
        look, name = ("", ""), last_name(function)
        repair = Repair(function.path, name, look, tuple(lines), last, (), {})
        again = Repair(
            function.path, name, look, tuple(last if x.number == last.number else x for x in lines), first, (), {}
        )
        for turn, answer in (repair.turn(None), repair.turn(last), again.turn(None, [last]), again.turn(first, [last])):
            assert answer_of(tools, turn) == answer
        tools.bash(actions.UNDO)


@pytest.mark.parametrize("tested", [True, False])
def test_what_is_handed_in_too_early_is_refused_as_in_the_sandbox(tools: Tools, tested: bool) -> None:
    for turn, answer in early_end(tested):
        assert answer_of(tools, turn) == answer


def test_a_wrong_edit_is_answered_as_in_the_sandbox_and_changes_nothing(tools: Tools, pocket: Source) -> None:
    rng, seen = random.Random(4), set()
    before = {path: tools.sandbox.read_file(path) for path in pocket.files}
    for function in pocket.functions * 8:
        text, last = pocket.files[function.path], f"{function.source.splitlines()[-1]}\n"
        made = wrong_edit(Change(function.path, 1, text, last, "    return other\n"), rng, NAMES)
        if made is not None and f"\n{text}".count(f"\n{last}") == 1:
            assert answer_of(tools, made[0]) == made[1]
            seen.add(made[1].split(" ")[0])
    assert seen == {"No", "The"}
    assert {path: tools.sandbox.read_file(path) for path in pocket.files} == before


def test_an_edit_that_says_too_few_lines_is_answered_as_in_the_sandbox(tools: Tools) -> None:
    text = "def first():\n    return 1\n\n\ndef second():\n    return 1\n"
    tools.sandbox.write_file("twice.py", text.encode())
    change = ("def second():\n    return 1\n", "def second():\n    return 2\n")
    rng = random.Random(4)
    made = [wrong_edit(Change("twice.py", 1, text, *change), rng, NAMES) for _ in range(60)]
    told = [answer for _, answer in filter(None, made)]
    assert told.count("The SEARCH lines match 2 times in twice.py.") > 15
    assert all(answer_of(tools, turn) == answer for turn, answer in filter(None, made))
    assert tools.sandbox.read_file("twice.py") == text.encode()


@pytest.fixture(scope="module")
def failing(pocket: Source, library: list[Function], agent: AgentConfig) -> list[Conversation]:
    drills = Drills([pocket], library, agent, GameConfig(min_passing_tests=1), mistakes=0.6, checked=0.0)
    return list(islice(drills.stream(6), 60))


def test_what_follows_mistakes_is_the_drill_without_them(failing: list[Conversation]) -> None:
    assert sum(bool(conversation.mistakes) for conversation in failing) > 30
    early = {turn for turn, _ in early_end(tested=False)}
    for conversation in failing:
        assert len(conversation.turns) - 1 not in conversation.mistakes
        for place in conversation.mistakes:
            if conversation.turns[place] in early:
                continue
            wrong, right = (FORMATS["cwm"].parse(conversation.turns[n]) for n in (place, place + 1))
            assert isinstance(wrong, ToolCall) and isinstance(right, ToolCall)
            assert wrong.name == right.name and (wrong != right or place + 1 in conversation.mistakes)


def test_some_mistakes_are_made_again_as_they_were(failing: list[Conversation]) -> None:
    pairs = [(c.turns[n], c.turns[n + 1]) for c in failing for n in c.mistakes if n + 1 in c.mistakes]
    assert 0.2 < sum(first == then for first, then in pairs) / len(pairs) < 0.95


def test_mistakes_are_neither_said_nor_heard(failing: list[Conversation], codec: ChatCodec, agent: AgentConfig) -> None:
    for conversation in failing[:20]:
        document = document_of(conversation, codec, agent)
        assert document.mistaken is not None and not (document.said & document.mistaken).any()
        learned = sum(len(codec.turn(turn)) for turn in conversation.turns)
        assert document.said.sum() + document.mistaken.sum() == learned
        assert bool(document.mistaken.any()) == bool(conversation.mistakes)


def test_a_first_turn_comes_after_the_mistakes_before_it(failing: list[Conversation]) -> None:
    for conversation in failing:
        first = conversation.first()
        place = len(first.turns) - 1
        assert place not in conversation.mistakes and set(range(place)) <= conversation.mistakes
        assert first.turns == conversation.turns[: place + 1]
        assert len(first.answers) == place


def test_some_wrong_looks_are_at_another_name_that_the_statement_calls(library: list[Function], pocket: Source) -> None:
    drills = Drills([pocket], library, AgentConfig(), GameConfig(), mistakes=1.0)
    told = wrong = 0
    for conversation in islice(drills.stream(8), 120):
        statement = conversation.prompt[-1]["content"]
        first = FORMATS["cwm"].parse(conversation.turns[0])
        assert isinstance(first, ToolCall)
        names = [
            name for name in called_names(statement) if re.search(rf"\bn={name}\b", first.arguments.get("command", ""))
        ]
        wrong += 0 in conversation.mistakes
        told += 0 in conversation.mistakes and bool(names)
    assert 5 < told < wrong
    assert called_names("assert list(f2(g_(1))) == test_h(2)") == ["f2", "g_", "list"]
