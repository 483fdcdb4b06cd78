"""Errors that docs/troubleshooting.md explains are errors that the code says."""

import re

from docs_pages import ROOT


def test_each_message_is_in_the_code() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    code += (ROOT / "envs" / "shell").read_text()
    joined = re.sub(r'"\s*\n\s*f?"', "", code)
    rows = re.findall(r"^\| (`.*?) \| ", (ROOT / "docs" / "troubleshooting.md").read_text(), re.MULTILINE)
    assert len(rows) > 25
    said = [message for row in rows for message in re.findall(r"`([^`]+)`", row)]
    assert [message for message in said if message not in joined] == []
