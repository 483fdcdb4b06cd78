# Summaries of runs, tidy metrics, and the figures and tables drawn from them. `--config results=released` draws those of
# the results that the repository carries, under results/released.


rule summary:
    input:
        summarised,
    output:
        "results/<scale>/summary/{run}/s{seed}/scale.json",
        "results/<scale>/summary/{run}/s{seed}/outcomes.parquet",
        "results/<scale>/summary/{run}/s{seed}/episodes.parquet",
        "results/<scale>/summary/{run}/s{seed}/artifacts.parquet",
        "results/<scale>/summary/{run}/s{seed}/training.parquet",
    log:
        "results/<scale>/logs/summary/{run}/s{seed}.log",
    benchmark:
        "results/<scale>/timings/summary/{run}/s{seed}.tsv"
    params:
        code=code("summary"),
        scale=scale_file,
        settings=settings("game.alpha", "game.attempts", "game.injection_reward", "selfplay.untouched"),
        results=subpath(output[0], ancestor=4),
        folder=subpath(output[0], parent=True),
    shell:
        "ssr summary --scale {params.scale} --run {wildcards.run} --seed {wildcards.seed} --results {params.results}"
        " --out {params.folder} &> {log}"


rule metrics:
    input:
        summaries,
    output:
        "{results}/{scale}/metrics.parquet",
    log:
        "{results}/{scale}/logs/metrics.log",
    benchmark:
        "{results}/{scale}/timings/metrics.tsv"
    params:
        code=code("metrics"),
        folders=folders,
    shell:
        "ssr metrics {params.folders} --out {output} &> {log}"


rule figure:
    input:
        metrics="{results}/{scale}/metrics.parquet",
        reported="paper/reported.csv",
    output:
        report("{results}/{scale}/figures/{figure}.svg", caption="../workflow/report/figure.rst", category="Figures"),
        multiext("{results}/{scale}/figures/{figure}", ".pdf", ".png"),
    log:
        "{results}/{scale}/logs/figures/{figure}.log",
    benchmark:
        "{results}/{scale}/timings/figures/{figure}.tsv"
    params:
        code=code("figure"),
        folder=subpath(output[0], parent=True),
    shell:
        "ssr figure {wildcards.figure} --metrics {input.metrics} --reported {input.reported}"
        " --out {params.folder} &> {log}"


rule table:
    input:
        metrics="{results}/{scale}/metrics.parquet",
        reported="paper/reported.csv",
    output:
        report("{results}/{scale}/tables/{table}.csv", caption="../workflow/report/table.rst", category="Tables"),
        "{results}/{scale}/tables/{table}.md",
    log:
        "{results}/{scale}/logs/tables/{table}.log",
    benchmark:
        "{results}/{scale}/timings/tables/{table}.tsv"
    params:
        code=code("table"),
        folder=subpath(output[0], parent=True),
    shell:
        "ssr table {wildcards.table} --metrics {input.metrics} --reported {input.reported}"
        " --out {params.folder} &> {log}"


rule reproduction:
    input:
        metrics=f"{RELEASED}/mini-full/metrics.parquet",
        claims="paper/claims.yaml",
        reported="paper/reported.csv",
    output:
        "paper/REPRODUCTION.md",
    log:
        "results/logs/reproduction.log",
    benchmark:
        "results/timings/reproduction.tsv"
    params:
        code=code("reproduction"),
    shell:
        "ssr reproduction --metrics {input.metrics} --claims {input.claims} --reported {input.reported}"
        " --out {output} &> {log}"
