"""Looks at a function of a text: the command that shows it, by what is known of its place, and what that prints."""

import re
from collections.abc import Callable
from typing import NamedTuple

from ssr.basemodel import actions, terminal
from ssr.basemodel.corpus import last_name
from ssr.repository.places import Function

Look = tuple[str, str]
"""A command, and what it prints."""
Looker = Callable[[str, Function], Look]


def find(broken: str, function: Function) -> Look:
    """Where only the function's name is told: its file has to be found."""
    return actions.find_command(last_name(function)), f"{function.path}\n{terminal.shown(broken, function)}"


def look_by_name(broken: str, function: Function) -> Look:
    """Where the file is known, too."""
    return actions.view_command(function.path, last_name(function)), terminal.shown(broken, function)


def look_in_class(broken: str, function: Function) -> Look:
    """Where the class is known, too."""
    return actions.look_command(function), terminal.shown_of(broken, function)


def holds(shown: str, search: str) -> bool:
    """Whether the lines to be replaced stand in what is shown, with numbers or without."""
    plain = re.sub(r"^\d+:", "", shown, flags=re.MULTILINE)
    return f"\n{search}" in f"\n{plain}\n"


class Line(NamedTuple):
    """A line of a file, and its number."""

    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.number}:{self.text}"


def lines_of(shown: str, first: int, last: int) -> list[Line]:
    """The numbered lines shown that stand from `first` to `last` in their file."""
    found = (Line(int(number), text) for number, text in re.findall(r"^(\d+):(.*)$", shown, re.MULTILINE))
    return [line for line in found if first <= line.number <= last]
