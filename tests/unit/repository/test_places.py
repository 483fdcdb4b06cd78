"""The fixed split of functions into shares, and of their mutations between benchmarks and drills."""

from collections import Counter

from ssr.repository.places import Function, share_of, side_of


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


def test_a_mutation_is_open_to_drills_or_the_benchmarks_own() -> None:
    for name in (f"function_{n}" for n in range(40)):
        function = named(name)
        sides = Counter(side_of("pocket", function, "    value = 1", f"    value = {n}") for n in range(200))
        share = share_of("pocket", function)
        if share in ("training", "builtin-pro"):
            assert sides == {"open" if share == "training" else "benchmark": 200}
        else:
            assert sides.keys() == {"open", "benchmark"} and abs(sides["open"] - 100) < 40


def test_a_mutations_side_does_not_depend_on_where_it_stands() -> None:
    function = next(f for f in map(named, map(str, range(100))) if share_of("pocket", f) == "builtin-verified")
    for n in range(20):
        deep = side_of("pocket", function, "        a = 1\n        b = 2", f"        a = {n}")
        assert side_of("pocket", function, "a = 1\nb = 2", f"a = {n}") == deep
