"""The rules of self-play and what a generation holds."""

from typing import Literal

from pydantic import Field, model_validator

from ssr.config.filenames import PROTECTED_FILES, TEST_FILES, UNSEEDED_FILES
from ssr.config.section import Section
from ssr.contracts import Strategy


class GameConfig(Section):
    """The rules of self-play (section 2)."""

    min_passing_tests: int = Field(5, ge=0)
    """The original must pass more tests than this. # not given by the paper"""
    min_changed_files: int = Field(1, ge=1)
    """Files that bug_inject.diff must change. # not given by the paper"""
    min_failing_tests: int = Field(1, ge=1)
    """Tests that the bug must break. # not given by the paper"""
    removed_tests_escape: bool = True
    """Whether a failing test that test_weaken.diff deletes counts as weakened. # not given by the paper"""
    attempts: int = Field(8, ge=1)
    """Solver attempts on a bug (G)."""
    alpha: float = Field(0.8, ge=0, le=1)
    """Penalty of the injector for a bug that none or all attempts solve."""
    injection_reward: Literal["solve_rate", "consistency"] = "solve_rate"
    """The paper's reward, or its ablation."""
    second_order_share: float = Field(0.25, ge=0, le=1)
    """Share of the bugs with a failed attempt that are played again as second-order bugs. # not given by the paper"""
    repeats: int = Field(2, ge=1)
    """Runs of the original's and of the buggy state's tests, each but the first with another hash seed, time zone and
    temporary folder, and the files that the bug touches ending in another number of empty lines. Tests that do not
    keep their outcome are set aside (A.2). # not given by the paper"""
    reject_self_reading: bool = True
    """Whether bug_inject.diff may add no code that reads its own text, the clock, chance or the machine (A.2; see
    game/self_reading.py). # not given by the paper"""
    max_added_lines: int = Field(500, ge=1)
    """Lines that bug_inject.diff may add (A.2, obfuscation). # not given by the paper"""
    max_idle_lines: int = Field(40, ge=0)
    """Of those, lines in changes whose single reversal changes no test's outcome. # not given by the paper"""
    run_store: bool = True
    """Whether equal test runs are executed once and shared; changes no result, only the cost."""
    hidden_oracle_fraction: float = Field(0.0, ge=0, le=1)
    """Share of the hunks of the reversed test_weaken.diff that the solver is not shown; the verdict asks for all tests
    all the same (E.2). One hunk is always shown, so a weakening of one hunk hides nothing. # not given by the paper"""
    max_diff_kb: int = Field(256, ge=1)
    """Largest diff that is read. # not given by the paper"""
    test_timeout_s: float = Field(300, gt=0)
    """Wall time of one run of test_script.sh."""
    protected_files: tuple[str, ...] = PROTECTED_FILES
    """Names of tests and of what configures their run: bug_inject.diff may not touch them, and a verdict puts them back
    to the original. Shell patterns for one component of a path; with a leading `/`, for its first. # not given by the
    paper"""
    test_files: tuple[str, ...] = TEST_FILES
    """Names of oracle test files, by the same patterns: the file or a folder above it must have one, so that
    test_weaken.diff touches no code. # not given by the paper"""
    canary: bool = True
    """Whether a patch that solves must fail once an assertion of the oracle tests is falsified. # not given by the
    paper"""


class SelfplayConfig(Section):
    """What a generation holds."""

    data: Literal["selfplay", "issues", "bugs"] = "selfplay"
    """What the solver works on: own bugs, human-data issues (baseline), or the bugs of an earlier run."""
    bugs_of: str | None = None
    """Run whose valid, solvable, deduplicated bugs are the data (`data: bugs`)."""
    issues_of: str | None = None
    """Training set of `evaluation.sources` that is the data (`data: issues`); the made issues `human` without it."""
    generations: int = Field(150, ge=1)
    """Generations, each ending in a checkpoint."""
    lag: int = Field(0, ge=0, le=8)
    """Generations between the checkpoint that samples and the one that is trained."""
    shards: int = Field(1, ge=1)
    """Jobs that a generation's episodes are spread over."""
    injections: int = Field(64, ge=0)
    """Injector episodes a generation (`data: selfplay`). # the share is not given by the paper"""
    injector_group: int = Field(4, ge=1)
    """Injector episodes of one repository and strategy in a generation. # not given by the paper"""
    issues: int = Field(64, ge=0)
    """Tasks a generation when `data` is `issues` or `bugs`. # not given by the paper"""
    strategies: dict[Strategy, float] = Field({"removal": 1.0, "history": 1.0})
    """Weights of the injection strategies."""
    distinct: bool = False
    """Of a generation's valid bugs that are the same (`ssr.selfplay.duplicates`), only the first is attempted, and its
    solve rate is that of all: for few repositories, in which bugs come again. # not given by the paper"""
    seeding: Literal["none", "files", "snippets"] = "none"
    """What an injection task names as the place of its bug, drawn without replacement over a run from the code files of
    its repository: nothing, whole files, or stretches of lines (E.4)."""
    seeding_targets: int = Field(1, ge=1, le=16)
    """Files or snippets that a task names. # not given by the paper"""
    snippet_lines: int = Field(30, ge=5, le=1000)
    """Lines of a snippet. # not given by the paper"""
    unseeded_files: tuple[str, ...] = UNSEEDED_FILES
    """Names of what is no code to put a bug into, patterns as in `game.protected_files`. # not given by the paper"""
    untouched: list[str] = Field([])
    """Repositories that no injection and no drawn issue comes from, though benchmarks do. # not given by the paper"""
    max_gibberish: float = Field(0.5, ge=0, le=1)
    """Share of the sampled tokens in stretches that the model itself finds unlikely, above which a generation's batch
    stops the run (E.3); 1 never does. # not given by the paper"""
    max_repetition: float = Field(0.9, ge=0, le=1)
    """The same of sampled runs of 8 tokens that their episode sampled before. # not given by the paper"""
    train_roles: list[Literal["injector", "solver"]] = Field(["injector", "solver"])
    """Roles whose episodes enter the loss."""

    @model_validator(mode="after")
    def _bugs_need_a_run(self) -> "SelfplayConfig":
        if (self.data == "bugs") != (self.bugs_of is not None):
            raise ValueError("`bugs_of` names the earlier run if, and only if, `data` is `bugs`")
        if self.issues_of is not None and self.data != "issues":
            raise ValueError("`issues_of` names a training set where `data` is `issues`")
        return self
