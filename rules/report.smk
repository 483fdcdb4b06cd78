# Static pages of everything that a scale's results hold; `snakemake report` asks for them by this name.


rule report:
    input:
        metrics="results/<scale>/metrics.parquet",
        reported="paper/reported.csv",
    output:
        "results/<scale>/report/index.html",
    log:
        "results/<scale>/logs/report.log",
    benchmark:
        "results/<scale>/timings/report.tsv"
    params:
        code=code("report"),
        scale=scale_file,
        settings=settings(*type(SCALE).model_fields),
        results=subpath(input.metrics, parent=True),
        folder=subpath(output[0], parent=True),
    shell:
        "ssr report --scale {params.scale} --results {params.results} --reported {input.reported}"
        " --out {params.folder} &> {log}"
