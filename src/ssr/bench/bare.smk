# The shape of a scale's graph and nothing else, for `ssr bench graph`: same jobs, same files, one line of shell each.
# Without the lines of `log` and `benchmark` where the graph is to be as bare as it can be.
RUNS, SHARDS, SEEDS = config["runs"], config["shards"], config["seeds"]
NUMBERS = [f"{number + 1:03d}" for number in range(config["generations"])]
SCORED = [name for name in NUMBERS if int(name) % config["every"] == 0 or name == NUMBERS[-1]]
SUMMED_UP = [(run, seed) for run in ("base", *RUNS) for seed in SEEDS]


wildcard_constraints:
    run="[^/]+",
    seed=r"\d+",
    generation=r"\d{3}",
    shard=r"\d+",
    benchmark="[^/]+",


def shards(stage, wildcards, generation=None):
    folder = f"bare/{stage}/{wildcards.run}/{wildcards.seed}/{generation or wildcards.generation}"
    return [f"{folder}/{shard}" for shard in range(SHARDS)]


def checkpoint(wildcards, back):
    number = int(wildcards.generation) - back
    if number <= 0:
        return "bare/checkpoints/000"
    return f"bare/checkpoints/{wildcards.run}/{wildcards.seed}/{number:03d}"


def played_by(wildcards):
    return checkpoint(wildcards, 1 + config["lag"])


def previous(wildcards):
    return checkpoint(wildcards, 1)


def scored(wildcards):
    return checkpoint(wildcards, 0)


def pool(wildcards):
    kind = RUNS[wildcards.run]
    if kind == "issues":
        return "bare/benchmarks/human"
    return f"bare/bugs/{wildcards.seed}" if kind == "bugs" else []


def played_before(wildcards):
    before = int(wildcards.generation) - 1
    return shards("solve", wildcards, f"{before:03d}") if before and config["lag"] else []


def made_of(wildcards):
    brought = wildcards.benchmark in config["sources"]
    return [] if brought else expand("bare/snapshots/{repo}", repo=config["repositories"])


def to_solve(wildcards):
    if RUNS[wildcards.run] == "selfplay":
        return [f"{path}.bugs" for path in shards("validate", wildcards)]
    return f"bare/tasks/{wildcards.run}/{wildcards.seed}/{wildcards.generation}"


def episodes(wildcards):
    own = shards("solve", wildcards)
    if RUNS[wildcards.run] == "selfplay":
        own += shards("inject", wildcards) + shards("validate", wildcards)
    return own


def summed_up(wildcards):
    place = f"{wildcards.run}/{wildcards.seed}"
    numbers = ["000"] if wildcards.run == "base" else SCORED
    reports = [f"bare/merge/{place}/{number}/{name}" for number in numbers for name in config["benchmarks"]]
    files = reports + [f"{path}.episodes" for path in reports]
    if wildcards.run == "base":
        return files
    return files + [f"bare/{stage}/{place}/{number}" for stage in ("batch", "training") for number in NUMBERS]


rule all:
    input:
        expand("bare/figures/{figure}", figure=range(config["figures"])),
        expand("bare/tables/{table}", table=range(config["tables"])),
        "bare/report",


rule report:
    input:
        "bare/metrics",
    output:
        "bare/report",
    log:
        "bare/logs/report",
    benchmark:
        "bare/timings/report"
    shell:
        "touch {output}"


rule figure:
    input:
        "bare/metrics",
    output:
        multiext("bare/figures/{figure}", "", ".pdf", ".png"),
    log:
        "bare/logs/figures/{figure}",
    benchmark:
        "bare/timings/figures/{figure}"
    shell:
        "touch {output}"


rule table:
    input:
        "bare/metrics",
    output:
        multiext("bare/tables/{table}", "", ".csv"),
    log:
        "bare/logs/tables/{table}",
    benchmark:
        "bare/timings/tables/{table}"
    shell:
        "touch {output}"


rule metrics:
    input:
        [f"bare/summary/{run}/{seed}" for run, seed in SUMMED_UP],
    output:
        "bare/metrics",
    log:
        "bare/logs/metrics",
    benchmark:
        "bare/timings/metrics"
    shell:
        "touch {output}"


rule summary:
    input:
        summed_up,
    output:
        multiext("bare/summary/{run}/{seed}", "", ".1", ".2", ".3", ".4"),
    log:
        "bare/logs/summary/{run}/{seed}",
    benchmark:
        "bare/timings/summary/{run}/{seed}"
    shell:
        "touch {output}"


