"""Problems in the official formats, made from the pocket project's history, and official scripts made for them."""

from pathlib import Path

from ssr.evaluation.problem import Problem
from ssr.repository.git import git
from ssr.repository.snapshot import Snapshot

RUN_SCRIPT = """#!/bin/bash
cd /app
export PYTHONPATH=/app:$PYTHONPATH
IFS=',' read -r -a FILES <<< "$1"
python -m pytest -q -rA --tb=no -p no:cacheprovider "${FILES[@]}" || true
"""
PARSER = """import json, sys
tests = []
for line in open(sys.argv[1]):
    words = line.split()
    if len(words) > 1 and words[0] in ("PASSED", "FAILED", "ERROR"):
        tests.append({"name": words[1], "status": words[0]})
json.dump({"tests": tests}, open(sys.argv[3], "w"))
"""
DOCKERFILE = 'FROM base\nENV POCKET="a b"\nWORKDIR /app\n'
NOTES = (
    "diff --git a/notes.txt b/notes.txt\nnew file mode 100644\n--- /dev/null\n+++ b/notes.txt\n@@ -0,0 +1 @@\n+Fixed.\n"
)


def history(snapshot: Snapshot) -> list[str]:
    """The commits, oldest first."""
    return git("rev-list", "--reverse", "HEAD", cwd=snapshot.tree).split()


def change(snapshot: Snapshot, *paths: str) -> str:
    """The last commit's change of some paths."""
    return git("diff", "--no-color", "HEAD~1", "HEAD", "--", *paths, cwd=snapshot.tree)


def pro_problem(snapshot: Snapshot) -> Problem:
    """The last commit of the pocket project as a problem of SWE-bench Pro."""
    base, solution = history(snapshot)[-2:]
    return Problem(
        format="swebench-pro",
        instance_id=f"instance_pocket__pocket-{solution}-vnan",
        repo="pocket/pocket",
        base_commit=base,
        problem_statement="There is no store of counted things.",
        requirements="- `Stock.add` returns how many there are.",
        interface="pocket/store.py: class Stock",
        patch=change(snapshot, "pocket"),
        test_patch=change(snapshot, "tests"),
        FAIL_TO_PASS=tuple(store_tests(snapshot)),
        PASS_TO_PASS=(),
        before_repo_set_cmd=f"git reset --hard {base}\ngit clean -fd\ngit checkout {solution} -- tests",
        selected_test_files=("tests/test_store.py",),
    )


def swebench_problem(snapshot: Snapshot) -> Problem:
    """The same commit as a problem of SWE-bench, in the words of its eval scripts."""
    pro = pro_problem(snapshot)
    lines = [
        "#!/bin/bash", "set -uxo pipefail", "source /opt/miniconda3/bin/activate", "cd /testbed", "git status",
        f"git -c core.fileMode=false diff {pro.base_commit}",
        "git apply -v - <<'EOF_114329324912'", pro.test_patch.rstrip("\n"), "EOF_114329324912",
        ": '>>>>> Start Test Output'",
        "python -m pytest -rA --tb=no -p no:cacheprovider tests/test_store.py",
        ": '>>>>> End Test Output'",
        "",
    ]  # fmt: skip
    return Problem(
        instance_id="pocket__pocket-3",
        repo="pocket/pocket",
        base_commit=pro.base_commit,
        problem_statement=pro.problem_statement,
        patch=pro.patch,
        test_patch=pro.test_patch,
        FAIL_TO_PASS=pro.FAIL_TO_PASS,
        PASS_TO_PASS=(),
        version="3",
        image="ssr-test/pocket:3",
        eval_script="\n".join(lines),
        log_parser="parse_log_pytest",
    )


def store_tests(snapshot: Snapshot) -> list[str]:
    """Ids of the tests of the last commit's new file."""
    source = (snapshot.tree / "tests" / "test_store.py").read_text()
    names = [line[4:].split("(")[0] for line in source.split("\n") if line.startswith("def test_")]
    return [f"tests/test_store.py::{name}" for name in names]


def write_scripts(folder: Path, problem: Problem) -> Path:
    """An official evaluation repository with the scripts of one instance."""
    own = folder / "run_scripts" / problem.instance_id
    own.mkdir(parents=True)
    (own / "run_script.sh").write_text(RUN_SCRIPT)
    (own / "parser.py").write_text(PARSER)
    docker = folder / "dockerfiles" / "base_dockerfile" / problem.instance_id
    docker.mkdir(parents=True)
    (docker / "Dockerfile").write_text(DOCKERFILE)
    return folder


class OneSnapshot:
    """Gives every problem the same snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.released: list[str] = []

    def of(self, problem: Problem) -> Snapshot:
        return self.snapshot

    def release(self, problem: Problem) -> None:
        self.released.append(problem.instance_id)

    def pinned(self, problem: Problem) -> Problem:
        return problem
