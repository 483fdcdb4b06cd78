# What the rules know of the scale: its runs, its paths, and which of its keys each stage depends on.
import functools
import inspect
import json
import os

from glob import glob
from pathlib import Path

from snakemake.common import overwrite_function_params
from snakemake.exceptions import WorkflowError
from ssr.agent.prompts import prompt_digest
from ssr.code import code_digest, lock_digest
from ssr.config import load_scale
from ssr.config.overrides import changed_keys, effective_scale
from ssr.plan import jobs
from ssr.repository.listing import load_repositories
from ssr.repository.snapshot import file_digest

if len(workflow.configfiles) != 1:
    raise WorkflowError("name one scale: --configfile takes exactly one file under workflow/config/")

# The words that --config may say beside keys of the scale: which benchmark, and whose checkpoints, the target `evaluate`
# scores; and `results=released`, to draw figures and tables of the released results.
CHOSEN = {key: config.pop(key) for key in ("benchmark", "run", "results") if key in config}

GIVEN_FILE = Path(os.path.relpath(workflow.configfiles[0]))
SCALE_FILE = effective_scale(GIVEN_FILE, changed_keys(config, GIVEN_FILE))
SCALE = load_scale(SCALE_FILE)
OWN = f"results/{SCALE.name}"

REPOSITORIES = load_repositories(SCALE.repositories)

REPOS = SCALE.include or list(REPOSITORIES)
# The built-in benchmarks, which no bug may share a line with.
HELD_OUT = [f"{OWN}/benchmarks/{name}.parquet" for name in SCALE.evaluation.benchmarks if name.startswith("builtin-")]
SEEDS = SCALE.seeds
FIGURES = ["figure8", "figure9a", "figure9b", "figure9c", "figure10", "roles", "health", "difficulty"]
TABLES = ["results", "repositories", "changes", "game", "sizes"]
FORMATS = ["pdf", "svg", "png"]

# Where figures are drawn, and of which scales.
RELEASED = "results/released"
RESULTS = {None: "results", "released": RELEASED}.get(CHOSEN.get("results"))
if RESULTS is None:
    raise WorkflowError("--config results takes one word: released")
DRAWN = [SCALE.name]
if RESULTS == RELEASED:
    DRAWN = sorted({Path(file).parts[2] for file in glob(f"{RELEASED}/*/summary/base/s*/scale.json")})
    if not DRAWN:
        raise WorkflowError(f"{RELEASED} holds no summaries of runs yet: add them with `ssr release`")


pathvars:
    scale=SCALE.name,


wildcard_constraints:
    results=RESULTS,
    scale="|".join(sorted({SCALE.name, *DRAWN})),
    run="|".join([*SCALE.runs, "base"]),
    seed=r"\d+",
    generation=r"\d{3}",
    shard=r"\d+",
    benchmark="[a-z0-9-]+",
    repo="[A-Za-z0-9_.-]+",


def quick(function):
    """Tell snakemake a function's parameters, which it would find out anew for each of thousands of jobs."""
    overwrite_function_params(function, inspect.signature(function).parameters)
    return function


@quick
def scale_file(wildcards, input):
    """The scale's file. A function of the input, as its name must rerun nothing: what a stage depends on is in `settings`."""
    return SCALE_FILE


def place(*names):
    """A params function: the options of a command that say the scale's file and the job's place in it."""

    @quick
    def written(wildcards, input):
        return " ".join([f"--scale {SCALE_FILE}", *(f"--{name} {getattr(wildcards, name)}" for name in names)])

    return written


shard_place = place("run", "seed", "generation", "shard")


@quick
def playing(wildcards, input, output):
    """The options of a shard that plays: its place, its journals, the checkpoint whose weights play, its results.

    One function, as snakemake takes longer over each further one, of thousands of jobs, than over the job's files.
    """
    journals = f"{OWN}/journals/{wildcards.run}/s{wildcards.seed}"
    folders = f"--checkpoint {os.path.dirname(input.checkpoint)} --out {os.path.dirname(output[0])}"
    return f"{shard_place(wildcards, input)} --journals {journals} {folders}"


