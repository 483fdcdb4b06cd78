# Held-out tasks, predictions on them, and their grades.
KEPT = f"{OWN}/logs/evaluate/{{run}}/s{{seed}}/{{generation}}/{{benchmark}}"
ATTEMPTS = f"{KEPT}/attempts"


rule tasks_held_out:
    input:
        task_snapshots,
    output:
        "results/<scale>/benchmarks/{benchmark}.parquet",
    log:
        "results/<scale>/logs/benchmarks/{benchmark}.log",
    benchmark:
        "results/<scale>/timings/benchmarks/{benchmark}.tsv"
    priority: 5
    params:
        code=code("tasks_held_out"),
        scale=scale_file,
        prompts=prompts("specification"),
        settings=task_settings,
        tasks=number_of_tasks,
    shell:
        "ssr evaluate make --scale {params.scale} --benchmark {wildcards.benchmark} --out {output} &> {log}"


rule training_set:
    output:
        "results/<scale>/training-sets/{source}/problems.parquet",
        "results/<scale>/training-sets/{source}/dropped.json",
    log:
        "results/<scale>/logs/training-sets/{source}.log",
    benchmark:
        "results/<scale>/timings/training-sets/{source}.tsv"
    params:
        code=code("training_set"),
        scale=scale_file,
        settings=training_set_settings,
        folder=subpath(output[0], parent=True),
    shell:
        "ssr evaluate human {wildcards.source} --scale {params.scale} --out {params.folder} &> {log}"


rule score:
    input:
        tasks="results/<scale>/benchmarks/{benchmark}.parquet",
        checkpoint=scored_checkpoint,
    output:
        "results/<scale>/evaluate/{run}/s{seed}/{generation}/{benchmark}/shards/{shard}/episodes.parquet",
    log:
        "results/<scale>/logs/evaluate/{run}/s{seed}/{generation}/{benchmark}/{shard}.log",
    benchmark:
        "results/<scale>/timings/evaluate/{run}/s{seed}/{generation}/{benchmark}/{shard}.tsv"
    resources:
        gpu=asked(jobs.engine_gpus),
    params:
        code=code("score"),
        place=place("benchmark", "run", "seed", "generation", "shard"),
        attempts=ATTEMPTS,
        prompts=prompts("system", "solver"),
        settings=settings("evaluation.shards", "evaluation.test_timeout_s", *SCORING),
        checkpoint_folder=subpath(input.checkpoint, parent=True),
        folder=subpath(output[0], parent=True),
    shell:
        "ssr evaluate run {params.place} --tasks {input.tasks}"
        " --checkpoint {params.checkpoint_folder} --attempts {params.attempts} --out {params.folder} &> {log}"


rule merge:
    input:
        tasks="results/<scale>/benchmarks/{benchmark}.parquet",
        shards=evaluation_shards,
    output:
        "results/<scale>/evaluate/{run}/s{seed}/{generation}/{benchmark}/report.json",
        "results/<scale>/evaluate/{run}/s{seed}/{generation}/{benchmark}/preds.json",
        "results/<scale>/evaluate/{run}/s{seed}/{generation}/{benchmark}/episodes.parquet",
    log:
        "results/<scale>/logs/merge/{run}/s{seed}/{generation}/{benchmark}.log",
    benchmark:
        "results/<scale>/timings/merge/{run}/s{seed}/{generation}/{benchmark}.tsv"
    params:
        code=code("merge"),
        folder=subpath(output[0], parent=True),
        attempts=ATTEMPTS,
        official=f"{KEPT}/official",
    shell:
        "ssr evaluate merge --tasks {input.tasks} --attempts {params.attempts} --official {params.official}"
        " --out {params.folder} {input.shards} &> {log}"