rule merge:
    input:
        "bare/benchmarks/{benchmark}",
        expand(
            "bare/score/{{run}}/{{seed}}/{{generation}}/{{benchmark}}/{shard}", shard=range(config["scoring_shards"])
        ),
    output:
        multiext("bare/merge/{run}/{seed}/{generation}/{benchmark}", "", ".preds", ".episodes"),
    log:
        "bare/logs/merge/{run}/{seed}/{generation}/{benchmark}",
    benchmark:
        "bare/timings/merge/{run}/{seed}/{generation}/{benchmark}"
    shell:
        "touch {output}"


rule score:
    input:
        "bare/benchmarks/{benchmark}",
        scored,
    output:
        "bare/score/{run}/{seed}/{generation}/{benchmark}/{shard}",
    log:
        "bare/logs/score/{run}/{seed}/{generation}/{benchmark}/{shard}",
    benchmark:
        "bare/timings/score/{run}/{seed}/{generation}/{benchmark}/{shard}"
    shell:
        "touch {output}"


rule train:
    input:
        "bare/batch/{run}/{seed}/{generation}",
        previous,
    output:
        "bare/checkpoints/{run}/{seed}/{generation}",
        "bare/training/{run}/{seed}/{generation}",
    log:
        "bare/logs/train/{run}/{seed}/{generation}",
    benchmark:
        "bare/timings/train/{run}/{seed}/{generation}"
    shell:
        "touch {output}"


rule batch:
    input:
        episodes,
        previous,
    output:
        "bare/batch/{run}/{seed}/{generation}",
    log:
        "bare/logs/batch/{run}/{seed}/{generation}",
    benchmark:
        "bare/timings/batch/{run}/{seed}/{generation}"
    shell:
        "touch {output}"


rule bugs:
    input:
        expand(
            "bare/{stage}/{run}/{{seed}}/{generation}/{shard}.bugs",
            stage=["validate", "solve"],
            run=config["bugs_of"],
            generation=NUMBERS,
            shard=range(SHARDS),
        ),
    output:
        "bare/bugs/{seed}",
    log:
        "bare/logs/bugs/{seed}",
    benchmark:
        "bare/timings/bugs/{seed}"
    shell:
        "touch {output}"


rule solve:
    input:
        to_solve,
        played_by,
    output:
        multiext("bare/solve/{run}/{seed}/{generation}/{shard}", "", ".bugs"),
    log:
        "bare/logs/solve/{run}/{seed}/{generation}/{shard}",
    benchmark:
        "bare/timings/solve/{run}/{seed}/{generation}/{shard}"
    shell:
        "touch {output}"


rule validate:
    input:
        "bare/inject/{run}/{seed}/{generation}/{shard}.bugs",
        expand("bare/benchmarks/{benchmark}", benchmark=config["held_out"]),
    output:
        multiext("bare/validate/{run}/{seed}/{generation}/{shard}", "", ".bugs"),
    log:
        "bare/logs/validate/{run}/{seed}/{generation}/{shard}",
    benchmark:
        "bare/timings/validate/{run}/{seed}/{generation}/{shard}"
    shell:
        "touch {output}"


rule inject:
    input:
        "bare/tasks/{run}/{seed}/{generation}",
        played_by,
    output:
        multiext("bare/inject/{run}/{seed}/{generation}/{shard}", "", ".bugs"),
    log:
        "bare/logs/inject/{run}/{seed}/{generation}/{shard}",
    benchmark:
        "bare/timings/inject/{run}/{seed}/{generation}/{shard}"
    shell:
        "touch {output}"


rule tasks:
    input:
        pool,
        played_before,
        expand("bare/snapshots/{repo}", repo=config["repositories"]),
    output:
        "bare/tasks/{run}/{seed}/{generation}",
    log:
        "bare/logs/tasks/{run}/{seed}/{generation}",
    benchmark:
        "bare/timings/tasks/{run}/{seed}/{generation}"
    shell:
        "touch {output}"


rule tasks_held_out:
    input:
        made_of,
    output:
        "bare/benchmarks/{benchmark}",
    log:
        "bare/logs/benchmarks/{benchmark}",
    benchmark:
        "bare/timings/benchmarks/{benchmark}"
    shell:
        "touch {output}"


rule snapshot:
    output:
        "bare/snapshots/{repo}",
    log:
        "bare/logs/snapshots/{repo}",
    benchmark:
        "bare/timings/snapshots/{repo}"
    shell:
        "touch {output}"


rule install:
    output:
        "bare/checkpoints/000",
    log:
        "bare/logs/install",
    benchmark:
        "bare/timings/install"
    shell:
        "touch {output}"