@functools.cache
def run_of(name):
    """A run's scale; the base model is scored under the scale's own keys."""
    return SCALE if name == "base" else SCALE.for_run(name)


def by_run(value):
    """What a params or resources function gives: a value of the job's run; itself no function where all runs agree."""
    values = {value(name) for name in [*SCALE.runs, "base"]}
    if len(values) == 1 and None not in values:
        return values.pop()

    @quick
    def chosen(wildcards):
        return value(getattr(wildcards, "run", "base"))

    return chosen


@functools.cache
def settings_of(run, names):
    """The named keys (`section` or `section.key`) of a run as text, so that a changed key reruns what depends on it.

    The text is in a tuple, in which snakemake looks for no wildcards.
    """
    values = values_of(run)
    chosen = {name: functools.reduce(lambda part, key: part[key], name.split("."), values) for name in names}
    return (json.dumps(chosen, sort_keys=True),)


@functools.cache
def values_of(run):
    return run_of(run).model_dump(mode="json")


def settings(*names):
    """The named keys of the job's run."""
    return by_run(functools.partial(settings_of, names=names))


# What each rule's command runs; ssr.code finds the files and the locked packages that these modules need.
ENGINES = ["ssr.engine.factory", "ssr.sandbox.factory"]
CODE = {
    "snapshot": ["ssr.repository.build"],
    "install": ["ssr.basemodel.install"],
    "tokenizer": ["ssr.basemodel.tokenizer", "ssr.basemodel.corpus"],
    "pretrain": ["ssr.basemodel.pretrain"],
    "demonstrate": ["ssr.basemodel.demonstrate"],
    "finetune": ["ssr.basemodel.finetune"],
    "repairs": ["ssr.basemodel.score"],
    "tasks": ["ssr.selfplay.tasks", "ssr.selfplay.seeding"],
    "inject": ["ssr.selfplay.inject", *ENGINES],
    "validate": ["ssr.selfplay.validate", "ssr.sandbox.factory"],
    "solve": ["ssr.selfplay.solve", *ENGINES],
    "solve_problems": ["ssr.evaluation.training_runs", *ENGINES],
    "training_set": ["ssr.evaluation.by_hand"],
    "bugs": ["ssr.selfplay.bugs"],
    "batch": ["ssr.selfplay.collect", "ssr.training.batch"],
    "train": ["ssr.training.__main__"],
    "tasks_held_out": ["ssr.evaluation.builtin", "ssr.evaluation.problem", "ssr.sandbox.factory"],
    "score": ["ssr.evaluation.run", "ssr.evaluation.tasks", *ENGINES],
    "merge": ["ssr.evaluation.reports"],
    "summary": ["ssr.paper.summarise"],
    "metrics": ["ssr.paper.data"],
    "figure": ["ssr.paper.figures"],
    "table": ["ssr.paper.tables"],
    "reproduction": ["ssr.paper.reproduction"],
    "report": ["ssr.report.site"],
}
# The lock of the environment that runs this: envs/shell calls the environment of NAME.lock .venv-NAME, of cpu.lock .venv.
LOCK = Path("envs", f"{Path(os.environ.get('VIRTUAL_ENV', '')).name.partition('.venv-')[2] or 'cpu'}.lock")


@functools.cache
def code(rule):
    """Digests of the source and of the locked packages that a rule's command needs, so that a change of them reruns it."""
    return f"{code_digest(CODE[rule])} {lock_digest(CODE[rule], LOCK)}"


def solving_code_of(run):
    """The code that a run's attempts need: problems of a training set are opened and graded by the evaluation."""
    return code("solve_problems" if run_of(run).selfplay.issues_of else "solve")


def prompts(*names):
    """Digests of the named prompts in the style of the job's run."""

    def digests(run):
        style = run_of(run).agent.prompts
        return " ".join(prompt_digest(style, name) for name in names)

    return by_run(digests)


