"""One bug, one episode and one run as text."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from ssr.report.bugs import bugs_of
from ssr.report.generation import Generation
from ssr.terminal.find import Entry

DIFFS = ("bug_inject.diff", "test_weaken.diff")


def show_bug(entry: Entry, console: Console) -> None:
    """What was put in, how it was hidden, what checks and solvers made of it."""
    row, shown = entry
    console.print(Text(str(row["id"]), style="bold"))
    verdict = f"failed {row['check']}: {shown['reason']}" if row["check"] else "valid"
    _facts(console, {
        "repository": row["repo"], "strategy": row["strategy"], "order": row["order"], "check": verdict,
        "solved": f"{row['solved']} of {row['attempts']} attempts", "changed lines": row["lines"],
        "tests that fail with it": row["failing"], "starts from": shown.get("parent", ""),
    })  # fmt: skip
    for name in DIFFS:
        _section(console, name, shown["files"].get(name, ""), "diff")
    if shown.get("failed_patch"):
        _section(console, "the failed patch that it starts from", shown["failed_patch"], "diff")
    _section(console, "what the solver is told", shown.get("specification", ""), "markdown")
    for name in ("test_script.sh", "test_files.txt"):
        _section(console, name, shown["files"].get(name, ""), "bash")
    _section(console, "the check's output ends in", shown["tail"] if row["check"] else "", "text")
    for attempt in shown["attempts"]:
        outcome = "solved" if attempt["solved"] else attempt["verdict"]
        _line(console, f"attempt {attempt['episode_id']}: {outcome}, {attempt['turns']} turns")


def show_episode(entry: Entry, console: Console) -> None:
    """Every turn, and why it was rewarded as it was."""
    row, shown = entry
    console.print(Text(str(row["id"]), style="bold"))
    reward = "none" if row["reward"] is None else f"{row['reward']:+.3f}"
    _facts(console, {
        "role": row["role"], "repository": row["repo"], "strategy": row["strategy"], "bug": row["bug"],
        "outcome": row["outcome"], "ended by": row["exit"], "turns": row["turns"],
        "tokens written": row["tokens"], "reward": f"{reward}. {shown['why']}", "training": shown["training"],
    })  # fmt: skip
    for number, turn in enumerate(shown["turns"]):
        if turn["role"] != "assistant":
            _section(console, f"{number} {turn['role']}", turn["text"], "text")
            continue
        _section(console, f"{number} assistant", turn["thought"], "text")
        if "problem" in turn:
            _line(console, f"no call: {turn['problem']}")
            continue
        for name, value in turn["arguments"].items():
            _section(console, f"{number} {turn['tool']}: {name}", str(value), "bash" if name == "command" else "text")
    _section(console, "the patch", shown.get("patch", ""), "diff")


def run_rows(generations: Sequence[Generation]) -> list[dict[str, Any]]:
    """A row a generation: what was tried, valid, attempted, solved, and what failed how often."""
    rows = []
    for generation in generations:
        bugs = [row for row, _ in bugs_of(generation)]
        failures = Counter(row["check"] for row in bugs if row["check"])
        rewards = [reward for row in generation.solved if (reward := generation.reward_of(row).value) is not None]
        rows.append({
            "seed": generation.place.seed,
            "generation": generation.place.generation,
            "injector_episodes": len(generation.injected),
            "artifacts": len(generation.checks),
            "valid": sum(bool(check["valid"]) for check in generation.checks.values()),
            "failures": dict(failures.most_common()),
            "bugs_attempted": sum(row["attempts"] > 0 for row in bugs),
            "attempts": sum(row["attempts"] for row in bugs),
            "solved": sum(row["solved"] for row in bugs),
            "solver_reward": sum(rewards) / len(rewards) if rewards else None,
            "trained_episodes": len(generation.trained),
            "bugs": [row["id"] for row in bugs],
        })  # fmt: skip
    return rows


def show_run(run: str, rows: Sequence[dict[str, Any]], console: Console) -> None:
    """The generations of a run as a table, and the ids of the bugs of the last."""
    table = Table("seed", "gen", "tried", "handed in", "valid", "attempts", "solved", "trained", "failed", title=run)
    for row in rows:
        failures = ", ".join(f"{count} {name}" for name, count in row["failures"].items())
        names = ("seed", "generation", "injector_episodes", "artifacts", "valid", "attempts", "solved")
        table.add_row(*(str(row[name]) for name in names), str(row["trained_episodes"]), failures)
    console.print(table)
    if rows:
        _line(console, f"bugs of generation {rows[-1]['generation']}: {', '.join(rows[-1]['bugs']) or 'none'}")


def _facts(console: Console, facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if value not in ("", None):
            _line(console, f"{name}: {value}")


def _section(console: Console, title: str, text: str, language: str) -> None:
    if not text.strip():
        return
    console.print()
    console.print(Text(f"── {title}", style="bold cyan"))
    if language == "text" or not console.is_terminal:
        _line(console, text.rstrip("\n"))
    else:
        console.print(Syntax(text.rstrip("\n"), language, word_wrap=True, background_color="default"))


def _line(console: Console, text: str) -> None:
    """As it is: nothing in it is markup, no line is broken."""
    console.print(Text(text), soft_wrap=True)
