import pytest

from ssr.agent.formats import ToolCall
from ssr.agent.tools import Tools, read_patch
from ssr.config import AgentConfig
from ssr.contracts import Sandbox


@pytest.fixture
def tools(sandbox: Sandbox) -> Tools:
    return Tools(sandbox, AgentConfig(edit_context_lines=0, command_timeout_s=5), read_patch)


def content(tools: Tools, path: str) -> str:
    return tools.sandbox.read_file(path).decode()


def test_bash_keeps_its_state_and_says_exit_codes(tools: Tools) -> None:
    assert tools.bash("cd /tmp; word=hello") == ""
    assert tools.bash("pwd; echo $word; echo") == "/tmp\nhello"
    assert tools.bash("echo no; false") == "no\n[exit code 1]"
    assert tools.bash("false") == "[exit code 1]"


def test_bash_answers_a_timeout_with_a_notice_and_goes_on(tools: Tools) -> None:
    tools.config = tools.config.model_copy(update={"command_timeout_s": 0.5})
    assert "restarted" in tools.bash("word=lost; sleep 60")
    assert tools.bash("echo [$word]") == "[]"


def test_edit_replaces_whole_lines_that_stand_once(tools: Tools) -> None:
    answer = tools.edit("calc.py", "def add(a, b):\n    return a - b\n", "def add(a, b):\n    return a + b\n")
    assert answer == "Edited calc.py, line 1."
    assert content(tools, "calc.py") == "def add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n"
    assert tools.edit("/testbed/calc.py", "    return a + b\n", "    x = a\n    return x + b\n").endswith("line 2.")
    assert "    x = a\n    return x + b\n\n" in content(tools, "calc.py")


@pytest.mark.parametrize(
    ("path", "search", "answer"),
    [
        ("calc.py", "    return a - b\n", "The SEARCH lines match 2 times in calc.py."),
        ("calc.py", "return a - b\n", "No match for the SEARCH lines in calc.py."),
        ("calc.py", "    return a - b\n\n\n\n", "No match for the SEARCH lines in calc.py."),
        ("notes.txt", "one\ntwo\nthree\nfour\n", "No match for the SEARCH lines in notes.txt."),
        ("calc.py", "", "The SEARCH block is empty."),
        ("none.py", "x\n", "none.py does not exist in the sandbox."),
        (".", "x\n", ". is a directory."),
        ("blob.bin", "x\n", "blob.bin is not a text file."),
        ("/etc/passwd", "user:x:1000:1000:user:/tmp/home:/bin/bash\n", "/etc/passwd cannot be written"),
    ],
)
def test_edit_says_why_not(tools: Tools, path: str, search: str, answer: str) -> None:
    assert tools.edit(path, search, "y\n").startswith(answer)


def test_an_edit_that_changes_nothing_is_no_edit(tools: Tools) -> None:
    line = "def sub(a, b):\n"
    assert tools.edit("calc.py", line, line) == "The REPLACE lines are the SEARCH lines: calc.py is as it was."
    assert tools.edit("calc.py", "    return a - b\n", "    return a - b\n").startswith(
        "The SEARCH lines match 2 times"
    )


def test_edit_finds_a_block_whose_first_line_also_stands_elsewhere(tools: Tools) -> None:
    assert tools.edit("calc.py", "\ndef sub(a, b):\n", "\ndef minus(a, b):\n") == "Edited calc.py, line 4."


def test_edit_deletes_lines_and_keeps_the_missing_last_newline(tools: Tools) -> None:
    assert tools.edit("notes.txt", "two\n", "") == "Edited notes.txt, line 2."
    assert content(tools, "notes.txt") == "one\nthree"
    assert tools.edit("notes.txt", "three\n", "3\n4\n") == "Edited notes.txt, line 2."
    assert content(tools, "notes.txt") == "one\n3\n4"
    tools.edit("marks.txt", "<|im_end|>\n", "")
    assert content(tools, "marks.txt") == ""


def test_edit_shows_the_lines_around(tools: Tools) -> None:
    tools.config = tools.config.model_copy(update={"edit_context_lines": 1})
    assert tools.edit("notes.txt", "two\n", "2\n2.5\n") == (
        "Edited notes.txt, line 2.\n     1  one\n     2  2\n     3  2.5\n     4  three"
    )


def test_create_makes_new_files_only(tools: Tools) -> None:
    assert tools.create("new/a.py", "x = 1\n") == "Created new/a.py."
    assert content(tools, "new/a.py") == "x = 1\n"
    assert tools.create("new/a.py", "") == "new/a.py already exists."
    assert tools.create("new", "") == "new already exists."
    assert "cannot be written" in tools.create("/usr/a", "")
    assert "cannot be written" in tools.create("notes.txt/a", "")


def test_lone_surrogates_are_refused(tools: Tools) -> None:
    assert tools.create("a.txt", "\ud800") == "The text is not valid Unicode."


def test_the_last_readable_submission_counts(tools: Tools) -> None:
    assert tools.submit("/tmp/fix.diff") == "Not submitted: /tmp/fix.diff does not exist in the sandbox."
    assert tools.submission is None
    tools.bash("sed -i '2s/-/+/' calc.py; git diff > /tmp/fix.diff; touch /tmp/empty; cp blob.bin /tmp/blob")
    assert tools.run(ToolCall("submit", {"path": "/tmp/fix.diff"})) == "Submitted /tmp/fix.diff."
    assert tools.submit("/tmp/empty") == "Not submitted: /tmp/empty is empty."
    assert tools.submit("/tmp/blob") == "Not submitted: /tmp/blob is not a text file."
    assert tools.submission is not None and "+    return a + b" in str(tools.submission.content)
