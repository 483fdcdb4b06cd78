# Self-play SWE-RL from repositories to figures. This file holds the targets; rules/ holds one rule an artifact.
# A scale is chosen with --configfile; without it, mini is played.
if not workflow.configfiles:

    configfile: "workflow/config/mini.yaml"


# Made by envs/Containerfile, and used only with --software-deployment-method apptainer.
container: "envs/ssr.sif"


# A rule is one command, which takes the shell's place and ends when snakemake is killed.
shell.prefix("SSR_ENDS_WITH_PARENT=1 exec ")


# Above what `snakemake --report report.html` gathers: figures, tables, times, and the picture of the workflow.
report: "workflow/report/workflow.rst"


# Too small to wait for a cluster.
localrules:
    all,
    figures,
    selfplay,
    evaluate,
    basemodel,
    tasks,
    bugs,
    figure,
    table,


include: "rules/common.smk"


rule all:
    default_target: True
    input:
        paper_files,
        report_files,


rule figures:
    input:
        figure_files,


rule selfplay:
    input:
        last_checkpoints,


rule evaluate:
    input:
        chosen_reports,


rule basemodel:
    input:
        f"results/{SCALE.name}/basemodel/repairs.json",


include: "rules/repositories.smk"
include: "rules/basemodel.smk"
include: "rules/selfplay.smk"
include: "rules/training.smk"
include: "rules/evaluation.smk"
include: "rules/paper.smk"
include: "rules/report.smk"
