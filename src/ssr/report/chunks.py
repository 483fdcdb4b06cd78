"""Data that a page loads in pieces: each piece is a script, because a page opened from a file may not fetch."""

import json
from pathlib import Path

CHUNK_BYTES = 160_000
"""A piece is closed once it holds this much."""


def write_script(folder: Path, name: str, value: object) -> None:
    """Write `folder`/`name`.js, which hands the value over; NaN and infinities are refused (ValueError)."""
    _write(folder, name, _text(value))


class Chunks:
    """Values by key, in numbered pieces `{name}/{number}.js` of a bounded size; the same values give the same files."""

    def __init__(self, folder: Path, name: str, limit: int = CHUNK_BYTES) -> None:
        self.folder, self.name, self.limit = folder, name, limit
        self.number = 0
        self._entries: dict[str, str] = {}
        self._bytes = 0

    def add(self, key: str, value: object) -> int:
        """Put a value in; the number of its piece."""
        if self._bytes >= self.limit:
            self.close()
        self._entries[key] = f"{_text(key)}:{_text(value)}"
        self._bytes += len(self._entries[key])
        return self.number

    def close(self) -> None:
        """Write the piece that is open."""
        if self._entries:
            _write(self.folder, f"{self.name}/{self.number}", f"{{{','.join(self._entries.values())}}}")
            self.number += 1
        self._entries, self._bytes = {}, 0


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'ssr.receive("{name}",{text});\n')
