"""The built-in benchmarks, the tuning set, held-out bugs, and the baseline's issues: tasks out of real repositories."""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import repeat, zip_longest
from math import ceil
from random import Random
from typing import Literal

from ssr.agent.prompts import specification
from ssr.config import AgentConfig, EvaluationConfig
from ssr.contracts import SandboxBackend
from ssr.errors import EvaluationError
from ssr.evaluation.screening import Outcome
from ssr.evaluation.upstream import Change, testable_changes, upstream_task
from ssr.evaluation.workshop import Bug, Workshop
from ssr.game.instance import Instance
from ssr.repository.mutations import Mutation, mutations_of
from ssr.repository.places import Function, Share, share_of
from ssr.repository.snapshot import Snapshot
from ssr.seeds import seed_of

Benchmark = Literal["builtin-verified", "builtin-pro", "builtin-tuning", "builtin-bugs", "human"]
SHARES: dict[Benchmark, Share] = {
    "builtin-verified": "builtin-verified",
    "builtin-pro": "builtin-pro",
    "builtin-tuning": "builtin-tuning",
    "builtin-bugs": "builtin-bugs",
    "human": "training",
}
BATCH = 8
"""Candidates that one sandbox screens."""
WORKERS = 2
HUMAN_RELEASES = 3
"""Older releases of a repository that human-data issues come from."""
FEWEST_TESTS = 5
MAX_SPECIFICATION_LINES = 40
"""Of a held-out bug: it stands in the prompt."""
SELDOM_NOTICED = "swap_statements"
"""A kind of mutation that mostly changes nothing."""


def make_benchmark(
    name: Benchmark,
    snapshots: Sequence[Snapshot],
    backend: SandboxBackend,
    config: EvaluationConfig,
    finished: Callable[[], object] = lambda: None,
) -> list[Instance]:
    """The tasks of one benchmark, balanced over the repositories, in a fixed order; the same on every machine.

    `builtin-tuning` is made like `builtin-verified`, for choosing the keys of a scale; so is `builtin-bugs`, which is
    told as self-play tells bugs (`with_specification`). `human` shares neither a place (`share_of`) nor a release with
    the others: those take the head and every release that can hold an upstream change. Raises EvaluationError when the
    repositories give fewer tasks than asked for.
    """
    total = tasks_asked_for(name, config)
    with ThreadPoolExecutor(WORKERS) as pool:
        lines = [_line(name, snapshot, backend, config, finished) for snapshot in snapshots]
        made = _balanced(lines, total, pool)
        if len(made) < total:
            raise EvaluationError(
                f"{name}: {total} tasks are asked for and the repositories give {len(made)}; "
                "lower the number in the scale's `evaluation`, or name more repositories"
            )
        return made + (_upstream(snapshots, backend, config, pool) if name == "builtin-pro" else [])


def tasks_asked_for(name: Benchmark, config: EvaluationConfig) -> int:
    """Tasks of a benchmark that are made; the upstream changes of `builtin-pro` come on top."""
    return {
        "builtin-verified": config.verified_tasks,
        "builtin-pro": config.pro_tasks,
        "builtin-tuning": config.tuning_tasks,
        "builtin-bugs": config.bugs_tasks,
        "human": config.human_tasks,
    }[name]


def with_specification(instance: Instance, agent: AgentConfig) -> Instance:
    """A task told as self-play tells its bugs: the issue template around the reversed weakening, and no word more."""
    return instance.model_copy(update={"problem_statement": specification(agent, instance.test_patch)})


class Line:
    """One repository's tasks for one benchmark, made a batch at a time."""

    def __init__(
        self,
        name: Benchmark,
        workshops: Sequence[Workshop],
        avoid: Collection[str],
        finished: Callable[[], object] = lambda: None,
    ) -> None:
        self.name, self.workshops, self.finished = name, workshops, finished
        self.made: list[Instance] = []
        self.exhausted = False
        self._latest: dict[str, Bug] = {}
        self._left: list[tuple[Workshop, list[list[Bug]]]] = []
        self._batches = self._grouped(avoid)

    def advance(self, wanted: int) -> None:
        """Screen one more batch of candidates; those that hold join `made` until it has the wanted number.

        What a batch holds beyond that comes again when no other batch is left.
        """
        planned = next(self._batches, None)
        if planned is None:
            self.exhausted = True
            return
        workshop, groups = planned
        room = wanted - len(self.made)
        if groups[room:]:
            self._left.append((workshop, groups[room:]))
        for group, outcome in zip(groups[:room], workshop.together(groups[:room]), strict=True):
            if outcome is not None:
                self._make(workshop, group, outcome)

    def _grouped(self, avoid: Collection[str]) -> Iterator[tuple[Workshop, list[list[Bug]]]]:
        for workshop, candidates in self._plan(avoid):
            if len(workshop.original.passed) >= FEWEST_TESTS:
                yield workshop, self._groups(workshop, workshop.bugs(candidates))
        yield from self._left

    def _plan(self, avoid: Collection[str]) -> Iterator[tuple[Workshop, list[tuple[Function, Mutation]]]]:
        queues = [_batches(_candidates(self.name, workshop, avoid)) for workshop in self.workshops]
        for turn in zip_longest(*queues):
            yield from ((w, batch) for w, batch in zip(self.workshops, turn, strict=True) if batch)

    def _groups(self, workshop: Workshop, bugs: Sequence[Bug]) -> list[list[Bug]]:
        """Bugs that make one task together: two for `builtin-pro`, one or two for `human`, one for all others."""
        groups = []
        for index, bug in enumerate(bugs):
            before = self._latest.get(workshop.commit)
            self._latest[workshop.commit] = bug
            if self.name not in ("builtin-pro", "human") or (self.name == "human" and index % 3 == 0):
                groups.append([bug])
            elif before is not None and before.function.name != bug.function.name:
                groups.append([before, bug])
        return groups

    def _make(self, workshop: Workshop, bugs: list[Bug], outcome: Outcome) -> None:
        if not outcome.finished or not all(bug.outcome.failed & outcome.failed for bug in bugs):
            return
        identity = f"{workshop.snapshot.name}__{self.name.removeprefix('builtin-')}-{len(self.made) + 1:03d}"
        instance = workshop.instance(bugs, outcome, identity, self.name)
        if instance is None or (self.name == "builtin-bugs" and _lines(instance) > MAX_SPECIFICATION_LINES):
            return
        if workshop.holds(instance):
            self.made.append(instance)
            self.finished()


