# Tidy metrics, and the figures and tables drawn from them.


rule metrics:
    input:
        batches=batches,
        checkpoints=last_checkpoints,
        reports=reports,
    output:
        "results/{scale}/metrics.parquet",
    log:
        "results/{scale}/logs/metrics.log",
    benchmark:
        "results/{scale}/timings/metrics.tsv"
    params:
        code=code("metrics"),
        scale=scale_file,
        folder=subpath(output[0], parent=True),
    shell:
        "ssr metrics --scale {params.scale} --results {params.folder} --out {output} &> {log}"


rule figure:
    input:
        metrics="results/{scale}/metrics.parquet",
        reported="paper/reported.csv",
    output:
        multiext("results/{scale}/figures/{figure}", ".pdf", ".svg", ".png"),
    log:
        "results/{scale}/logs/figures/{figure}.log",
    benchmark:
        "results/{scale}/timings/figures/{figure}.tsv"
    params:
        code=code("figure"),
        folder=subpath(output[0], parent=True),
    shell:
        "ssr figure {wildcards.figure} --metrics {input.metrics} --reported {input.reported}"
        " --out {params.folder} &> {log}"


rule table:
    input:
        metrics="results/{scale}/metrics.parquet",
        reported="paper/reported.csv",
    output:
        multiext("results/{scale}/tables/{table}", ".md", ".csv"),
    log:
        "results/{scale}/logs/tables/{table}.log",
    benchmark:
        "results/{scale}/timings/tables/{table}.tsv"
    params:
        code=code("table"),
        folder=subpath(output[0], parent=True),
    shell:
        "ssr table {wildcards.table} --metrics {input.metrics} --reported {input.reported}"
        " --out {params.folder} &> {log}"
