# Real repositories -> snapshots: source, history and environment as files with digests.


rule snapshot:
    input:
        environment_lock,
    output:
        "results/snapshots/{repo}/manifest.json",
    log:
        "results/snapshots/logs/{repo}.log",
    benchmark:
        "results/snapshots/timings/{repo}.tsv"
    priority: 6
    params:
        code=code("snapshot"),
        repositories=SCALE.repositories,
        entry=repository_entry,
        folder=subpath(output[0], parent=True),
    shell:
        "ssr snapshot {wildcards.repo} --repositories {params.repositories} --out {params.folder} &> {log}"
