"""Values found out before, kept beside Python's byte code, as it is: by what they were found out of, or not at all."""

import hashlib
import json
import os
import sys
from collections.abc import Callable
from importlib.util import cache_from_source
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar

Value = TypeVar("Value")
MOST = 2000
"""Values that are kept; with more, those that were not asked for are forgotten."""


class Remembered:
    """Values that follow from bytes and from the text of one module, under the same version of Python."""

    def __init__(self, module: str) -> None:
        """Of the module whose file is `module`; its other text makes all values anew."""
        self.path = Path(cache_from_source(module)).with_suffix(".json")
        self._about = f"{sys.version} {Path(module).read_text()}".encode()
        self._before = self._read()
        self._asked: dict[str, Any] = {}

    def value(self, find_out: Callable[[], Value], *texts: bytes) -> Value:
        """What `find_out` gives, which JSON must be able to hold; called only for texts that are new."""
        digest = hashlib.sha256()
        for text in (self._about, *texts):
            digest.update(hashlib.sha256(text).digest())
        key = digest.hexdigest()
        if key not in self._asked:
            self._asked[key] = self._before[key] if key in self._before else find_out()
        value: Value = self._asked[key]
        return value

    def keep(self) -> None:
        """Write what is new, if it can be written there; another process sees the whole of it or none."""
        values = self._before | self._asked
        if len(values) == len(self._before) or not os.access(self.path.parent, os.W_OK):
            return
        self._before = values if len(values) <= MOST else dict(self._asked)
        with NamedTemporaryFile("w", dir=self.path.parent, prefix=f".{self.path.name}.", delete=False) as file:
            json.dump(self._before, file)
        os.chmod(file.name, 0o644)
        os.replace(file.name, self.path)

    def _read(self) -> dict[str, Any]:
        """What was kept; nothing where there is no file yet, or one that is another's or was cut short."""
        try:
            return dict(json.loads(self.path.read_text()))
        except (OSError, ValueError):
            return {}