SEEDING = ["selfplay.seeding", "selfplay.seeding_targets", "selfplay.snippet_lines", "selfplay.unseeded_files"]
DRAWING = [
    f"selfplay.{key}" for key in ("data", "injections", "injector_group", "issues", "strategies", "untouched")
] + SEEDING
CONTROL = [f"game.{key}" for key in ("min_passing_tests", "min_changed_files", "min_failing_tests")]
REWARDED = ["game.attempts", "game.alpha", "game.injection_reward", "game.second_order_share"]
ENGINE = ["model", "engine.kind", "engine.threads", "engine.vllm"]
CHECKING = [
    key for key in (f"game.{name}" for name in SCALE.game.model_dump()) if key not in REWARDED + ["game.run_store"]
]
PLAYING = [*ENGINE, "sandbox", "agent", "sampling.training"]
ATTEMPTING = [*CHECKING, "game.attempts", "game.second_order_share", "selfplay.distinct"]
REWARDING = [
    "game.attempts",
    "game.alpha",
    "game.injection_reward",
    "training.baseline",
    "training.max_off_policy_steps",
    "selfplay.distinct",
    "selfplay.max_gibberish",
    "selfplay.max_repetition",
]
TRAINING = [
    f"training.{key}" for key in type(SCALE.training).model_fields if key not in ("keep_states", "resume_every")
]
SCORING = [*ENGINE, "sandbox", "agent", "sampling.evaluation", "game.max_diff_kb"]


def listed(name, paths):
    """Every path under one option of a command."""
    return " ".join(f"{name} {path}" for path in paths)


def options(name, paths):
    """A params function that lists the paths of an input function."""

    @quick
    def written(wildcards):
        return listed(name, paths(wildcards))

    return written


def released_digest(wildcards):
    """The digests of a base model that is a tracked folder; a model of another place is named by its name alone."""
    path = os.path.join(SCALE.model.base, "sha256")
    if not os.path.isfile(path):
        return ""
    with open(path) as file:
        return file.read()


def source_of(wildcards):
    """Where an official benchmark or a training set comes from; nothing for what is made here."""
    return SCALE.evaluation.sources.get(wildcards.benchmark)


def task_snapshots(wildcards):
    return [] if source_of(wildcards) else snapshots(wildcards)


def task_settings(wildcards):
    """What tasks depend on: the repositories and their sandboxes, or the source and the bytes of its local file."""
    source = source_of(wildcards)
    if not source:
        return settings_of("base", ("include", "sandbox", "evaluation.test_timeout_s"))
    return source.model_dump_json() + (file_digest(source.file) if source.file else "")


def training_set_settings(wildcards):
    """What a training set depends on: its source, those of the benchmarks that it must not meet, and their files."""
    sources = SCALE.evaluation.sources.values()
    return " ".join(s.model_dump_json() + (file_digest(s.file) if s.file else "") for s in sources)


def number_of_tasks(wildcards):
    """How many tasks a benchmark asks for, where this scale makes it."""
    key = f"{wildcards.benchmark.removeprefix('builtin-')}_tasks"
    return SCALE.evaluation.model_dump().get(key)


def asked(what):
    """What the job's run asks of the machine (`ssr.plan.jobs`)."""

    def of_run(run):
        return what(run_of(run))

    return by_run(of_run)


def machines(wildcards):
    return run_of(wildcards.run).training.machines


def several_machines(wildcards):
    """Tells the executor for Slurm that the job's own launcher starts it on each machine; None where there is one."""
    return jobs.launcher(run_of(wildcards.run)) or None


def launcher(wildcards, input):
    """A function of the input, as it must rerun nothing."""
    return jobs.launcher(run_of(wildcards.run))


def repository_entry(wildcards):
    return REPOSITORIES[wildcards.repo].model_dump_json()


def environment_lock(wildcards):
    return str(SCALE.repositories.parent / REPOSITORIES[wildcards.repo].environment)


def snapshots(wildcards):
    return expand("results/snapshots/{repo}/manifest.json", repo=REPOS)


