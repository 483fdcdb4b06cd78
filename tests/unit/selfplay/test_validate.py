"""The rows of checks.parquet: which check failed and why, tests set aside, and runs that artifacts share."""

from dataclasses import replace
from pathlib import Path

import pytest

from pocket_project import BUG, WEAKENING
from ssr.basemodel.actions import TEST_PARSER, TEST_SCRIPT
from ssr.config import GameConfig, Scale
from ssr.game.artifact import BugArtifact
from ssr.game.store import open_store
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.factory import open_backend
from ssr.selfplay.artifacts import Submitted
from ssr.selfplay.files import read_rows, write_rows
from ssr.selfplay.held_out import HeldOut
from ssr.selfplay.validate import CHECKS, validate

SCRIPT = f"{TEST_SCRIPT} tests/test_numbers.py\n"
FLAKY = '[ "$TZ" = UTC ] && echo PASSED flaky || echo FAILED flaky\n'
SOUND = BugArtifact(SCRIPT, "tests/test_numbers.py\n", TEST_PARSER, BUG, WEAKENING)


@pytest.mark.slow
def test_rows_and_counts_by_reason(snapshot: Snapshot, tmp_path: Path) -> None:
    flaky = replace(SOUND, test_script=SCRIPT + FLAKY)
    keyed = replace(SOUND, bug_inject_diff=BUG.replace("number < 1", "hash(number) < 1"))
    long = replace(
        SOUND,
        bug_inject_diff=BUG.replace("+    if number < 1:", "+    \n+    if number < 1:").replace("23,5 @", "23,6 @"),
    )
    place = {"run": "ssr", "seed": 0, "generation": 1, "repo": "pocket", "strategy": "direct"}
    items = [
        Submitted(place | {"episode_id": name}, artifact)
        for name, artifact in {"sound": SOUND, "flaky": flaky, "keyed": keyed, "long": long}.items()
    ]
    scale = Scale.model_validate(
        {"name": "tiny", "repositories": "x", "model": {"base": "x"}, "runs": {"ssr": {}}}
        | {"game": GameConfig(max_added_lines=1).model_dump()}
    )
    with open_backend(scale.sandbox) as backend:
        store = open_store(scale.game, scale.sandbox)
        rows, instances = validate(items, backend, {"pocket": snapshot}, scale, HeldOut(()), store=store)
    write_rows(tmp_path / "checks.parquet", rows, CHECKS)
    assert rows == read_rows([tmp_path / "checks.parquet"])
    assert [(row["check"], row["reason"].split(":")[0], row["set_aside"]) for row in rows] == [
        ("", "", 0),
        ("", "", 1),
        ("self_reading", "hashes", 0),
        ("needless_change", "too_many_lines", 0),
    ]
    assert [instance.instance_id for instance in instances] == ["sound", "flaky"]
    assert "flaky" not in {*instances[1].FAIL_TO_PASS, *instances[1].PASS_TO_PASS}
    assert store is not None
    assert store.saved == 2  # the original, under the script of the first, is run once for three of them
