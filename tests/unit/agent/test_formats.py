import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssr.agent.formats import CWM, FORMATS, HERMES, CallFormat, FormatProblem, ToolCall

lines = st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=12), max_size=4)
blocks = lines.map(lambda rows: "".join(row + "\n" for row in rows))
paths = st.from_regex(r"[a-z/._]{1,12}", fullmatch=True)
calls = st.one_of(
    st.builds(lambda c: ToolCall("bash", {"command": "\n".join(c)}), lines),
    st.builds(lambda p, s, r: ToolCall("edit", {"path": p, "search": s, "replace": r}), paths, blocks, blocks),
    st.builds(lambda p, c: ToolCall("create", {"path": p, "content": c}), paths, blocks),
    st.builds(lambda p: ToolCall("submit", {"path": p}), paths),
)
formats = pytest.mark.parametrize("format", FORMATS.values(), ids=lambda f: f.name)


@formats
@given(call=calls, thought=st.text(st.characters(exclude_characters="<"), max_size=20))
def test_a_rendered_call_is_read_back(format: CallFormat, call: ToolCall, thought: str) -> None:
    assert format.parse(f"{thought}\n{format.render(call)}\n") == call
    assert format.thought(f"{thought}\n{format.render(call)}\n") == f"{thought}\n"


@formats
@given(text=st.text() | st.lists(st.sampled_from(
    ["<tool: bash>", "<tool: edit>", "</tool>", "<tool_call>", "</tool_call>", "\n", "{", "}", '"name"', ":", "a",
     "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "<think>", "</think>"]
), max_size=14).map("".join))  # fmt: skip
def test_any_text_is_a_call_or_a_problem(format: CallFormat, text: str) -> None:
    parsed = format.parse(text)
    assert isinstance(parsed, ToolCall) or parsed.message


def kind(format: CallFormat, text: str) -> str:
    parsed = format.parse(text)
    assert isinstance(parsed, FormatProblem), parsed
    return parsed.kind


BASH = {"cwm": "<tool: bash>\nls\n</tool>", "hermes": HERMES.render(ToolCall("bash", {"command": "ls"}))}


@formats
def test_problems_are_told_apart(format: CallFormat) -> None:
    bash = BASH[format.name]
    assert kind(format, "I am done.") == "no_call"
    assert kind(format, f"{bash}\n{bash}") == "two_calls"
    assert kind(format, bash.rpartition("\n")[0]) == "unterminated"
    assert kind(format, bash.replace("bash", "python")) == "unknown_tool"


@formats
def test_a_call_that_is_only_thought_about_is_none(format: CallFormat) -> None:
    bash = BASH[format.name]
    call = format.parse(bash)
    assert kind(format, f"<think>\n{bash}\n</think>\nWell.") == "no_call"
    assert kind(format, f"<think>\n{bash}") == "no_call"
    assert kind(format, f"Perhaps {bash}"[:40].replace("\n", " ")) == "no_call"
    assert format.parse(f"<think>\n{bash}\n</think>\n{bash}") == call
    assert format.parse(f"the template opened this\n{bash}\n</think>\n{bash}") == call


@formats
def test_what_stands_before_a_call_is_its_thought(format: CallFormat) -> None:
    call = format.render(ToolCall("bash", {"command": "ls"}))
    hidden = f"<think>first {call}\n</think>\nso:\n"
    assert format.thought(hidden + call) == hidden
    assert format.thought("no call at all") == "no call at all"


@formats
def test_think_tags_inside_a_call_are_its_own(format: CallFormat) -> None:
    call = ToolCall("create", {"path": "a.html", "content": "<think>\nx\n</think>\n"})
    assert format.parse(format.render(call)) == call


def test_mentions_inside_a_line_are_no_calls() -> None:
    assert CWM.parse("I use <tool: bash> now.\n<tool: bash>\nls\n</tool>") == ToolCall("bash", {"command": "ls"})


@pytest.mark.parametrize(
    "body",
    [
        "pkg/a.py\n",
        "pkg/a.py\n<<<<<<< SEARCH\na\n>>>>>>> REPLACE\n",
        "pkg/a.py\n<<<<<<< SEARCH\na\n=======\nb\n=======\nc\n>>>>>>> REPLACE\n",
        "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n",
        "pkg/a.py\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\nmore\n",
    ],
)
def test_malformed_blocks_are_bad_arguments(body: str) -> None:
    assert kind(CWM, f"<tool: edit>\n{body}</tool>") == "bad_arguments"


def test_cwm_refuses_what_it_cannot_express() -> None:
    with pytest.raises(ValueError, match="cannot express"):
        CWM.render(ToolCall("bash", {"command": "cat <<E\n</tool>\nE"}))
    with pytest.raises(ValueError, match="cannot express"):
        CWM.render(ToolCall("edit", {"path": "a.rst", "search": "T\n=======\n", "replace": ""}))


@pytest.mark.parametrize(
    "value",
    [
        "{'name': 'bash'}",
        "[1]",
        json.dumps({"name": "bash"}),
        json.dumps({"name": "bash", "arguments": {"command": 1}}),
        json.dumps({"name": "bash", "arguments": {"command": "ls", "cwd": "/"}}),
        json.dumps({"name": "submit", "arguments": {"path": ""}}),
        "[" * 100_000,
    ],
)
def test_bad_json_is_bad_arguments(value: str) -> None:
    assert kind(HERMES, f"<tool_call>\n{value}\n</tool_call>") == "bad_arguments"


def test_missing_final_newlines_are_added() -> None:
    call = HERMES.parse(HERMES.write(ToolCall("edit", {"path": "a", "search": "x", "replace": ""})))
    assert call == ToolCall("edit", {"path": "a", "search": "x\n", "replace": ""})


@formats
def test_the_help_names_every_tool(format: CallFormat) -> None:
    assert all(name in format.help for name in ("bash", "edit", "create", "submit"))
