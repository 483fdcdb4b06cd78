"""The data of the pages: lists that a page reads whole, and details in pieces that it reads when they are looked at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from ssr.config import Scale
from ssr.report import bugs, episodes
from ssr.report.chunks import Chunks, write_script
from ssr.report.files import evaluation_tables, generation_folders
from ssr.report.generation import load_generation
from ssr.report.turns import tokens_of
from ssr.selfplay.progress import progress

Entry = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True)
class Counts:
    """How much of everything there is."""

    generations: int
    episodes: int
    bugs: int
    valid: int
    attempts: int
    solved: int


class Listing:
    """A list of a page and the details of its rows; each row ends in the number of the piece that holds its details."""

    def __init__(self, folder: Path, name: str, columns: Sequence[str]) -> None:
        self.folder, self.name, self.columns = folder, name, columns
        self.rows: list[list[Any]] = []
        self._chunks = Chunks(folder, name)

    def extend(self, entries: Iterable[Entry]) -> None:
        """Add rows with their details."""
        for row, shown in entries:
            self.rows.append([*(row[name] for name in self.columns), self._chunks.add(row["id"], shown)])

    def column(self, name: str) -> list[Any]:
        """One column of all rows."""
        return [row[self.columns.index(name)] for row in self.rows]

    def close(self) -> None:
        """Write what is left, and the list."""
        self._chunks.close()
        write_script(self.folder, self.name, {"columns": [*self.columns, "chunk"], "rows": self.rows})


def write_data(folder: Path, scale: Scale, results: Path, with_tokens: bool) -> Counts:
    """Write the bugs, episodes and tokens of a scale's results under `folder`, in a fixed order."""
    listed, played = Listing(folder, "bugs", bugs.COLUMNS), Listing(folder, "episodes", episodes.COLUMNS)
    tokens = Tokens(folder, with_tokens)
    found, evaluations = generation_folders(scale, results), evaluation_tables(scale, results)
    with progress("tables of episodes read", len(found) + len(evaluations)) as advance:
        for place in found:
            generation = load_generation(place, scale)
            listed.extend(bugs.bugs_of(generation))
            for path in [*place.tables("inject", "episodes"), *place.tables("solve", "episodes")]:
                played.extend(tokens.noted(path, episodes.episodes_of(generation, path.parent)))
            advance()
        for path in evaluations:
            played.extend(tokens.noted(path, episodes.evaluated(path, scale)))
            advance()
    tokens.close(results, scale)
    listed.close()
    played.close()
    return Counts(
        generations=len(found),
        episodes=len(played.rows),
        bugs=len(listed.rows),
        valid=listed.column("check").count(""),
        attempts=sum(listed.column("attempts")),
        solved=sum(listed.column("solved")),
    )


class Tokens:
    """Sampled tokens of episodes in pieces of their own, and the texts of those that occur."""

    def __init__(self, folder: Path, wanted: bool) -> None:
        self.folder, self.wanted = folder, wanted
        self._chunks = Chunks(folder, "tokens")
        self._used: set[int] = set()

    def noted(self, path: Path, entries: Iterable[Entry]) -> Iterable[Entry]:
        """Entries of an episodes.parquet with the number of the piece that holds their tokens, -1 for none."""
        where = self._write(path) if self.wanted else {}
        for row, shown in entries:
            yield row, shown | {"tokens": where.get(row["id"], -1)}

    def _write(self, path: Path) -> Mapping[str, int]:
        where = {}
        for name, turns in tokens_of(path):
            where[name] = self._chunks.add(name, turns)
            self._used.update(token for turn in turns for token in turn["ids"])
        return where

    def close(self, results: Path, scale: Scale) -> None:
        """Write what is left, and the vocabulary."""
        self._chunks.close()
        write_script(self.folder, "vocabulary", _texts(sorted(self._used), results, scale) if self._used else {})


def _texts(ids: Sequence[int], results: Path, scale: Scale) -> dict[int, str]:
    """Token id -> text, by the tokenizer of the checkpoints; part of a character is shown as the replacement sign.

    Empty where the tokenizer's file is not on this machine.
    """
    folders = (results / "checkpoints/000", Path(scale.model.base))
    path = next((folder / "tokenizer.json" for folder in folders if (folder / "tokenizer.json").is_file()), None)
    if path is None:
        return {}
    tokenizer = Tokenizer.from_file(str(path))
    return {token: tokenizer.decode([token], skip_special_tokens=False) for token in ids}
