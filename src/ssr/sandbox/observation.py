"""Takes out of an observation what changes from run to run, so that the same actions give the same bytes.

Only texts in the shape that tools print are touched: what a model reads of a source file must stay what it can search.
"""

import re

_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_ISO_DAY = r"\d{4}-\d\d-\d\d"
_MODE = r"[-dlbcps][-rwxsStT]{9}[.+@]?"
_COUNTED = r"(?:passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?|no tests ran|Ran \d+ tests?)"

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), placeholder)
    for pattern, placeholder in (
        # Durations: the last line of pytest and unittest, pytest --durations, bash's time, node's reporters, mocha.
        (rf"(\b{_COUNTED} in )\d+\.\d+s(?: \(\d+:\d\d:\d\d\))?", r"\g<1>0.00s"),
        (r"^\d+\.\d\ds( (?:call|setup|teardown) )", r"0.00s\1"),
        (r"^([ #]*duration_ms:? )\d+(?:\.\d+)?$", r"\g<1>0"),
        (r" \(\d+(?:\.\d+)?ms\)$", " (0ms)"),
        (r"^(real|user|sys)\t\d+m\d+\.\d+s$", r"\1\t0m0.000s"),
        (r"^(real|user|sys) \d+\.\d+$", r"\1 0.00"),
        (r"^\d+m\d+\.\d{3}s \d+m\d+\.\d{3}s$", "0m0.000s 0m0.000s"),
        # GNU time: its two lines, and --verbose.
        (
            r"\b\d+\.\d+user \d+\.\d+system [\d:.]+elapsed (?:\d+|\?)%CPU \(\d+avgtext\+\d+avgdata \d+maxresident\)k$",
            "0.00user 0.00system 0:00.00elapsed 0%CPU (0avgtext+0avgdata 0maxresident)k",
        ),
        (
            r"^\d+inputs\+\d+outputs \(\d+major\+\d+minor\)pagefaults \d+swaps$",
            "0inputs+0outputs (0major+0minor)pagefaults 0swaps",
        ),
        (
            r"^(\t(?:(?:User|System) time \(seconds\)|Percent of CPU this job got"
            r"|Elapsed \(wall clock\) time \(h:mm:ss or m:ss\)|Maximum resident set size \(kbytes\)"
            r"|(?:Major|Minor) \([a-z ]+\) page faults|(?:Voluntary|Involuntary) context switches"
            r"|File system (?:inputs|outputs)): )[\d:.?%]+$",
            r"\g<1>0",
        ),
        # Addresses and object ids: object representations, 48-bit addresses, mocks, threads.
        (r"( at 0x)[0-9a-fA-F]{6,16}\b", r"\g<1>000000000000"),
        (r"\b0x(?:0000)?(?:7f|5[56])[0-9a-f]{10}\b", "0x000000000000"),
        (r"(\bid=')\d{12,}'", r"\g<1>0'"),
        (r"(, started (?:daemon )?)\d{9,}\b", r"\g<1>0"),
        (r"(\b[Pp][Ii][Dd][ =:] ?)\d{2,}\b", r"\g<1>0"),
        # Temporary names: tempfile, mktemp, pytest.
        (r"/tmp/tmp[a-z0-9_]{8}(?![a-z0-9_])", "/tmp/tmpXXXXXXXX"),
        (r"/tmp/tmp\.[A-Za-z0-9]{10}(?![A-Za-z0-9])", "/tmp/tmp.XXXXXXXXXX"),
        (r"/pytest-of-\w+/pytest-\d+", "/pytest-of-user/pytest-0"),
        # Inodes: find -ls, ls -li, stat.
        (rf"^ *(?:\d+(?= +\d+ {_MODE} )|\d{{4,}}(?= {_MODE} ))", "0"),
        (r"^(Device: )\S+(\t+Inode: )\d+ *( Links: )", r"\g<1>0,0\g<2>0\g<3>"),
        # Dates: ls -l, date, stat and the header of diff -u.
        (
            rf"^((?: *\d+ +){{0,2}}{_MODE} +\d+ \S+ +\S+ +\d+ )"
            rf"(?:{_MONTH} [ \d]\d (?:\d\d:\d\d| \d{{4}})|{_ISO_DAY} \d\d:\d\d(?::\d\d\.\d+ [-+]\d{{4}})?) ",
            r"\1Jan  1 00:00 ",
        ),
        (rf"\b{_DAY} {_MONTH} [ \d]\d \d\d:\d\d:\d\d UTC \d{{4}}\b", "Sat Jan  1 00:00:00 UTC 2000"),
        (
            rf"^((?:---|\+\+\+) [^\t\n]+\t|(?:Access|Modify|Change| Birth): )"
            rf"{_ISO_DAY} \d\d:\d\d:\d\d\.\d+ [-+]\d{{4}}$",
            r"\g<1>2000-01-01 00:00:00.000000000 +0000",
        ),
    )
)


def normalise(text: str) -> str:
    """`text` without durations, addresses, ids of objects, processes and files, temporary names, dates; idempotent."""
    for pattern, placeholder in _RULES:
        text = pattern.sub(placeholder, text)
    return text
