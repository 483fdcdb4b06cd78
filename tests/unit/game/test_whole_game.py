"""The game from artifact to second-order verdict on cachetools, with its own unittest suite."""

from contextlib import closing

import pytest
from game_bench import Bench

from ssr.config import GameConfig
from ssr.contracts import SandboxBackend
from ssr.game.artifact import BugArtifact
from ssr.game.codebase import open_codebase, second_order
from ssr.game.consistency import check
from ssr.game.instance import Instance, instance_of
from ssr.game.reward import injection_reward, solver_reward
from ssr.game.verdict import judge
from ssr.repository.snapshot import Snapshot

SCRIPT = "python -m unittest -v tests.test_keys tests.test_func\n"
PARSER = r"""import json, re, sys

found = re.findall(r"^test\w* \((\S+)\).*? \.\.\. (ok|FAIL|ERROR)$", sys.stdin.read(), re.MULTILINE)
print(json.dumps({test: "passed" if word == "ok" else "failed" for test, word in found}))
"""
KEYS, FUNC, TEST_KEYS = "src/cachetools/keys.py", "src/cachetools/func.py", "tests/test_keys.py"
BUGS = (
    (KEYS, "    return key + tuple(map(type, args))\n\n\ndef typedmethodkey", "    return key\n\n\ndef typedmethodkey"),
    (FUNC, "return _cache(FIFOCache(maxsize), maxsize, typed)", "return _cache(FIFOCache(maxsize), 128, typed)"),
)
TYPED_CHECK = "        self.assertNotEqual(key(1, 2, 3), key(1.0, 2.0, 3.0))\n"
FIFO_TESTS = ("tests/test_func.py", "cachetools.func.fifo_cache)", "cachetools.func.lru_cache)")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def real(backend: SandboxBackend, real_snapshot: Snapshot) -> Bench:
    return Bench(backend, real_snapshot, GameConfig(min_changed_files=2, test_timeout_s=120))


@pytest.fixture(scope="module")
def artifact(real: Bench) -> BugArtifact:
    empty = BugArtifact(SCRIPT, "tests/test_func.py\ntests/test_keys.py\n", PARSER, "", "")
    return real.with_diffs(empty, BUGS, [(TEST_KEYS, TYPED_CHECK, "")])


@pytest.fixture(scope="module")
def bug(real: Bench, artifact: BugArtifact) -> Instance:
    report = check(artifact, real.backend, real.snapshot, real.rules)
    assert report.valid, report
    return instance_of(artifact, report, real.snapshot, "removal", "cachetools-1", "")


def test_instance(bug: Instance) -> None:
    assert bug.version == "8.0.0"
    assert "tests.test_keys.CacheKeysTest.test_typedkey" in bug.FAIL_TO_PASS
    assert "tests.test_func.FIFODecoratorTest.test_decorator" in bug.FAIL_TO_PASS
    assert "tests.test_func.LRUDecoratorTest.test_decorator" in bug.PASS_TO_PASS


def test_played_to_the_second_order(real: Bench, bug: Instance) -> None:
    first, second = (
        real.diff((path, new, old), on=[bug.bug_inject_diff, bug.test_weaken_diff]) for path, old, new in BUGS
    )
    half = judge(real.backend, real.snapshot, bug, first)
    assert (half.solved, half.applied) == (False, True)
    assert judge(real.backend, real.snapshot, bug, bug.patch).solved
    assert [solver_reward(half.solved), injection_reward(True, 1, 2, real.rules)] == [-1, pytest.approx(0.1)]

    harder = second_order(real.backend, real.snapshot, bug, first, "cachetools-1-2")
    with closing(open_codebase(real.backend, real.snapshot, harder)) as sandbox:
        count = sandbox.run("git rev-list --all | wc -l; git count-objects -v | grep in-pack", timeout_s=60).output
        assert count == "1\nin-pack: 0\n"
    assert judge(real.backend, real.snapshot, harder, second).solved
    assert judge(real.backend, real.snapshot, harder, harder.patch).solved


def test_original_of_an_earlier_release(real: Bench, artifact: BugArtifact) -> None:
    release = next(release for release in real.snapshot.releases if release.version == "7.3.2")
    func_only = real.with_diffs(artifact, BUGS[1:], [FIFO_TESTS])
    rules = real.rules.model_copy(update={"min_changed_files": 1})
    report = check(func_only, real.backend, real.snapshot, rules, commit=release.commit)
    assert report.valid, report
    earlier = instance_of(func_only, report, real.snapshot, "issue", "x", "", commit=release.commit)
    assert (earlier.base_commit, earlier.version) == (release.commit, "7.3.2")
    assert judge(real.backend, real.snapshot, earlier, earlier.patch).solved
    with closing(open_codebase(real.backend, real.snapshot, earlier)) as sandbox:
        assert "7.3.2" in sandbox.run("grep __version__ src/cachetools/__init__.py", timeout_s=60).output
