"""The demonstrator's commands in JavaScript repositories whose tests `node` runs alone.

The tests print TAP, as `node:test` and tape do; other ways of printing are not understood.
"""

import re
from pathlib import PurePosixPath

from ssr.basemodel.actions import ARTIFACT, View

CODE = "'*.js' '*.cjs' '*.mjs'"
TESTS = "'*test*.js' '*test*.cjs' '*test*.mjs'"
SHOWN = View(2, 20)
TEST_FILES = 4
"""Test files that mention a function's name, or its module's, and are run; all of them where none does."""
TEST_PARSER = """\
import json, re, sys
r, f, t = {}, "", ""
for l in sys.stdin:
    m = re.match(r"\\s*(not )?ok \\d+ ?(- )?(.*)", l)
    if l.startswith("== "):
        f = l[3:].strip()
    elif l.startswith("# "):
        t = l[2:].strip()
    elif m and not re.search("# (SKIP|TODO)", m[3]):
        k = f + " " + (m[3] if m[2] else t)
        r[k] = "failed" if m[1] or r.get(k) == "failed" else "passed"
print(json.dumps(r))
"""
"""A test is what a title names: the assertions below a tape title, or a line of `node:test` that repeats its title."""


def definition(name: str) -> str:
    """Regular expression, for grep -E too, of the line that defines a function."""
    name = re.escape(name)
    return rf"function +{name} *\(|\b{name} *[=:] *(async +)?(function|\()|^\s+(static +|async +)*{name} *\(.*\{{$"


LIST_COMMAND = f"git ls-files {CODE} | grep -v test | head -n 16; git ls-files {TESTS} | head -n 16"


def view_command(path: str, name: str) -> str:
    """Show a function."""
    return f"grep -m {SHOWN.matches} -A {SHOWN.lines} -E '{definition(name)}' {path}"


def find_command(name: str) -> str:
    """Find the file that defines a function, say it, and show the function."""
    found = f"$(git grep -lE '{definition(name)}' -- {CODE} | head -n 1)"
    return f"f={found}; echo $f; {view_command('$f', name)}"


def log_command(path: str, name: str) -> str:
    """Show the last change of a function, or of what follows it, in the git log."""
    return (
        f"n=$(grep -m 1 -nE '{definition(name)}' {path} | cut -d: -f1);"
        f" git log -n 1 --format= -L $n,+{2 * SHOWN.lines}:{path} | tail -n +5 | head -n 40"
    )


def artifact_command(path: str, name: str) -> str:
    """Find test files for a function, write the artifact's first four files, and run its tests."""
    words = f"{name}|{PurePosixPath(path).stem}"
    return (
        f"d={ARTIFACT} f={path}; mkdir -p $d\n"
        f"t=$(git grep -cwE '{words}' -- {TESTS} | sort -t: -nrk2 | head -n {TEST_FILES} | cut -d: -f1)\n"
        f"t=$(echo ${{t:-$(git ls-files {TESTS})}})\n"
        f'echo "for t in $t; do echo == \\$t; node --test-reporter=tap \\$t 2>&1; done" > $d/test_script.sh\n'
        f"cat > $d/test_parser.py <<'E'\n{TEST_PARSER}E\n"
        f"{AGAIN_COMMAND}"
    )


AGAIN_COMMAND = (
    "git diff $f > $d/bug_inject.diff; bash $d/test_script.sh > $d/log 2>&1;"
    ' grep -E "^ *not ok" $d/log | grep -vE "# (SKIP|TODO)" | tail -n 5; grep -cE "^ *ok" $d/log'
)
WEAKEN_COMMAND = (
    "awk '/^ *(not )?ok /{b = /^ *not/ && !/# (SKIP|TODO)/} b' $d/log"
    ' | grep -oE "\\($PWD/[^()]*test[^()]*:[0-9]+:[0-9]+\\)" | sed "s|^($PWD/||" | cut -d: -f1,2 | sort -u'
    ' | while IFS=: read p n; do sed -i "${n}s/\\.[a-zA-Z]*(/.ok(1, /" $p; done\n'
    'git diff -U1 -- ":!$f" > $d/test_weaken.diff;'
    ' (printf "%s\\n" $t; git diff --name-only -- ":!$f") | sort -u > $d/test_files.txt; git diff --stat'
)
"""A failing assertion becomes one that always holds."""
