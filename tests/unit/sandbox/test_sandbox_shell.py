"""The persistent shell."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ssr.contracts import Sandbox, Shell
from ssr.errors import SandboxError
from ssr.sandbox.process import LocalProcess

Opener = Callable[..., Sandbox]


@pytest.fixture
def shell(open_limited: Opener) -> Shell:
    return open_limited(output_bytes=20_000).shell()


def test_directory_variables_and_functions_carry_over(shell: Shell) -> None:
    shell.run("cd pocket; x='a b'; f() { echo \"f $1\"; }; export Y=2", 30)
    assert shell.run('pwd; echo "$x"; f 1; printenv Y', 30).output == "/testbed/pocket\na b\nf 1\n2\n"


def test_exit_codes_are_the_commands(shell: Shell) -> None:
    assert shell.run("(exit 42)", 30).exit_code == 42
    assert shell.run("echo $?", 30).output == "42\n"
    assert shell.run("true", 30).exit_code == 0
    assert shell.run("if then", 30).exit_code == 2
    assert shell.run("no_such_command", 30).exit_code == 127
    assert shell.run("kill -9 $BASHPID", 30).exit_code == 137


@pytest.mark.parametrize(
    "command", ["echo 0; false", "printf 'ready\\n0\\n'; false", "echo 0 >&2; false", "printf 0; false"]
)
def test_nothing_printed_is_taken_for_an_exit_code(shell: Shell, command: str) -> None:
    assert shell.run(command, 30).exit_code == 1


def test_output_comes_whole_and_in_order(shell: Shell) -> None:
    done = shell.run("echo a; echo b >&2; printf c", 30)
    assert (done.output, done.exit_code) == ("a\nb\nc", 0)
    assert shell.run("seq 3000", 30).output == "".join(f"{number}\n" for number in range(1, 3001))


def test_stdin_is_empty(shell: Shell) -> None:
    assert shell.run("cat; read x; echo $?", 30).output == "1\n"


def test_heredocs_quotes_and_long_commands(shell: Shell) -> None:
    assert shell.run("cat <<'E' > f\n$x `y` \\ '\nE\ncat f", 30).output == "$x `y` \\ '\n"
    assert shell.run(f"echo '{'é' * 100_000}' | wc -m", 60).output == "100001\n"


def test_the_end_of_the_shell_starts_another(shell: Shell) -> None:
    shell.run("x=1; cd pocket", 30)
    done = shell.run("echo bye; exit 3", 30)
    assert (done.exit_code, done.output) == (3, "bye\n[the shell exited and was restarted]\n")
    assert shell.run("echo $x; pwd", 30).output == "\n/testbed\n"
    assert "restarted" in shell.run("exec false", 30).output
    assert shell.run("set -e; false", 30).exit_code == 1
    assert shell.run("kill -9 $$", 30).exit_code == 137
    assert shell.run("echo back", 30).output == "back\n"


def test_signals_that_the_caller_ignores_work_in_the_sandbox(open_limited: Opener) -> None:
    """As under nohup, or in a script's background."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGHUP, signal.SIGINT)}
    try:
        sandbox = open_limited()
        for signal_name in ("HUP", "INT"):
            command = f"trap -p; (kill -{signal_name} $BASHPID; printf 'ign%s' ored)"
            outputs = [sandbox.shell().run(command, 30).output, sandbox.run(command, timeout_s=30).output]
            assert not any("trap --" in output or "ignored" in output for output in outputs), outputs
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_shell_that_is_killed_from_outside_is_a_failure_of_the_machine(open_limited: Opener) -> None:
    """An episode is played again then; a model is not told what it did not do."""
    shell = open_limited().shell()
    shell.run("true", 30)
    process = getattr(shell, "_process", None)
    if not isinstance(process, LocalProcess):
        pytest.skip("its processes are the engine's")
    (keeper,) = children(process.pid)
    (first,) = children(keeper)
    os.kill(keeper, signal.SIGKILL)
    process.wait()
    while lives(first):  # the shell dies of its keeper's death, and may answer once more before
        time.sleep(0.01)
    with pytest.raises(SandboxError, match="killed from outside"):
        shell.run("echo on", 30)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


