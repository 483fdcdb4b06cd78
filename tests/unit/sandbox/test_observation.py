"""Observations without what changes from run to run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssr.sandbox.observation import normalise

PAIRS = [
    ("===== 3 passed, 1 warning in 0.12s =====", "===== 3 passed, 1 warning in 1.07s ====="),
    ("2 failed in 65.32s (0:01:05)", "2 failed in 3.10s"),
    ("no tests ran in 0.01s", "no tests ran in 0.02s"),
    ("Ran 5 tests in 0.003s", "Ran 5 tests in 0.113s"),
    ("0.01s call     test_a.py::test", "0.92s call     test_a.py::test"),
    ("    duration_ms: 2.258064\n", "    duration_ms: 11.9\n"),
    ("# duration_ms 265.007348", "# duration_ms 302"),
    ("✔ adds (2.258064ms)\n  1) fails (12ms)", "✔ adds (0.9ms)\n  1) fails (4ms)"),
    ("\nreal\t0m0.012s\nuser\t0m0.001s\n", "\nreal\t0m1.912s\nuser\t0m0.881s\n"),
    ("real 0.01\nuser 0.00\nsys 0.00", "real 1.31\nuser 0.98\nsys 0.02"),
    ("0m0.003s 0m0.001s\n0m0.012s 0m0.004s", "0m0.002s 0m0.003s\n0m1.912s 0m0.014s"),
    (
        "0.00user 0.00system 0:00.00elapsed 71%CPU (0avgtext+0avgdata 1172maxresident)k\n"
        "0inputs+0outputs (0major+37minor)pagefaults 0swaps",
        "0.41user 0.10system 1:02.50elapsed ?%CPU (0avgtext+0avgdata 981136maxresident)k\n"
        "48inputs+16outputs (1major+36minor)pagefaults 0swaps",
    ),
    (
        "\tUser time (seconds): 0.00\n\tPercent of CPU this job got: 71%\n"
        "\tElapsed (wall clock) time (h:mm:ss or m:ss): 0:00.00\n\tMaximum resident set size (kbytes): 972\n"
        "\tMinor (reclaiming a frame) page faults: 70\n\tInvoluntary context switches: 0\n\tFile system inputs: 8",
        "\tUser time (seconds): 1.25\n\tPercent of CPU this job got: ?%\n"
        "\tElapsed (wall clock) time (h:mm:ss or m:ss): 1:02:03\n\tMaximum resident set size (kbytes): 9720\n"
        "\tMinor (reclaiming a frame) page faults: 74\n\tInvoluntary context switches: 3\n\tFile system inputs: 0",
    ),
    ("<Store object at 0x7f12ab34cd56>", "<Store object at 0x7e01ab34cd00>"),
    ("frame 0x00007f12ab34cd56", "frame 0x00007fffab34cd56"),
    ("<Mock name='x' id='139872345678901'>", "<Mock name='x' id='140000000000000'>"),
    ("<Thread(Thread-1, started 139872345678901)>", "<Thread(Thread-1, started 140000000000000)>"),
    ("worker pid 4711 died", "worker pid 23 died"),
    ("/tmp/tmpab12cd_9/x", "/tmp/tmp00000000/x"),
    ("/tmp/tmp.Ab12Cd34Ef", "/tmp/tmp.0123456789"),
    ("/tmp/pytest-of-me/pytest-3/test_x0", "/tmp/pytest-of-user/pytest-12/test_x0"),
    ("-rw-r--r-- 1 user user 3 Nov 20 20:32 a", "-rw-r--r-- 1 user user 3 Jan  4 09:01 a"),
    ("drwxr-xr-x  2 user user  40 Mar  1  2020 d", "drwxr-xr-x  2 user user  40 Nov 20 20:32 d"),
    ("-rw-r--r-- 1 user user 3 2026-11-20 20:32 a", "-rw-r--r-- 1 user user 3 2020-01-04 09:01 a"),
    (
        "-rw-r--r-- 1 user user 3 2026-11-20 20:32:00.123456789 +0000 a",
        "-rw-r--r-- 1 user user 3 2026-01-04 09:01:59.003456789 +0000 a",
    ),
    ("4 -rw-r--r-- 1 user user 3 Nov 20 20:32 a", "4 -rw-r--r-- 1 user user 3 Jan  4 09:01 a"),
    ("3186911 -rw-r--r-- 1 user user 3 Nov 20 20:32 a", " 186911 -rw-r--r-- 1 user user 3 Nov 20 20:33 a"),
    (
        "  3186911      4 -rw-r--r--   1 user     user            3 Nov 20 20:32 ./a",
        "       71      4 -rw-r--r--   1 user     user            3 Mar  1  2020 ./a",
    ),
    (
        "Device: 254,0\tInode: 3186911     Links: 1\nAccess: (0644/-rw-r--r--)  Uid: (    0/    user)\n"
        "Modify: 2026-11-20 20:51:58.123456789 +0000\n Birth: 2026-11-20 20:51:58.123456789 +0000",
        "Device: 0,45\tInode: 71  Links: 1\nAccess: (0644/-rw-r--r--)  Uid: (    0/    user)\n"
        "Modify: 2026-11-21 02:51:58.023456789 +0000\n Birth: 2026-11-20 20:52:00.000000000 +0000",
    ),
    ("Fri Nov 20 20:51:58 UTC 2026", "Mon Dec  1 00:00:01 UTC 2025"),
    ("--- a.py\t2026-11-20 20:51:58.123456789 +0000", "--- a.py\t2026-11-21 02:51:58.023456789 +0000"),
]

SOURCE = """
TIMEOUT = 0.5  # in 0.5s
MASK = 0xFFFFFFFF; BIG = 0x9E3779B97F4A7C15; prime = 0x100000001b3
def f(pid=1, id="abc"): return "in 12.5s", 5.25, "/tmp/file", "real"
real = 0.5; user 0.5 is not a line; 0.5user; sys.exit()
Access: 2026-11-20 is a day; 4711 files; 71 4 -rw-r--r--
commit 2192cc2f5f27f8c598195a8aa16bfe6181d81777
"""


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_runs_that_differ_in_such_things_look_alike(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


def test_source_stays_what_it_is() -> None:
    assert normalise(SOURCE) == SOURCE


TEXTS = st.text() | st.lists(st.sampled_from([part for pair in PAIRS for part in pair]) | st.text(max_size=4)).map(
    "".join
)


@given(TEXTS)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(TEXTS)
def test_lines_stay_lines(text: str) -> None:
    assert normalise(text).count("\n") == text.count("\n")