def _lines(instance: Instance) -> int:
    return instance.test_patch.count("\n")


def _line(
    name: Benchmark,
    snapshot: Snapshot,
    backend: SandboxBackend,
    config: EvaluationConfig,
    finished: Callable[[], object],
) -> Line:
    timeout = config.test_timeout_s
    if name != "human":
        return Line(name, [Workshop(backend, snapshot, snapshot.head, timeout)], (), finished)
    changes = testable_changes(snapshot)
    used = {change.release.commit for change in changes} | {snapshot.head}
    free = [release.commit for release in snapshot.releases if release.commit not in used]
    avoid = {place for change in changes for place in change.places}
    return Line(
        name, [Workshop(backend, snapshot, commit, timeout) for commit in free[-HUMAN_RELEASES:]], avoid, finished
    )


def _candidates(name: Benchmark, workshop: Workshop, avoid: Collection[str]) -> Iterator[tuple[Function, Mutation]]:
    """A mutation of each function of the benchmark's share, then a second one of each, and so on."""
    repository = workshop.snapshot.name
    random = Random(seed_of("benchmark", name, repository, workshop.commit))
    places = [f for f in workshop.sources.functions if share_of(repository, f) == SHARES[name] and f.name not in avoid]
    random.shuffle(places)
    queues = [_shuffled(_fitting(name, workshop.sources.files[f.path], f), random) for f in places]
    for turn in zip_longest(*queues):
        yield from ((f, mutation) for f, mutation in zip(places, turn, strict=True) if mutation is not None)


def _fitting(name: Benchmark, source: str, function: Function) -> list[Mutation]:
    """Mutations that tasks of a benchmark are made of: `builtin-pro` takes what nobody can tell from the code, too."""
    mutations = mutations_of(source, function)
    if name == "builtin-pro":
        return [mutation for mutation in mutations if mutation.kind != SELDOM_NOTICED]
    return [mutation for mutation in mutations if mutation.recoverable]


def _shuffled(mutations: list[Mutation], random: Random) -> list[Mutation]:
    """A fixed shuffle in which every kind comes once before any comes twice."""
    random.shuffle(mutations)
    seen: dict[str, int] = {}
    ranked = []
    for position, mutation in enumerate(mutations):
        seen[mutation.kind] = seen.get(mutation.kind, 0) + 1
        ranked.append((seen[mutation.kind], position, mutation))
    return [mutation for *_, mutation in sorted(ranked, key=lambda entry: entry[:2])]


def _batches(candidates: Iterator[tuple[Function, Mutation]]) -> Iterator[list[tuple[Function, Mutation]]]:
    batch = []
    for candidate in candidates:
        batch.append(candidate)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _balanced(lines: Sequence[Line], total: int, pool: Executor) -> list[Instance]:
    """Advance the lines that have least, side by side, until each has its part; then take from each in turn.

    What an exhausted line lacks falls to the others.
    """
    while open_lines := [line for line in lines if not line.exhausted]:
        part = ceil((total - sum(len(line.made) for line in lines if line.exhausted)) / len(open_lines))
        short = sorted((line for line in open_lines if len(line.made) < part), key=lambda line: len(line.made))
        if not short:
            break
        list(pool.map(Line.advance, short[:WORKERS], repeat(part)))
    turns = zip_longest(*(line.made for line in lines))
    return [instance for turn in turns for instance in turn if instance is not None][:total]


def _upstream(
    snapshots: Sequence[Snapshot], backend: SandboxBackend, config: EvaluationConfig, pool: Executor
) -> list[Instance]:
    def task(change: tuple[Snapshot, Change]) -> Instance | None:
        snapshot, it = change
        return upstream_task(Workshop(backend, snapshot, it.release.commit, config.test_timeout_s), it)

    changes = [(snapshot, change) for snapshot in snapshots for change in testable_changes(snapshot)]
    return [instance for instance in pool.map(task, changes) if instance is not None]
