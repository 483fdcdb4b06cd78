"""How a tool call is written, as data: `cwm` (tags around plain text) and `hermes` (JSON in tags)."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "bash": ("command",),
    "edit": ("path", "search", "replace"),
    "create": ("path", "content"),
    "submit": ("path",),
}
"""The tools and their arguments, all of them texts."""

ProblemKind = Literal["no_call", "two_calls", "unterminated", "unknown_tool", "bad_arguments"]


@dataclass(frozen=True)
class ToolCall:
    """One well-formed call. `search`, `replace` and `content` are whole lines, each ended by a newline."""

    name: str
    arguments: Mapping[str, str]


@dataclass(frozen=True)
class FormatProblem:
    """Why an assistant turn holds no well-formed call; `message` is told to the model."""

    kind: ProblemKind
    message: str


class BadBody(ValueError):
    """The inside of a call cannot be read; its text is told to the model."""


@dataclass(frozen=True)
class CallFormat:
    """One way to write calls.

    `opening` and `closing` match a call's tags; where `opening` has a group, it is the tool's name. `read` turns what
    stands between the tags into name and arguments (BadBody), `write` is its inverse.
    """

    name: str
    opening: re.Pattern[str]
    closing: re.Pattern[str]
    read: Callable[[str, str], tuple[str, dict[str, str]]] = field(repr=False)
    write: Callable[[ToolCall], str] = field(repr=False)
    help: str = field(repr=False)
    """For prompts: how to call each tool."""

    def parse(self, text: str) -> ToolCall | FormatProblem:
        """The one call of a turn. Text around it, and the <think> section that the turn begins with, is thought."""
        spoken = _without_thinking(text)
        start = self.opening.search(spoken)
        if start is None:
            return FormatProblem("no_call", "There is no tool call. Every turn must hold exactly one.")
        end = self.closing.search(spoken, start.end())
        if end is None:
            return FormatProblem("unterminated", "The tool call is not closed.")
        if self.opening.search(spoken, end.end()):
            return FormatProblem("two_calls", "There are several tool calls. Every turn must hold exactly one.")
        tag = start.group(1).strip(" ") if self.opening.groups else ""
        try:
            name, arguments = self.read(tag, spoken[start.end() : end.start()])
        except BadBody as error:
            return FormatProblem("bad_arguments", str(error))
        return _checked(name, arguments)

    def thought(self, text: str) -> str:
        """What a turn says before its call; the whole turn where there is none."""
        spoken = _without_thinking(text)
        start = self.opening.search(spoken)
        return text if start is None else text[: len(text) - len(spoken) + start.start()]

    def render(self, call: ToolCall) -> str:
        """The text of a call, which `parse` reads back. Raises ValueError where this format cannot express it."""
        text = self.write(call)
        if self.parse(text) != call:
            raise ValueError(f"the {self.name} format cannot express {call!r}")
        return text


def whole_lines(text: str) -> str:
    """The text with a newline at its end, unless it is empty."""
    return text if not text or text.endswith("\n") else text + "\n"


_THINKING = re.compile(r"\A\s*<think>.*?(?:</think>|\Z)|\A(?:(?!<think>).)*?</think>", re.DOTALL)


def _without_thinking(text: str) -> str:
    """The text without the <think> section that it begins with; one never closed reaches to the end.

    The opening tag may be missing, because some chat templates write it.
    """
    return _THINKING.sub("", text, count=1)


def _checked(name: str, arguments: Mapping[str, str]) -> ToolCall | FormatProblem:
    if name not in ARGUMENTS:
        return FormatProblem("unknown_tool", f"Unknown tool: {name[:40]}. The tools are {', '.join(ARGUMENTS)}.")
    if set(arguments) != set(ARGUMENTS[name]):
        return FormatProblem("bad_arguments", f"{name} takes exactly: {', '.join(ARGUMENTS[name])}.")
    if any(re.search("[\ud800-\udfff]", argument) for argument in arguments.values()):
        return FormatProblem(
            "bad_arguments", "The arguments hold characters that are none (halves of surrogate pairs)."
        )
    if "path" in arguments and (not arguments["path"] or re.search(r"[\n\0]", arguments["path"])):
        return FormatProblem("bad_arguments", f"{name} needs a path.")
    lines = {key: whole_lines(arguments[key]) for key in ("search", "replace", "content") if key in arguments}
    return ToolCall(name, {**arguments, **lines})


# ---- cwm: the tool's name in the tag, arguments as plain lines

_SEARCH, _DIVIDER, _REPLACE = (
    re.compile(rf"^{marker}[ \t]*\n", re.MULTILINE) for marker in ("<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE")
)


def _read_tags(name: str, body: str) -> tuple[str, dict[str, str]]:
    body = body.removeprefix("\n")
    if name == "bash":
        return name, {"command": body.removesuffix("\n")}
    path, _, rest = body.partition("\n")
    if name == "edit":
        return name, {"path": path.strip(), **_read_block(rest)}
    if name == "create":
        return name, {"path": path.strip(), "content": rest}
    if rest.strip():
        raise BadBody(f"{name} takes one line.")
    return name, {"path": path.strip()}


def _read_block(text: str) -> dict[str, str]:
    text = whole_lines(text)
    start, dividers = _SEARCH.match(text), list(_DIVIDER.finditer(text))
    last = text.rfind("\n", 0, len(text) - 1) + 1
    if (
        start is None
        or len(dividers) != 1
        or not start.end() <= dividers[0].start() < last
        or not _REPLACE.match(text, last)
    ):
        raise BadBody(
            "edit takes a path and one block: <<<<<<< SEARCH, lines, one =======, lines, >>>>>>> REPLACE, "
            "each marker on a line of its own."
        )
    return {"search": text[start.end() : dividers[0].start()], "replace": text[dividers[0].end() : last]}


def _write_tags(call: ToolCall) -> str:
    given = call.arguments
    body = {
        "bash": "{command}\n",
        "edit": "{path}\n<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n",
        "create": "{path}\n{content}",
        "submit": "{path}\n",
    }[call.name].format_map(given)
    return f"<tool: {call.name}>\n{body}</tool>"


CWM = CallFormat(
    name="cwm",
    opening=re.compile(r"^<tool:([^>\n]*)>[ \t]*$", re.MULTILINE),
    closing=re.compile(r"^</tool>[ \t]*$", re.MULTILINE),
    read=_read_tags,
    write=_write_tags,
    help="""\
