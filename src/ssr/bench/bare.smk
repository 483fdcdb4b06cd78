# The shape of a scale's graph and nothing else, for `ssr bench graph`: same jobs, same edges, one line of shell each.
RUNS, SHARDS, SEEDS = config["runs"], config["shards"], config["seeds"]
NUMBERS = [f"{number + 1:03d}" for number in range(config["generations"])]
SCORED = [name for name in NUMBERS if int(name) % config["every"] == 0 or name == NUMBERS[-1]]
HELD_OUT = expand("bare/benchmarks/{benchmark}", benchmark=config["benchmarks"])


wildcard_constraints:
    run="[^/]+",
    seed=r"\d+",
    generation=r"\d{3}",
    shard=r"\d+",
    benchmark="[^/]+",


def shards(stage, wildcards):
    return expand(
        f"bare/{stage}/{wildcards.run}/{wildcards.seed}/{wildcards.generation}/{{shard}}", shard=range(SHARDS)
    )


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
    return expand("bare/bugs/{seed}", seed=wildcards.seed) if kind == "bugs" else []


def played_before(wildcards):
    before = int(wildcards.generation) - 1
    if before == 0 or config["lag"] == 0:
        return []
    return expand(f"bare/solve/{wildcards.run}/{wildcards.seed}/{before:03d}/{{shard}}", shard=range(SHARDS))


def to_solve(wildcards):
    if RUNS[wildcards.run] == "selfplay":
        return shards("validate", wildcards)
    return f"bare/tasks/{wildcards.run}/{wildcards.seed}/{wildcards.generation}"


def episodes(wildcards):
    own = shards("solve", wildcards)
    if RUNS[wildcards.run] == "selfplay":
        own += shards("inject", wildcards) + shards("validate", wildcards)
    return own


def reports(wildcards):
    base = expand("bare/report/base/0/000/{benchmark}", benchmark=config["benchmarks"])
    path = "bare/report/{run}/{seed}/{generation}/{benchmark}"
    return base + expand(path, run=RUNS, seed=SEEDS, generation=SCORED, benchmark=config["benchmarks"])


rule all:
    input:
        expand("bare/figures/{figure}", figure=range(config["figures"])),


rule figure:
    input:
        "bare/metrics",
    output:
        "bare/figures/{figure}",
    shell:
        "touch {output}"


rule metrics:
    input:
        reports,
        expand("bare/batch/{run}/{seed}/{generation}", run=RUNS, seed=SEEDS, generation=NUMBERS),
        expand("bare/checkpoints/{run}/{seed}/{generation}", run=RUNS, seed=SEEDS, generation=NUMBERS[-1]),
    output:
        "bare/metrics",
    shell:
        "touch {output}"


rule report:
    input:
        expand(
            "bare/score/{{run}}/{{seed}}/{{generation}}/{{benchmark}}/{shard}", shard=range(config["scoring_shards"])
        ),
    output:
        "bare/report/{run}/{seed}/{generation}/{benchmark}",
    shell:
        "touch {output}"


rule score:
    input:
        "bare/benchmarks/{benchmark}",
        scored,
    output:
        "bare/score/{run}/{seed}/{generation}/{benchmark}/{shard}",
    shell:
        "touch {output}"


rule train:
    input:
        "bare/batch/{run}/{seed}/{generation}",
        previous,
    output:
        "bare/checkpoints/{run}/{seed}/{generation}",
    shell:
        "touch {output}"


rule batch:
    input:
        episodes,
        previous,
    output:
        "bare/batch/{run}/{seed}/{generation}",
    shell:
        "touch {output}"


rule bugs:
    input:
        expand(
            "bare/{stage}/{run}/{{seed}}/{generation}/{shard}",
            stage=["validate", "solve"],
            run=config["bugs_of"],
            generation=NUMBERS,
            shard=range(SHARDS),
        ),
    output:
        "bare/bugs/{seed}",
    shell:
        "touch {output}"


rule solve:
    input:
        to_solve,
        played_by,
    output:
        "bare/solve/{run}/{seed}/{generation}/{shard}",
    shell:
        "touch {output}"


rule validate:
    input:
        "bare/inject/{run}/{seed}/{generation}/{shard}",
        HELD_OUT,
    output:
        "bare/validate/{run}/{seed}/{generation}/{shard}",
    shell:
        "touch {output}"


rule inject:
    input:
        "bare/tasks/{run}/{seed}/{generation}",
        played_by,
    output:
        "bare/inject/{run}/{seed}/{generation}/{shard}",
    shell:
        "touch {output}"


rule tasks:
    input:
        pool,
        played_before,
        expand("bare/snapshots/{repo}", repo=config["repositories"]),
    output:
        "bare/tasks/{run}/{seed}/{generation}",
    shell:
        "touch {output}"


rule held_out:
    input:
        expand("bare/snapshots/{repo}", repo=config["repositories"]),
    output:
        "bare/benchmarks/{benchmark}",
    shell:
        "touch {output}"


rule snapshot:
    output:
        "bare/snapshots/{repo}",
    shell:
        "touch {output}"


rule base:
    output:
        "bare/checkpoints/000",
    shell:
        "touch {output}"
