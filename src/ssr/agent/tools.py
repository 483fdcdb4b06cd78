"""The four tools of both roles: bash, edit, create, submit."""

from collections.abc import Callable
from dataclasses import dataclass

from ssr.agent.formats import ToolCall
from ssr.config import AgentConfig
from ssr.contracts import Sandbox, Shell
from ssr.sandbox.observation import normalise

ReadSubmission = Callable[[Sandbox, str], object]
"""Reads what was handed in from a path. What it raises (ValueError, FileNotFoundError, IsADirectoryError) is told to
the model, and the episode goes on."""


@dataclass(frozen=True)
class Submission:
    """What an episode handed in, and the path that it gave."""

    path: str
    content: object


class Tools:
    """The tools of one episode in its sandbox. Infrastructure errors of the sandbox pass through."""

    def __init__(self, sandbox: Sandbox, config: AgentConfig, read_submission: ReadSubmission) -> None:
        self.sandbox = sandbox
        self.config = config
        self.read_submission = read_submission
        self.submission: Submission | None = None
        """The last one."""
        self._shell: Shell | None = None

    def run(self, call: ToolCall) -> str:
        """The tool's answer, without the budget line."""
        given = call.arguments
        if call.name == "bash":
            return self.bash(given["command"])
        if call.name == "edit":
            return self.edit(given["path"], given["search"], given["replace"])
        if call.name == "create":
            return self.create(given["path"], given["content"])
        return self.submit(given["path"])

    def bash(self, command: str) -> str:
        """Output of a command in the persistent shell, and its exit code unless that is 0."""
        if self._shell is None:
            self._shell = self.sandbox.shell()
        result = self._shell.run(command, self.config.command_timeout_s)
        output = normalise(result.output).rstrip("\n")
        return output if result.exit_code == 0 else f"{output}\n[exit code {result.exit_code}]".lstrip("\n")

    def edit(self, path: str, search: str, replace: str) -> str:
        """Replace whole lines that stand exactly once in a file."""
        try:
            old = self.sandbox.read_file(path).decode()
        except UnicodeDecodeError:
            return f"{path} is not a text file."
        except (FileNotFoundError, IsADirectoryError, ValueError) as error:
            return sentence(error)
        if not search:
            return "The SEARCH block is empty."
        lines, wanted, given = _lines(old), _lines(search), _lines(replace)
        places = places_of(lines, wanted)
        if len(places) != 1:
            return no_single_match(path, len(places))
        if wanted == given:
            return no_change(path)
        start = places[0]
        lines[start : start + len(wanted)] = given
        ending = "\n" if lines and old.endswith("\n") else ""
        if (problem := self._write(path, "\n".join(lines) + ending)) is not None:
            return problem
        return f"Edited {path}, line {start + 1}.{self._context(lines, start, len(given))}"

    def create(self, path: str, content: str) -> str:
        """Write a new file."""
        try:
            self.sandbox.read_file(path, max_bytes=1)
        except FileNotFoundError:
            return self._write(path, content) or f"Created {path}."
        except (IsADirectoryError, ValueError):
            pass
        return f"{path} already exists."

    def submit(self, path: str) -> str:
        """Read the submission; the last one that can be read counts."""
        try:
            content = self.read_submission(self.sandbox, path)
        except (FileNotFoundError, IsADirectoryError, ValueError) as error:
            return f"Not submitted: {sentence(error)}"
        self.submission = Submission(path, content)
        return f"Submitted {path}."

    def _write(self, path: str, text: str) -> str | None:
        """Why the file could not be written, or None."""
        try:
            self.sandbox.write_file(path, text.encode())
        except OSError as error:
            return sentence(error)
        except UnicodeEncodeError:
            return "The text is not valid Unicode."
        return None

    def _context(self, lines: list[str], start: int, count: int) -> str:
        """Numbered lines around an edit, after a newline; nothing when none are wanted."""
        around = self.config.edit_context_lines
        if not around:
            return ""
        shown = range(max(0, start - around), min(len(lines), start + count + around))
        return "".join(f"\n{number + 1:6}  {lines[number]}" for number in shown)


def read_patch(sandbox: Sandbox, path: str) -> str:
    """A solver's submission: the text of a diff. ValueError, FileNotFoundError or IsADirectoryError otherwise."""
    try:
        patch = sandbox.read_file(path).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file") from error
    if not patch.strip():
        raise ValueError(f"{path} is empty")
    return patch


def sentence(error: Exception) -> str:
    """The error's text as a sentence."""
    return f"{str(error).rstrip('.')}."


def _lines(text: str) -> list[str]:
    """Lines without their ends; the last one may lack its newline."""
    return text.removesuffix("\n").split("\n") if text else []


def places_of(lines: list[str], wanted: list[str]) -> list[int]:
    """Where the wanted lines stand, one after the other."""
    last = len(lines) - len(wanted)
    starts = (i for i, line in enumerate(lines[: last + 1]) if line == wanted[0]) if last >= 0 else iter(())
    return [start for start in starts if lines[start : start + len(wanted)] == wanted]


def no_change(path: str) -> str:
    """The answer to an edit that puts back what stands there."""
    return f"The REPLACE lines are the SEARCH lines: {path} is as it was."


def no_single_match(path: str, count: int) -> str:
    """The answer to an edit whose SEARCH lines stand nowhere, or more than once."""
    if count == 0:
        return f"No match for the SEARCH lines in {path}."
    return f"The SEARCH lines match {count} times in {path}."
