"""The prompts of both roles: jinja2 templates in `prompts/`, one folder a style."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ssr.config import AgentConfig, GameConfig
from ssr.contracts import Message, Strategy

FOLDER = Path(__file__).parent / "prompts"


@dataclass(frozen=True)
class Target:
    """Where an injector is asked to put its bug (appendix E.4)."""

    path: str
    first_line: int = 0
    last_line: int = 0
    """Lines of a snippet, 1-based; 0 for a whole file."""
    text: str = ""
    """The snippet; empty for a whole file."""


@cache
def prompt_digest(style: str, name: str) -> str:
    """16 hexadecimal digits of a template's text, so that results depend on it."""
    return hashlib.sha256((FOLDER / style / f"{name}.md").read_bytes()).hexdigest()[:16]


@cache
def _environment(style: str) -> Environment:
    loader = FileSystemLoader(FOLDER / style)
    return Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)


def _render(style: str, template: str, **values: object) -> str:
    return _environment(style).get_template(template).render(**values).strip()


def _messages(config: AgentConfig, user: str) -> list[Message]:
    system = _render(config.prompts, "system.md", agent=config, call_format=config.call_format)
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def injector_messages(
    config: AgentConfig, strategy: Strategy, repository: str, rules: GameConfig, targets: Sequence[Target] = ()
) -> list[Message]:
    """System and user message of an injector episode; the control parameters are shown as numbers (section 2.3).

    `targets` are the places that the task names, if it names any.
    """
    values = {"strategy": strategy, "repository": repository, "rules": rules, "targets": targets}
    user = _render(config.prompts, "injector.md", **values)
    return _messages(config, user)


def solver_messages(config: AgentConfig, problem_statement: str) -> list[Message]:
    """System and user message of a solver episode: the general issue prompt, as in evaluation (section 2.4)."""
    return _messages(config, _render(config.prompts, "solver.md", problem_statement=problem_statement))


def specification(config: AgentConfig, test_patch: str) -> str:
    """The fixed issue template around the reversed test_weaken.diff: a bug's whole specification (section 2.4)."""
    return _render(config.prompts, "specification.md", test_patch=test_patch)
