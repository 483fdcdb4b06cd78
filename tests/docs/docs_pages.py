"""The pages of the documentation as blocks of code, and a checkout in which a page is followed line by line."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_RUN = {
    "cluster": "needs a Slurm or Kubernetes cluster",
    "docker": "needs a Docker engine, which the tests of sandboxes start",
    "endpoint": "asks a server that serves a model",
    "gpu": "needs an NVIDIA GPU",
    "long": "takes minutes; a test does the same on little",
    "minutes": "a step of CI",
    "official": "asks for the problems of an official benchmark and grades minutes each",
    "other-environment": "makes another environment than the tests run in",
}
"""What stands after ```bash where a block cannot be run by a test, and why."""

# The tests run in what envs/shell makes; they plan what would be played, and only read the options of a call of pytest.
SHELL = '#!/bin/bash\nexec "$@"\n'
SNAKEMAKE = '#!/bin/bash\nexec python -m snakemake "$@" -n --quiet\n'
PYTEST = """#!/bin/bash
[[ ${1:-} == tests/*.py ]] || set -- "$@" --version
exec python -m pytest -q -p no:cacheprovider "$@"
"""


@dataclass(frozen=True)
class Block:
    """One fenced block: ```LANGUAGE NOTE."""

    page: Path
    line: int
    language: str
    note: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def pages() -> list[Path]:
    """The README, the pages for contributors, and docs/."""
    named = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    return [*(page for page in named if page.exists()), *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = []
    opening: tuple[int, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(page.read_text().splitlines(), start=1):
        if not line.startswith("```"):
            lines.append(line)
        elif opening is None:
            opening, lines = (number, line[3:].strip()), []
        else:
            language, _, note = opening[1].partition(" ")
            found.append(Block(page, opening[0], language, note.strip(), "\n".join(lines) + "\n"))
            opening = None
    return found


def commands(block: Block) -> list[str]:
    """Lines of a block with their continuations, without comments."""
    text = re.sub(r"\\\n\s*", "", block.text)
    return [line for line in (re.sub(r"(^|\s+)#.*$", "", line).strip() for line in text.splitlines()) if line]


def copy_project(folder: Path) -> None:
    """A copy of what git tracks or would track, with what a test leaves out of a command cut off."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in listed:
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    write_program(folder / "envs" / "shell", SHELL)
    write_program(folder / "bin" / "snakemake", SNAKEMAKE)
    write_program(folder / "bin" / "pytest", PYTEST)


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def follow(block: Block, folder: Path) -> str:
    """Do what a block says in a copy of the project: run it, apply it, or write the file that it names."""
    if block.language == "diff":
        apply(block, folder)
        return ""
    if block.language != "bash":
        path = folder / block.note
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
        return ""
    paths = {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(folder / "src")}
    command = ["bash", "-euo", "pipefail", "-c", block.text]
    own = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(command, cwd=folder, env=own | paths, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, f"{block}:\n{block.text}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def apply(block: Block, folder: Path) -> None:
    """Apply a diff whose hunks have no line numbers: what a hunk takes out or keeps stands in its file once."""
    for file in re.split(r"^--- a/", block.text, flags=re.MULTILINE)[1:]:
        name, *hunks = re.split(r"^@@\n", file, flags=re.MULTILINE)
        path = folder / name.split("\n")[0]
        text = path.read_text()
        for hunk in hunks:
            lines = hunk.splitlines(keepends=True)
            before, after = ("".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +"))
            assert text.count(before) == 1, f"{block}: {path.name} does not hold once:\n{before}"
            text = text.replace(before, after)
        path.write_text(text)