def at(path, wildcards, **others):
    """A path under the scale's results, of the job's run, seed and generation, but for the wildcards that are named."""
    return expand(f"{OWN}/{path}", **{**dict(wildcards.items()), **others})


def checkpoint(wildcards, generation):
    """The digests of a generation's checkpoint; generation 0 is the base model, shared by all runs."""
    if generation <= 0:
        return f"{OWN}/checkpoints/000/sha256"
    return f"{OWN}/checkpoints/{wildcards.run}/s{wildcards.seed}/{generation:03d}/sha256"


@quick
def sampled_checkpoint(wildcards):
    """Asynchrony is an edge: the weights that play generation g are those of g - 1 - lag."""
    lag = run_of(wildcards.run).selfplay.lag
    return checkpoint(wildcards, int(wildcards.generation) - 1 - lag)


@quick
def previous_checkpoint(wildcards):
    return checkpoint(wildcards, int(wildcards.generation) - 1)


@quick
def scored_checkpoint(wildcards):
    return checkpoint(wildcards, int(wildcards.generation))


def spent(wildcards, input):
    """The checkpoint whose optimizer state the run needs no more. A function of the input, as it must rerun nothing.

    The one before is never that: a job that was killed after all its work is run again.
    """
    kept = run_of(wildcards.run).training.keep_states
    number = int(wildcards.generation) - (kept or int(wildcards.generation))
    return f"--spent {os.path.dirname(checkpoint(wildcards, number))}" if number > 0 else ""


@quick
def event_folder(wildcards, input):
    """Where a run's metrics go for TensorBoard, if it asks for them. A function of the input, as it must rerun nothing."""
    asked_for = run_of(wildcards.run).logging.tensorboard
    return f"--events {OWN}/logs/tensorboard/{wildcards.run}/s{wildcards.seed}" if asked_for else ""


@functools.cache
def shards_of(run):
    return [f"{shard:02d}" for shard in range(run_of(run).selfplay.shards)]


def stage(name, file, wildcards):
    """One file of every shard of a stage of the job's generation."""
    return files_of_shards(name, file, wildcards.run, wildcards.seed, wildcards.generation)


@functools.cache
def files_of_shards(name, file, run, seed, generation):
    folder = f"{OWN}/{name}/{run}/s{seed}/{generation}"
    return [f"{folder}/{shard}/{file}" for shard in shards_of(run)]


def plays_bugs_of_its_own(wildcards):
    return run_of(wildcards.run).selfplay.data == "selfplay"


@quick
def pool(wildcards):
    """What a run that plays no bugs of its own draws its tasks from."""
    selfplay = run_of(wildcards.run).selfplay
    if selfplay.data == "issues":
        if selfplay.issues_of:
            path = "training-sets/{source}/problems.parquet"
            return at(path, wildcards, source=selfplay.issues_of)
        return at("benchmarks/human.parquet", wildcards)
    if selfplay.data == "bugs":
        return at("bugs/{run}/s{seed}.parquet", wildcards, run=selfplay.bugs_of)
    return []


def generations_of(run):
    return [f"{number + 1:03d}" for number in range(run_of(run).selfplay.generations)]


def earlier_instances(wildcards):
    """Every bug of a run, of both orders, for the run that is trained on the good ones."""
    path = "{stage}/{run}/s{seed}/{generation}/{shard}/instances.parquet"
    stages = ["validate", "solve"]
    return at(path, wildcards, stage=stages, generation=generations_of(wildcards.run), shard=shards_of(wildcards.run))


@quick
def instances(wildcards):
    """The bugs to solve: a run's own valid ones, or the tasks that were drawn for it."""
    if plays_bugs_of_its_own(wildcards):
        return stage("validate", "instances.parquet", wildcards)
    return [f"{OWN}/tasks/{wildcards.run}/s{wildcards.seed}/{wildcards.generation}.parquet"]


@quick
def injected(wildcards):
    return stage("inject", "episodes.parquet", wildcards) if plays_bugs_of_its_own(wildcards) else []


@quick
def checked(wildcards):
    return stage("validate", "checks.parquet", wildcards) if plays_bugs_of_its_own(wildcards) else []