Think first if you like, then call exactly one tool, its tags on lines of their own:

<tool: bash>
COMMAND (runs in a shell that stays open between calls)
</tool>

<tool: edit>
PATH
<<<<<<< SEARCH
whole lines that stand exactly once in the file
=======
the lines to put in their place
>>>>>>> REPLACE
</tool>

<tool: create>
PATH (must not exist yet)
the file's lines
</tool>

<tool: submit>
PATH
</tool>
""",
)


# ---- hermes: a JSON object in tags


def _read_json(_: str, body: str) -> tuple[str, dict[str, str]]:
    try:
        value = json.loads(body)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadBody(f"The tool call is not valid JSON: {error}") from error
    name = value.get("name") if isinstance(value, dict) else None
    arguments = value.get("arguments") if isinstance(value, dict) else None
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise BadBody('A tool call is an object with "name" and "arguments".')
    if not all(isinstance(argument, str) for argument in arguments.values()):
        raise BadBody("All arguments are strings.")
    return name, arguments


def _write_json(call: ToolCall) -> str:
    value = {"name": call.name, "arguments": dict(call.arguments)}
    return f"<tool_call>\n{json.dumps(value, ensure_ascii=False)}\n</tool_call>"


HERMES = CallFormat(
    name="hermes",
    opening=re.compile(r"^<tool_call>", re.MULTILINE),
    closing=re.compile(r"^</tool_call>|</tool_call>[ \t]*$", re.MULTILINE),
    read=_read_json,
    write=_write_json,
    help="""\
Think first if you like, then call exactly one tool, as one JSON object in tags that start a line:

<tool_call>
{"name": "bash", "arguments": {"command": "COMMAND"}}
</tool_call>

The tools and their arguments, all of them strings:
- bash: command (runs in a shell that stays open between calls)
- edit: path, search (whole lines that stand exactly once in the file), replace (the lines to put in their place)
- create: path (must not exist yet), content
- submit: path
""",
)

FORMATS: Mapping[str, CallFormat] = {"cwm": CWM, "hermes": HERMES}
"""By the name that a scale's `agent.call_format` gives."""
