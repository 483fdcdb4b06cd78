"""`ssr` as a person types it, in this process: an interpreter that starts and imports costs a second of each test."""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from ssr.cli import main

ROOT = Path(__file__).parent.parent


def ssr(
    *words: str | Path, folder: Path = ROOT, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """What a command printed and its exit code, as of a process of its own in `folder`, with more `variables`."""
    typed = ["ssr", *map(str, words)]
    out, err = StringIO(), StringIO()
    code: object = 0
    with (
        chdir(folder),
        patch.dict(os.environ, variables or {}),
        patch.object(sys, "argv", typed),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    assert isinstance(code, int), f"{typed} ended with {code!r}"
    return subprocess.CompletedProcess(typed, code, out.getvalue(), err.getvalue())