@quick
def solved(wildcards):
    return stage("solve", "episodes.parquet", wildcards)


@quick
def played_before(wildcards):
    """With a lag, the play of the generation before: weights that are there already would let all of them play at once."""
    before = int(wildcards.generation) - 1
    if before == 0 or run_of(wildcards.run).selfplay.lag == 0:
        return []
    return files_of_shards("solve", "episodes.parquet", wildcards.run, wildcards.seed, f"{before:03d}")


def summarised(wildcards):
    """What a run and seed, or the base model, is summed up from."""
    path = "evaluate/{run}/s{seed}/{generation}/{benchmark}/{file}"
    of_base = wildcards.run == "base"
    score = {"benchmark": SCALE.evaluation.benchmarks, "file": ["report.json", "episodes.parquet"]}
    files = at(path, wildcards, generation=["000"] if of_base else scored_generations(wildcards.run), **score)
    if of_base:
        return files
    played = ["batch/{run}/s{seed}/{generation}.parquet"]
    played += ["training/{run}/s{seed}/{generation}.parquet"]
    return files + [file for path in played for file in at(path, wildcards, generation=generations_of(wildcards.run))]


def summaries(wildcards):
    """Every run and seed of the scale, and the base model; those that are there, of released results."""
    root = f"{wildcards.results}/{wildcards.scale}/summary"
    if RESULTS == RELEASED:
        return sorted(glob(f"{root}/*/s*/*.parquet") + glob(f"{root}/*/s*/scale.json"))
    return expand(f"{root}/{{run}}/s{{seed}}/scale.json", run=["base", *SCALE.runs], seed=SEEDS)


def folders(wildcards, input):
    return sorted({os.path.dirname(file) for file in input})


def scored_generations(run):
    numbers = generations_of(run)
    return [name for name in numbers if int(name) % run_of(run).evaluation.every == 0 or name == numbers[-1]]


def chosen_reports(wildcards):
    """Reports of the benchmark and the run that --config names: of the base model and all benchmarks, if it does not."""
    benchmarks = [CHOSEN["benchmark"]] if "benchmark" in CHOSEN else SCALE.evaluation.benchmarks
    run = CHOSEN.get("run", "base")
    known = [*SCALE.evaluation.benchmarks, *SCALE.evaluation.sources, "builtin-verified", "builtin-pro"]
    if not set(benchmarks) <= set(known) or run not in ["base", *SCALE.runs]:
        raise WorkflowError(f"--config benchmark={benchmarks[0]} run={run}: {GIVEN_FILE} has no such benchmark or run")
    path = f"{OWN}/evaluate/{run}/s{{seed}}/{{generation}}/{{benchmark}}/report.json"
    numbers = ["000"] if run == "base" else scored_generations(run)
    return expand(path, seed=SEEDS, generation=numbers, benchmark=benchmarks)


@quick
def evaluation_shards(wildcards):
    path = "evaluate/{run}/s{seed}/{generation}/{benchmark}/shards/{shard}/episodes.parquet"
    return at(path, wildcards, shard=[f"{shard:02d}" for shard in range(SCALE.evaluation.shards)])


def last_checkpoints(wildcards):
    last = {run: generations_of(run)[-1] for run in SCALE.runs}
    return [f"{OWN}/checkpoints/{run}/s{seed}/{last[run]}/sha256" for run in SCALE.runs for seed in SEEDS]


def figure_files(wildcards):
    return expand(f"{RESULTS}/{{scale}}/figures/{{figure}}.{{format}}", scale=DRAWN, figure=FIGURES, format=FORMATS)


def paper_files(wildcards):
    path = f"{RESULTS}/{{scale}}/tables/{{table}}.{{format}}"
    return figure_files(wildcards) + expand(path, scale=DRAWN, table=TABLES, format=["md", "csv"])


def report_files(wildcards):
    """The report's first page; released results hold no episodes to report."""
    return [] if RESULTS == RELEASED else [f"{OWN}/report/index.html"]
