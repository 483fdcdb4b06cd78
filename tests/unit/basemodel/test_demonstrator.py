import random
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from ssr.agent.formats import ToolCall
from ssr.basemodel import actions
from ssr.basemodel.corpus import Source
from ssr.basemodel.demonstrate import Demonstrations
from ssr.basemodel.demonstrator import FUNCTIONS, RETRIES, injector_script, reverted
from ssr.basemodel.finetune import read_demonstrations
from ssr.config import Scale
from ssr.engine.chat import ChatCodec
from ssr.repository.snapshot import Snapshot
from ssr.sandbox.factory import open_backend

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def scale() -> Scale:
    """mini, with the pocket project's few tests and a tokenizer that knows little."""
    raw = yaml.safe_load((ROOT / "workflow" / "config" / "mini.yaml").read_text())
    raw["game"]["min_passing_tests"] = 1
    raw["agent"] |= {"context_tokens": 8192, "prompt_tokens": 4096, "observation_tokens": 4096}
    return Scale.model_validate(raw)


@pytest.fixture(scope="module")
def made(scale: Scale, snapshot: Snapshot, codec: ChatCodec) -> Iterator[Demonstrations]:
    demonstrations = Demonstrations(scale, snapshot, codec, open_backend(scale.sandbox))
    demonstrations.make(9, print)
    yield demonstrations


@pytest.mark.slow
def test_both_roles_pass_the_games_checks_and_verdicts(made: Demonstrations) -> None:
    assert {row["role"] for row in made.rows} == {"injector", "solver"}


@pytest.mark.slow
def test_only_what_was_said_is_learned(made: Demonstrations, codec: ChatCodec, tmp_path: Path) -> None:
    from ssr.basemodel.demonstrate import write_demonstrations

    write_demonstrations(tmp_path / "pocket.parquet", made.rows)
    documents = read_demonstrations(tmp_path)
    assert len(documents) == len(made.rows) == pq.read_metadata(tmp_path / "pocket.parquet").num_rows
    for document in documents:
        said = codec.decode(document.ids[document.said].tolist())
        assert "<tool: submit>" in said
        assert "turns," not in said


def test_a_change_in_the_log_is_taken_back_where_it_stands(pocket: Source) -> None:
    text = "def f(x):\n    y = x\n    return y + 1\n"
    diff = "@@ -1,3 +1,3 @@\n def f(x):\n     y = x\n-    return y\n+    return y + 1\n"
    assert reverted(text, diff, random.Random(0)) == (
        "def f(x):\n    y = x\n    return y + 1\n",
        "def f(x):\n    y = x\n    return y\n",
    )
    assert reverted(text.replace("+ 1", "+ 2"), diff, random.Random(0)) is None


def test_where_no_test_notices_the_injector_breaks_another_function(pocket: Source) -> None:
    script = injector_script(pocket, "direct", 3)
    turns = [next(script)]
    with suppress(StopIteration):
        while True:
            turns.append(script.send("25 passed in 0.10s"))
    calls = [call for call in map(actions.FORMAT.parse, turns) if isinstance(call, ToolCall)]
    restored = [place for place, call in enumerate(calls) if call.arguments.get("command") == actions.UNDO]
    assert len(restored) == FUNCTIONS - 1
    parts = [calls[start:end] for start, end in pairwise([0, *restored, len(calls)])]
    assert all(1 <= sum(call.name == "edit" for call in part) <= 1 + RETRIES for part in parts)
    assert len({next(call.arguments["search"] for call in part if call.name == "edit") for part in parts}) == FUNCTIONS
    assert all(call.name != "submit" for call in calls)
