# One generation of self-play: tasks, injection, consistency checks, solver attempts, rewards.


rule tasks:
    input:
        snapshots=snapshots,
        pool=pool,
        before=played_before,
    output:
        "results/<scale>/tasks/{run}/s{seed}/{generation}.parquet",
    log:
        "results/<scale>/logs/tasks/{run}/s{seed}/{generation}.log",
    benchmark:
        "results/<scale>/timings/tasks/{run}/s{seed}/{generation}.tsv"
    params:
        code=code("tasks"),
        place=place("run", "seed", "generation"),
        settings=settings("include", *DRAWING),
        pool=options("--pool", pool),
    shell:
        "ssr tasks {params.place} {params.pool} --out {output} &> {log}"


rule inject:
    input:
        tasks="results/<scale>/tasks/{run}/s{seed}/{generation}.parquet",
        checkpoint=sampled_checkpoint,
    output:
        "results/<scale>/inject/{run}/s{seed}/{generation}/{shard}/episodes.parquet",
        "results/<scale>/inject/{run}/s{seed}/{generation}/{shard}/artifacts.parquet",
    log:
        "results/<scale>/logs/inject/{run}/s{seed}/{generation}/{shard}.log",
    benchmark:
        "results/<scale>/timings/inject/{run}/s{seed}/{generation}/{shard}.tsv"
    priority: 2
    resources:
        gpu=asked(jobs.engine_gpus),
    params:
        code=code("inject"),
        options=playing,
        prompts=prompts("system", "injector"),
        settings=settings("selfplay.shards", *PLAYING, *CONTROL),
    shell:
        "ssr inject {params.options} --tasks {input.tasks} &> {log}"


rule validate:
    input:
        artifacts="results/<scale>/inject/{run}/s{seed}/{generation}/{shard}/artifacts.parquet",
        held_out=HELD_OUT,
    output:
        "results/<scale>/validate/{run}/s{seed}/{generation}/{shard}/checks.parquet",
        "results/<scale>/validate/{run}/s{seed}/{generation}/{shard}/instances.parquet",
    log:
        "results/<scale>/logs/validate/{run}/s{seed}/{generation}/{shard}.log",
    benchmark:
        "results/<scale>/timings/validate/{run}/s{seed}/{generation}/{shard}.tsv"
    priority: 2
    params:
        code=code("validate"),
        place=place("run"),
        prompts=prompts("specification"),
        settings=settings("sandbox", "agent.prompts", *CHECKING),
        held_out=listed("--held-out", HELD_OUT),
        folder=subpath(output[0], parent=True),
    shell:
        "ssr validate-shard {params.place} --artifacts {input.artifacts}"
        " {params.held_out} --out {params.folder} &> {log}"


rule solve:
    input:
        instances=instances,
        checkpoint=sampled_checkpoint,
    output:
        "results/<scale>/solve/{run}/s{seed}/{generation}/{shard}/episodes.parquet",
        "results/<scale>/solve/{run}/s{seed}/{generation}/{shard}/instances.parquet",
    log:
        "results/<scale>/logs/solve/{run}/s{seed}/{generation}/{shard}.log",
    benchmark:
        "results/<scale>/timings/solve/{run}/s{seed}/{generation}/{shard}.tsv"
    priority: 2
    resources:
        gpu=asked(jobs.engine_gpus),
    params:
        code=by_run(solving_code_of),
        options=playing,
        prompts=prompts("system", "solver"),
        settings=settings("selfplay.shards", *PLAYING, *ATTEMPTING),
        instances=options("--instances", instances),
    shell:
        "ssr solve {params.options} {params.instances} &> {log}"


rule bugs:
    input:
        earlier_instances,
    output:
        "results/<scale>/bugs/{run}/s{seed}.parquet",
    log:
        "results/<scale>/logs/bugs/{run}/s{seed}.log",
    benchmark:
        "results/<scale>/timings/bugs/{run}/s{seed}.tsv"
    params:
        code=code("bugs"),
        scale=scale_file,
        validated=f"{OWN}/validate/{{run}}/s{{seed}}",
        solved=f"{OWN}/solve/{{run}}/s{{seed}}",
    shell:
        "ssr bugs --scale {params.scale} --run {wildcards.run} --validated {params.validated}"
        " --solved {params.solved} --out {output} &> {log}"


rule batch:
    input:
        injected=injected,
        checked=checked,
        solved=solved,
        checkpoint=previous_checkpoint,
    output:
        "results/<scale>/batch/{run}/s{seed}/{generation}.parquet",
    log:
        "results/<scale>/logs/batch/{run}/s{seed}/{generation}.log",
    benchmark:
        "results/<scale>/timings/batch/{run}/s{seed}/{generation}.tsv"
    priority: 3
    params:
        code=code("batch"),
        place=place("run"),
        settings=settings("selfplay.train_roles", *REWARDING),
        injected=options("--injected", injected),
        checked=options("--checked", checked),
        solved=options("--solved", solved),
        checkpoint_folder=subpath(input.checkpoint, parent=True),
    shell:
        "ssr batch {params.place} {params.injected} {params.checked}"
        " {params.solved} --checkpoint {params.checkpoint_folder}"
        " --out {output} &> {log}"
