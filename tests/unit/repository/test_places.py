"""The fixed split of functions into shares."""

from collections import Counter

from ssr.repository.places import Function, share_of


def named(name: str) -> Function:
    return Function("code.py", name, 1, 2, f"def {name}():\n    pass")


def test_every_share_has_its_part_of_the_functions() -> None:
    counts = Counter(share_of("pocket", named(f"function_{n}")) for n in range(5000))
    parts = {"builtin-verified": 24, "builtin-bugs": 6, "builtin-pro": 20, "builtin-tuning": 8, "training": 42}
    assert counts.keys() == parts.keys()
    assert all(abs(count / 50 - parts[name]) < 2 for name, count in counts.items())


def test_a_functions_share_is_fixed_by_repository_and_name_alone() -> None:
    moved = Function("other.py", "pop", 40, 60, "def pop(self):\n    return 1")
    assert share_of("pocket", moved) == share_of("pocket", named("pop"))
    assert len({share_of(f"repository-{n}", named("pop")) for n in range(50)}) > 2
