"""Names of tests and of what configures their run, for common languages: defaults of rules of the game.

Shell patterns for one component of a path; with a leading `/`, for its first (see ssr.game.protected).
"""

PROTECTED_FILES = (
    # tests
    "tests", "__tests__", "/test", "/spec", "test_*.py", "*_test.py", "*_test.go", "*.test.*", "*.spec.*",
    # what configures a run of tests, or runs before it: Python
    "conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "setup.cfg", "pyproject.toml",
    ".coveragerc", "noxfile.py", "sitecustomize*", "usercustomize*", "*.pth", "*.egg-info", "*.dist-info",
    # JavaScript
    "package.json", "node_modules", ".npmrc", ".mocharc*", "jest.config.*", "vitest.config.*", "vite.config.*",
    "karma.conf.*", ".babelrc*", "babel.config.*", ".nycrc*",
    # elsewhere
    "phpunit.xml*", ".rspec", "nextest.toml", "/.cargo",
    # local modules that would stand before the runner's own
    "/pytest", "/pytest.*", "/_pytest", "/_pytest.*", "/pluggy", "/pluggy.*", "/iniconfig", "/iniconfig.*",
    "/unittest", "/unittest.*", "/doctest.py", "/nose*", "/coverage", "/coverage.*",
    # git's own, which changes what a checkout holds
    ".gitattributes", ".gitmodules",
)  # fmt: skip
"""Files that no role may bring a version of its own of: tests, and what runs before or around them. Build files are
not among them, since a repair may need them."""
TEST_FILES = (
    "test", "tests", "testing", "t", "spec", "specs", "__tests__", "test.*", "tests.*", "test_*", "test-*", "*_test.*",
    "*_tests.*", "*-test.*", "*.test.*", "*.spec.*", "*_spec.*", "*Test.*", "*Tests.*", "*Spec.*", "conftest.py",
)  # fmt: skip
"""What an oracle test file, or a folder above it, is called."""
UNSEEDED_FILES = (
    *PROTECTED_FILES, *TEST_FILES,
    # texts and data
    "*.md", "*.markdown", "*.rst", "*.txt", "*.adoc", "*.html", "*.css", "*.svg", "*.csv", "*.tsv", "*.json", "*.xml",
    "*.yml", "*.yaml", "*.toml", "*.ini", "*.cfg", "*.lock", "*.in", "*.mod", "*.sum", "*.po",
    "LICEN[CS]E*", "COPYING*", "README*", "CHANGE*", "HISTORY*", "NEWS*", "AUTHORS*", "CONTRIBUTORS*", "docs", "doc",
    "examples", "example",
    # what builds the project, or was built from it
    ".*", "Makefile", "Dockerfile*", "CMakeLists.txt", "build", "dist", "out", "target", "vendor", "third_party",
    "coverage", "*.min.*", "setup.py", "versioneer.py", "_version.py", "bench", "benchmark", "benchmarks",
    # what is only read
    "*.pyi",
)  # fmt: skip
"""What is no code that a bug could be put into (`selfplay.unseeded_files`)."""
