"""Looks at a function of a text: the command that shows it, by what is known of its place, and what that prints."""

from collections.abc import Callable

from ssr.basemodel import actions, terminal
from ssr.basemodel.actions import View
from ssr.basemodel.corpus import last_name
from ssr.repository.places import Function

Look = tuple[str, str]
"""A command, and what it prints."""
Looker = Callable[[str, Function, View], Look]


def find(broken: str, function: Function, view: View) -> Look:
    """Where only the function's name is told: its file has to be found."""
    shown = terminal.shown(broken, function, view)
    return actions.find_command(last_name(function), view), f"{function.path}\n{shown}"


def look_by_name(broken: str, function: Function, view: View) -> Look:
    """Where the file is known, too."""
    command = actions.view_command(function.path, last_name(function), view)
    return command, terminal.shown(broken, function, view)


def look_in_class(broken: str, function: Function, view: View) -> Look:
    """Where the class is known, too."""
    return actions.look_command(function, view), terminal.shown_of(broken, function, view)


def holds(shown: str, search: str) -> bool:
    """Whether the lines to be replaced stand in what is shown."""
    return f"\n{search}" in f"\n{shown}\n"
