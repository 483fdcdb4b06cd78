"""A tiny project with a history of three commits, written by the `snapshot` fixture: 3 modules, 25 tests.

No loop of it becomes endless by a small change: a mutation that does costs the time limit of every run of its tests.
"""

from pathlib import Path

from ssr.repository.git import commit_folder, init

INIT = '"""Small helpers."""\n'

NUMBERS_1 = '''"""Numbers."""


def clamp(value, low, high):
    """Nearest value between low and high."""
    if low > high:
        raise ValueError("low is above high")
    return max(low, min(value, high))


def mean(values):
    """Arithmetic mean."""
    return sum(values) / len(values)


def digits(number):
    """Decimal digits, most significant first."""
    return [int(digit) for digit in str(abs(number))]


def is_prime(number):
    """Whether a number has exactly two divisors."""
    if number < 2:
        return False
    for divisor in range(2, number):
        if number % divisor == 0:
            return False
    return True
'''

NUMBERS_2 = NUMBERS_1.replace(
    '''    """Arithmetic mean."""
''',
    '''    """Arithmetic mean; 0 of nothing."""
    if not values:
        return 0
''',
)

TEXT_1 = '''"""Text."""


def slug(text):
    """Lower-case words joined by dashes."""
    words = "".join(char if char.isalnum() else " " for char in text).split()
    return "-".join(word.lower() for word in words)


def initials(name):
    """First letters of a name's words."""
    return "".join(word[0].upper() for word in name.split())


def count_words(text):
    """How often each word occurs."""
    counts = {}
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
    return counts
'''

TEXT_2 = (
    TEXT_1
    + '''

def shorten(text, width, mark="..."):
    """Cut a text to a width; a mark shows that it was cut."""
    if len(text) <= width:
        return text
    return text[: width - len(mark)] + mark
'''
)

STORE = '''"""A store of counted things."""

from pocket.numbers import clamp


class Store:
    """Counts by name, each between 0 and a limit."""

    def __init__(self, limit=100):
        self.limit = limit
        self._counts = {}

    def add(self, name, count=1):
        """Put things in; returns how many there are."""
        self._counts[name] = clamp(self.get(name) + count, 0, self.limit)
        return self._counts[name]

    def take(self, name, count=1):
        """Take things out; KeyError if there are too few."""
        if self.get(name) < count:
            raise KeyError(name)
        self._counts[name] -= count
        return self._counts[name]

    def get(self, name):
        """How many there are."""
        return self._counts.get(name, 0)

    def total(self):
        """How many there are of everything."""
        return sum(self._counts.values())

    def most(self):
        """The name with the highest count; the first by alphabet among equals."""
        return min(self._counts, key=lambda name: (-self._counts[name], name), default=None)
'''

TEST_NUMBERS_1 = """import pytest

from pocket.numbers import clamp, digits, is_prime, mean


def test_clamp_inside():
    assert clamp(3, 1, 5) == 3


def test_clamp_below():
    assert clamp(-3, 1, 5) == 1


def test_clamp_above():
    assert clamp(9, 1, 5) == 5


def test_clamp_refuses_crossed_limits():
    with pytest.raises(ValueError):
        clamp(1, 5, 1)


def test_mean():
    assert mean([1, 2, 6]) == 3


def test_digits():
    assert digits(-402) == [4, 0, 2]


@pytest.mark.parametrize("number", [2, 3, 13, 97])
def test_prime(number):
    assert is_prime(number)


@pytest.mark.parametrize("number", [0, 1, 9, 91])
def test_not_prime(number):
    assert not is_prime(number)
"""

TEST_NUMBERS_2 = (
    TEST_NUMBERS_1
    + """

def test_mean_of_nothing():
    assert mean([]) == 0
"""
)

TEST_TEXT_1 = """from pocket.text import count_words, initials, slug


def test_slug():
    assert slug("Hello, big World!") == "hello-big-world"


def test_initials():
    assert initials("grace brewster hopper") == "GBH"


def test_count_words():
    assert count_words("a b a") == {"a": 2, "b": 1}
"""

TEST_TEXT_2 = (
    TEST_TEXT_1.replace("initials, slug", "initials, shorten, slug")
    + """

def test_shorten():
    assert shorten("a long sentence", 9) == "a long..."


def test_shorten_leaves_short_text():
    assert shorten("short", 5) == "short"
"""
)

TEST_STORE = """import pytest

from pocket.store import Store


def test_add_counts():
    store = Store()
    store.add("nail", 3)
    assert store.add("nail") == 4


def test_limit():
    assert Store(limit=5).add("nail", 9) == 5


def test_take():
    store = Store()
    store.add("nail", 3)
    assert store.take("nail", 2) == 1


def test_take_too_many():
    with pytest.raises(KeyError):
        Store().take("nail")


def test_total_and_most():
    store = Store()
    for name, count in (("nail", 3), ("bolt", 5), ("axle", 5)):
        store.add(name, count)
    assert (store.total(), store.most()) == (13, "axle")
"""

COMMITS: tuple[tuple[str, dict[str, str]], ...] = (
    (
        "Numbers and text",
        {
            "pocket/__init__.py": INIT,
            "pocket/numbers.py": NUMBERS_1,
            "pocket/text.py": TEXT_1,
            "tests/test_numbers.py": TEST_NUMBERS_1,
            "tests/test_text.py": TEST_TEXT_1,
        },
    ),
    (
        "Mean of nothing; shorten",
        {
            "pocket/numbers.py": NUMBERS_2,
            "pocket/text.py": TEXT_2,
            "tests/test_numbers.py": TEST_NUMBERS_2,
            "tests/test_text.py": TEST_TEXT_2,
        },
    ),
    ("A store", {"pocket/store.py": STORE, "tests/test_store.py": TEST_STORE}),
)
BUG = """diff --git a/pocket/numbers.py b/pocket/numbers.py
--- a/pocket/numbers.py
+++ b/pocket/numbers.py
@@ -23,5 +23,5 @@ def is_prime(number):
     \"\"\"Whether a number has exactly two divisors.\"\"\"
-    if number < 2:
+    if number < 1:
         return False
     for divisor in range(2, number):
         if number % divisor == 0:
"""
"""A bug that the tests of primes notice."""
WEAKENING = """diff --git a/tests/test_numbers.py b/tests/test_numbers.py
--- a/tests/test_numbers.py
+++ b/tests/test_numbers.py
@@ -35,3 +35,3 @@ def test_prime(number):
-@pytest.mark.parametrize("number", [0, 1, 9, 91])
+@pytest.mark.parametrize("number", [0, 9, 91])
 def test_not_prime(number):
     assert not is_prime(number)
"""
"""What hides it."""


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write texts below a folder, making parents."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def write_repository(folder: Path) -> list[str]:
    """Make a bare git repository of the project; returns its commits, oldest first."""
    init(folder / "pocket.git", bare=True)
    commits = []
    for ordinal, (message, files) in enumerate(COMMITS):
        write_files(folder / "files", files)
        commits.append(commit_folder(folder / "pocket.git", folder / "files", message, ordinal))
    return commits
