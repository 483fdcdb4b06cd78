# A generation's batch and the checkpoint before it -> the next checkpoint.


rule train:
    input:
        batch="results/<scale>/batch/{run}/s{seed}/{generation}.parquet",
        previous=previous_checkpoint,
    output:
        "results/<scale>/checkpoints/{run}/s{seed}/{generation}/sha256",
        metrics="results/<scale>/training/{run}/s{seed}/{generation}.parquet",
    log:
        "results/<scale>/logs/train/{run}/s{seed}/{generation}.log",
    benchmark:
        "results/<scale>/timings/train/{run}/s{seed}/{generation}.tsv"
    priority: 4
    threads: asked(jobs.training_threads)
    resources:
        gpu=asked(jobs.training_gpus),
        nodes=machines,
        tasks=machines,
        mpi=several_machines,
    params:
        code=code("train"),
        place=place("run"),
        launcher=launcher,
        settings=settings("model.dtype", *TRAINING),
        spent=spent,
        events=event_folder,
        previous_folder=subpath(input.previous, parent=True),
        folder=subpath(output[0], parent=True),
    shell:
        "{params.launcher} ssr train {params.place} --batch {input.batch}"
        " --checkpoint {params.previous_folder} --metrics {output.metrics} {params.spent}"
        " {params.events} --out {params.folder} &> {log}"