PIPES = [
    ("ls /a | ls /b | ls /c", ["/a", "/b", "/c"], 2),
    ("ls /a | cat; echo out; ls /b | (ls /c; cat) | ls /d; true", ["out", "/a", "/b", "/d", "/c"], 0),
    ("x=$(ls /a | ls /b); echo out; f() { ls /c | cat; }; f", ["out", "/a", "/b", "/c"], 0),
    ("{ ls /a | ls /b; } 2> /dev/null; ls /c | cat", ["/c"], 0),
    ("(ls /a; ls /b) 2>&1 | tr / +; ls /c |& cat", ["'+a'", "'+b'", "/c"], 0),
    ("false | true; echo ${PIPESTATUS[0]} $?; echo a b; echo $_; ls /a", ["1 0", "a b", "b", "/a"], 2),
    ("exec 2> /dev/null; ls /a | ls /b; exec 2>&1; ls /c", ["/c"], 2),
]


@pytest.mark.parametrize(("command", "said", "code"), PIPES)
def test_what_programs_in_a_pipe_complain_of_comes_in_their_order(
    shell: Shell, command: str, said: list[str], code: int
) -> None:
    for _ in range(8):
        done = shell.run(command, 30)
        lines = done.output.splitlines()
        assert len(lines) == len(said) and done.exit_code == code
        assert all(text in line for text, line in zip(said, lines, strict=True)), done.output
    assert shell.run("echo $-; trap -p; ls -A /dev/shm; ls /a", 30).output.startswith("hBc\nls: cannot access")


def test_errors_that_several_programs_write_at_once_are_not_torn(shell: Shell) -> None:
    command = "grep x /none/child.py | grep -m\n -A 20 | grep -m"
    assert len({shell.run(command, 30).output for _ in range(60)}) == 1


def test_a_hanging_command_is_killed_with_its_children(
    shell: Shell, processes_of_host: Callable[[str], list[int]]
) -> None:
    done = shell.run("echo before; setsid sleep 54321.1 & (trap '' TERM INT HUP; sleep 54321.1)", 0.5)
    assert (done.exit_code, done.timed_out) == (124, True)
    assert done.output == "before\n[no end after 0.5 s: the command was killed and the shell restarted]\n"
    assert done.seconds < 5
    assert shell.run("pwd", 30).output == "/testbed\n"
    assert processes_of_host("sleep 54321.1") == []


def test_a_flood_is_cut_and_the_shell_restarted(shell: Shell) -> None:
    done = shell.run("x=1; yes", 30)
    assert (done.exit_code, done.truncated, done.timed_out) == (137, True, False)
    assert len(done.output) < 20_200
    assert done.output.endswith("\n[more than 20000 bytes of output: the command was killed and the shell restarted]\n")
    assert shell.run("echo $x", 30).output == "\n"


def test_a_flood_from_the_background_is_cut_too(shell: Shell) -> None:
    assert shell.run("yes &", 30).truncated or shell.run("sleep 5", 30).truncated
    assert shell.run("echo calm", 30).output == "calm\n"


def test_background_processes_live_until_the_session_ends(
    shell: Shell, processes_of_host: Callable[[str], list[int]]
) -> None:
    wait = "until grep -q sleep /proc/$!/comm; do sleep 0.01; done"
    done = shell.run(f"nohup setsid sleep 54321.2 > /dev/null 2>&1 & {wait}; echo started", 30)
    assert (done.output, done.exit_code) == ("started\n", 0)
    assert len(processes_of_host("sleep 54321.2")) == 1
    shell.close()
    shell.close()
    assert processes_of_host("sleep 54321.2") == []


def test_closing_its_own_output_harms_the_session_alone(shell: Shell) -> None:
    assert shell.run("exec >&- 2>&-", 30).exit_code == 0
    assert shell.run("echo lost", 30).output == ""
    shell.run("exit", 30)
    assert shell.run("echo found", 30).output == "found\n"


def test_a_second_shell_replaces_the_first(open_limited: Opener) -> None:
    sandbox = open_limited()
    first = sandbox.shell()
    first.run("sleep 1000 &", 30)
    second = sandbox.shell()
    assert second.run("echo second", 30).output == "second\n"
