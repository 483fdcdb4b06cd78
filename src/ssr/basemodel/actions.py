"""What the demonstrator says and does, turn by turn: the texts that the small base model is taught.

Every command is plain bash that works in any repository of Python code with pytest; nothing here knows a bug.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ssr.agent.formats import FORMATS, ToolCall
from ssr.repository.places import Function

FORMAT = FORMATS["cwm"]
ARTIFACT = "/tmp/bug"
FIX = "/tmp/fix.diff"


class View(NamedTuple):
    """How much a look shows: places at most, and lines after the first of each."""

    matches: int
    lines: int

    def grep(self, pattern: str) -> str:
        """The command that shows the places where a pattern stands in what is piped into it."""
        return f"grep -m {self.matches} -A {self.lines} {pattern}"


WITHOUT_DOCSTRINGS = """sed '/\""".*\"""/d;/\"""/,/\"""/d'"""
"""Docstrings of one line go first: sed looks for a range's end from the next line on."""
DEFINED = '"def $n("'
CODE = View(2, 16)
NUMBERED = 'grep -n "" $f'
"""The lines of a file with their numbers, so that a line is named without being copied."""
SHOWN = f"{NUMBERED} | {WITHOUT_DOCSTRINGS} | {CODE.grep(DEFINED)}"
"""Shows the functions `$n` of the file `$f`."""

UNDO = "git checkout -q ."
LINES = "/tmp/lines"
REWRITE = (
    rf"""sed -i "$(sed '/^[0-9]*:$/d;s/\\/&&/g;s/:/c\\/' {LINES})" $f;"""
    """ git diff -U0 $f | grep "^+[^+]\""""
)
"""Puts numbered lines in their places, but for blank ones."""
LISTED = 40
"""Functions that a listing names at most."""
TEST_SCRIPT = "python -m pytest -p no:cacheprovider -q -rA --tb=short"
TEST_PARSER = """\
import json, re, sys
r = {}
for s, t in re.findall(r"^(PASSED|FAILED|ERROR) (.*?)(?: - |$)", sys.stdin.read(), re.M):
    r[t] = "passed" if s == "PASSED" else "failed"
print(json.dumps(r))
"""


def bash(command: str) -> str:
    """A turn that runs a command."""
    return FORMAT.render(ToolCall("bash", {"command": command}))


def edit(path: str, search: str, replace: str) -> str:
    """A turn that replaces whole lines."""
    return FORMAT.render(ToolCall("edit", {"path": path, "search": search, "replace": replace}))


def submit(path: str) -> str:
    """A turn that hands in a path."""
    return FORMAT.render(ToolCall("submit", {"path": path}))


def find_command(name: str) -> str:
    """Find the file that defines a function, say it, and show the function.

    Here and below names and paths stand after "=", as between a statement's marks: the tokenizer writes a word
    otherwise after a space, and what is copied should be the same tokens.
    """
    found = f"n={name}; f=$(git grep -l {DEFINED} | head -n 1)"
    return f"{found}; echo $f; {SHOWN}"


def look_command(function: Function) -> str:
    """Show a function, or the class that it constructs, whose file (and class) are known."""
    first = CODE._replace(matches=1)
    owner = function.name.rpartition(".")[0].rpartition(".")[2]
    if owner and function.bare_name != owner:
        name = function.name.rpartition(".")[2]
        said = f"n={name} c={owner} f={function.path}"
        return f'{said}; {NUMBERED} | sed -n "/class $c/,\\$p" | {WITHOUT_DOCSTRINGS} | {first.grep(DEFINED)}'
    shown = first.grep('-E "(def|class) $n\\b"')
    return f"n={function.bare_name} f={function.path}; {NUMBERED} | {WITHOUT_DOCSTRINGS} | {shown}"


def rewrite_command(path: str, lines: Sequence[str]) -> str:
    """Write a function's numbered lines down again as they should be, put them in the place of the file's, and say
    which ones differ; an error where none does.

    What should stand there is so asked at every word, rather than once, for the line to be changed.
    """
    written = "\n".join(lines)
    return f"f={path}; cat > {LINES} <<'E'\n{written}\nE\n{REWRITE}"


def note_command(path: str, name: str) -> str:
    """Leave a note at the functions of a name, which mends nothing."""
    return f'n={name} f={path}; sed -i "/def $n(/s|\\$|  # FIXME|" $f'


def check_command(name: str) -> str:
    """Run the tests that mention a name: where all pass, write the solver's diff, otherwise undo the change."""
    tests = "$(git grep -lw $n -- '*test_*.py' '*tests.py')"
    run = f"n={name}; python -m pytest -q -x -p no:cacheprovider {tests} > /tmp/log 2>&1"
    return f"{run} && {diff_command()} || {UNDO}; tail -n 1 /tmp/log"


def diff_command() -> str:
    """Write the solver's diff."""
    return f"git diff > {FIX}"


def list_command() -> str:
    """Functions of the repository that assertions call, the one that most call first."""
    return (
        "git grep -ohE 'def \\w+\\(' -- '*.py' ':!*test*' | cut -c5- | sort -u > /tmp/defined\n"
        "git grep -ohE 'assert.*' -- '*test*.py' | grep -oE '\\w+\\(' | grep -xFf /tmp/defined"
        f" | sort | uniq -c | sort -k1,1nr -k2 | head -n {LISTED} | sed 's/^ *[0-9]* /n=/'"
    )


def view_command(path: str, name: str) -> str:
    """Show the functions of a name in a file."""
    return f"n={name} f={path}; {SHOWN}"


def log_command(path: str, name: str) -> str:
    """Show the last change of a function in the git log."""
    log = f"git log -n 1 --format= -L :{name}:{path} | tail -n +5 | head -n 40"
    return f"echo '*.py diff=python' > .git/info/attributes; {log}"


def artifact_command(path: str, name: str) -> str:
    """Find the test file that mentions the function most, write the artifact's first four files, and run its tests."""
    return (
        f"d={ARTIFACT} f={path}; mkdir -p $d\n"
        f"t=$(git grep -cw {name} -- '*test_*.py' '*tests.py' | sort -t: -nrk2 | head -n 1 | cut -d: -f1)\n"
        f'echo "{TEST_SCRIPT} $t" > $d/test_script.sh\n'
        f"cat > $d/test_parser.py <<'E'\n{TEST_PARSER}E\n"
        f"{AGAIN_COMMAND}"
    )


AGAIN_COMMAND = (
    "git diff $f > $d/bug_inject.diff; bash $d/test_script.sh > $d/log 2>&1;"
    ' grep -E ": in test| in [0-9.]*s" $d/log | tail -n 5'
)
WEAKEN_COMMAND = (
    'grep -oE "^[^: ]+:[0-9]+: in test" $d/log | cut -d: -f1,2 | sort -u | sort -t: -nrk2'
    ' | while IFS=: read p n; do sed -i "${n}s/\\( *\\)/\\1return\\n\\1/" $p; done\n'
    'git diff -U1 -- ":!$f" > $d/test_weaken.diff;'
    ' (echo $t; git diff --name-only -- ":!$f") | sort -u > $d/test_files.txt; git diff --stat'
)
