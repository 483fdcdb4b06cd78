"""Code that could know more than a repairer does (appendix A.2): a static clue against outcomes keyed on a secret.

A bug whose effect hangs on the clock, on chance, on the machine's name or on a hash of its own text sets its solve rate
without being hard. `repeats` sees such a bug where its outcome changes within the check; this looks for the words that
it is written with, in the lines that bug_inject.diff adds and in no other file. No clue are: words that the diff takes
out of the same file as often as it puts them in (a line that was changed), and lines that stand or once stood in the
repository's history (the history strategy brings them back). `game.reject_self_reading: false` turns the check off.
"""

import re
from collections import Counter
from collections.abc import Iterator

from unidiff.patch import PatchedFile, PatchSet

from ssr.errors import SandboxError
from ssr.game.case import Case, Failed
from ssr.game.trees import GIT_TIMEOUT_S, ORIGINAL_TAG

CLUES = {
    "reads_own_code": r"__file__|__FILE__|__filename|__dirname|import\.meta|argv\[0\]|\bgetsource\w*|\binspect\.\w+"
    r"|\blinecache\b|\bco_\w+|\b__code__|\bfunc_code|\bget_data\(|runtime\.Caller|_getframe|extract_stack|\.stack\b",
    "hashes": r"\bhashlib\b|\bmd5\b|\bsha\d+\b|\bcrc32\b|\badler32\b|\bblake2\w*|\bcreateHash\b|hash-object|\bhash\(",
    "reads_the_clock": r"\btime\(\)|\btime_ns\b|\bmonotonic\w*|\bperf_counter\w*|\bnow\(|\btoday\(|\butcnow\("
    r"|\bnew Date\b|\bstrftime\b|\bgmtime\b|\blocaltime\b|\bgettimeofday\b|\bhrtime\b|\bcurrentTimeMillis\b|\bclock\(",
    "draws_at_random": r"\brandom\.|\bimport random\b|\bfrom random\b|\brandint\b|\brandrange\b|\burandom\b"
    r"|\bgetrandbits\b|\bsecrets\.|\buuid[14]\b|\bMath\.random\b|\brand\(|\bmt_rand\b|\bshuffle\(|\$RANDOM\b",
    "reads_the_machine": r"\bgethostname\b|\bhostname\b|\bplatform\.|\buname\b|\bgetp?pid\b|\bgetuser\b|\bgetlogin\b"
    r"|\benviron\b|\bgetenv\b|\bprocess\.(?:env|pid|platform)\b|/proc/|/sys/|\bsocket\.|\bgetmac\b|\bcpu_count\b",
    "reads_files": r"\bopen\(|\bfopen\(|\bread_text\b|\bread_bytes\b|\breadFile\w*|\blistdir\b|\bscandir\b|\breaddir\w*"
    r"|\bglob\(|\bgetmtime\b|\bgetsize\b|\bst_mtime\b|\bstatSync\b|\bos\.(?:stat|walk)\b|\.git\b",
    "runs_hidden_code": r"\bexec\(|\beval\(|(?<!re\.)\bcompile\(|\b__import__\b|\bimport_module\b|\bctypes\b"
    r"|\bsubprocess\b|\bos\.system\b|\bpopen\b|\bchild_process\b|\bb64decode\b|\bfromhex\b|\batob\(|\bunhexlify\b"
    r"|\bmarshal\b|\bsettrace\b|\bsetprofile\b|\bpickle\.loads\b|\bglobals\(\)|\bnew Function\b",
    "knows_of_tests": r"\bsys\.modules\b|\bPYTEST_\w+|\bpytest\b|\bunittest\b|\bNODE_TEST\w*|\bjest\b|\bmocha\b",
}
"""Name of the failure -> words that show it. The list is of clues, not of proofs, and open."""
_WORDS = {name: re.compile(words) for name, words in CLUES.items()}
_FIRST_UNKNOWN = """
N=0
while IFS= read -r -d '' L; do
  [ -n "$(git log -n 1 --format=%h -S"$L" {tag} --)" ] || {{ echo $N; exit; }}
  N=$((N + 1))
done
"""


def self_reading(case: Case) -> str:
    """After the paper's seven: bug_inject.diff adds no code that could know more than a repairer does."""
    if not case.rules.reject_self_reading:
        return "not asked for"
    found = clues(case.bug.text)
    if not found:
        return "no clue in the lines added"
    unknown = _first_unknown(case, list(found))
    if unknown is not None:
        raise Failed(found[unknown], f"bug_inject.diff adds the line {unknown[:200]!r}")
    return f"lines with a clue, all of them known from the history: {len(found)}"


def clues(diff: str) -> dict[str, str]:
    """Lines that a diff adds with a word that is new to their file, and the clue's name; the history is not asked."""
    return {line.strip(): name for file in PatchSet(diff) for name, line in _suspects(file)}


def _suspects(file: PatchedFile) -> Iterator[tuple[str, str]]:
    """Name of the clue and line, for every added line of a file with a word that is new to its place."""
    lines = [line for hunk in file for line in hunk]
    for name, words in _WORDS.items():
        added = [line.value for line in lines if line.is_added and words.search(line.value)]
        taken = Counter(word for line in lines if line.is_removed for word in words.findall(line.value))
        new = Counter(word for line in added for word in words.findall(line)) - taken
        for line in added:
            if any(word in new for word in words.findall(line)):
                yield name, line


def _first_unknown(case: Case, lines: list[str]) -> str | None:
    """The first line that no commit of the history added or took out."""
    given = "".join(f"{line}\0" for line in lines).encode(errors="replace")
    with case.base() as base:
        done = base.run(_FIRST_UNKNOWN.format(tag=ORIGINAL_TAG), stdin=given, timeout_s=GIT_TIMEOUT_S)
    if done.exit_code != 0:
        raise SandboxError(f"git log failed in the sandbox (exit code {done.exit_code}): {done.output[-500:]}")
    return lines[int(done.output)] if done.output else None
