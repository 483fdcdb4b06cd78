import json
from pathlib import Path

import pytest

from ssr.bench.rollout import ENGINES, InstantSandbox, measure, speed_of
from ssr.config import load_scale
from ssr.errors import ConfigError

MINI = Path("workflow/config/mini.yaml")


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[3])


def test_the_bare_engine_does_the_loop_s_work(tmp_path: Path) -> None:
    out = tmp_path / "figures" / "rollout.json"
    measure(MINI, ["transformers", "plain"], [1, 3], turns=2, rounds=1, out=out)
    figures = json.loads(out.read_text())
    assert figures["scale"] == "mini" and set(figures["rollout"]) == {"transformers", "plain"}
    plain = figures["rollout"]["plain"]
    assert (plain["1"]["turns"], plain["3"]["turns"]) == (2, 6) and plain["3"]["loop_tokens_per_s"] > 0
    one, three = (figures["rollout"]["transformers"][key] for key in ("1", "3"))
    assert (one["episodes"], one["turns"]) == (1, 2) and (three["episodes"], three["turns"]) == (3, 6)
    assert three["tokens"] > one["tokens"] > 0 and three["prompt_tokens"] > three["tokens"]
    assert three["ratio"] == pytest.approx(three["loop_tokens_per_s"] / three["bare_tokens_per_s"])


def test_two_measurements_are_of_the_same_episodes() -> None:
    scale = load_scale(MINI)
    first, second = (speed_of(scale, "transformers", 2, 1, 1) for _ in range(2))
    assert (first.tokens, first.prompt_tokens) == (second.tokens, second.prompt_tokens)


def test_what_does_not_decode_here_is_refused() -> None:
    with pytest.raises(ConfigError, match="openai: what can be measured is transformers, plain, vllm"):
        measure(MINI, [*ENGINES, "openai"], [1], 1, 1, None)


def test_an_instant_sandbox_keeps_files_apart_from_its_fork() -> None:
    sandbox = InstantSandbox()
    sandbox.write_file("a.py", b"x")
    fork = sandbox.fork()
    fork.write_file("a.py", b"y")
    assert (sandbox.read_file("a.py"), fork.read_file("a.py")) == (b"x", b"y")
    with pytest.raises(FileNotFoundError):
        sandbox.read_file("b.py")
    assert sandbox.shell().run("pytest", 1).exit_code == 0
