"""Data that a page loads in pieces: each piece is a script, because a page opened from a file may not fetch."""

import json
from pathlib import Path
from typing import Any

CHUNK_BYTES = 160_000
"""A piece is closed once it holds this much."""


def script(name: str, value: object) -> str:
    """JavaScript that hands a value over under a name; NaN and infinities are refused (ValueError)."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return f'ssr.receive("{name}",{text});\n'


def write_script(folder: Path, name: str, value: object) -> None:
    """Write `folder`/`name`.js."""
    path = folder / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script(name, value))


class Chunks:
    """Values by key, in numbered pieces `{name}/{number}.js` of a bounded size; the same values give the same files."""

    def __init__(self, folder: Path, name: str, limit: int = CHUNK_BYTES) -> None:
        self.folder, self.name, self.limit = folder, name, limit
        self.number = 0
        self._values: dict[str, Any] = {}
        self._bytes = 0

    def add(self, key: str, value: object) -> int:
        """Put a value in; the number of its piece."""
        if self._bytes >= self.limit:
            self.close()
        self._values[key] = value
        self._bytes += len(json.dumps(value))
        return self.number

    def close(self) -> None:
        """Write the piece that is open."""
        if self._values:
            write_script(self.folder, f"{self.name}/{self.number}", self._values)
            self.number += 1
        self._values, self._bytes = {}, 0
