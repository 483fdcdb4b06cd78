# Checkpoint 000, shared by all runs, and the recipe that makes the small base model from nothing.


rule install:
    output:
        "results/<scale>/checkpoints/000/sha256",
    log:
        "results/<scale>/logs/install.log",
    benchmark:
        "results/<scale>/timings/install.tsv"
    params:
        code=code("install"),
        scale=scale_file,
        settings=settings("model"),
        released=released_digest,
        folder=subpath(output[0], parent=True),
    shell:
        "ssr basemodel install --scale {params.scale} --out {params.folder} &> {log}"


rule tokenizer:
    input:
        snapshots,
    output:
        "results/<scale>/basemodel/tokenizer/sha256",
    log:
        "results/<scale>/logs/tokenizer.log",
    benchmark:
        "results/<scale>/timings/tokenizer.tsv"
    params:
        code=code("tokenizer"),
        scale=scale_file,
        settings=settings("basemodel.vocabulary"),
        folder=subpath(output[0], parent=True),
    shell:
        "ssr basemodel tokenizer --scale {params.scale} --out {params.folder} &> {log}"


rule pretrain:
    input:
        tokenizer="results/<scale>/basemodel/tokenizer/sha256",
        snapshots=snapshots,
    output:
        "results/<scale>/basemodel/pretrained/sha256",
    log:
        "results/<scale>/logs/pretrain.log",
    benchmark:
        "results/<scale>/timings/pretrain.tsv"
    threads: SCALE.basemodel.threads
    params:
        code=code("pretrain"),
        scale=scale_file,
        prompts=prompts("system", "injector", "solver", "specification"),
        settings=settings("basemodel", "agent"),
        tokenizer_folder=subpath(input.tokenizer, parent=True),
        folder=subpath(output[0], parent=True),
    shell:
        "ssr basemodel pretrain --scale {params.scale} --tokenizer {params.tokenizer_folder}"
        " --out {params.folder} &> {log}"


rule demonstrate:
    input:
        tokenizer="results/<scale>/basemodel/tokenizer/sha256",
        snapshots=snapshots,
    output:
        "results/<scale>/basemodel/demonstrations/sha256",
    log:
        "results/<scale>/logs/demonstrate.log",
    benchmark:
        "results/<scale>/timings/demonstrate.tsv"
    params:
        code=code("demonstrate"),
        scale=scale_file,
        prompts=prompts("system", "injector", "solver", "specification"),
        settings=settings("basemodel.demonstrations", "agent", "game", "sandbox"),
        tokenizer_folder=subpath(input.tokenizer, parent=True),
        folder=subpath(output[0], parent=True),
    shell:
        "ssr basemodel demonstrate --scale {params.scale} --tokenizer {params.tokenizer_folder}"
        " --out {params.folder} &> {log}"


rule finetune:
    input:
        pretrained="results/<scale>/basemodel/pretrained/sha256",
        demonstrations="results/<scale>/basemodel/demonstrations/sha256",
    output:
        "results/<scale>/basemodel/model/sha256",
    log:
        "results/<scale>/logs/finetune.log",
    benchmark:
        "results/<scale>/timings/finetune.tsv"
    threads: SCALE.basemodel.threads
    params:
        code=code("finetune"),
        scale=scale_file,
        prompts=prompts("system", "injector", "solver", "specification"),
        settings=settings("basemodel", "agent"),
        pretrained_folder=subpath(input.pretrained, parent=True),
        demonstrations_folder=subpath(input.demonstrations, parent=True),
        folder=subpath(output[0], parent=True),
    shell:
        "ssr basemodel finetune --scale {params.scale} --pretrained {params.pretrained_folder}"
        " --demonstrations {params.demonstrations_folder} --out {params.folder} &> {log}"


rule repairs:
    input:
        model="results/<scale>/basemodel/model/sha256",
        snapshots=snapshots,
    output:
        "results/<scale>/basemodel/repairs.json",
    log:
        "results/<scale>/logs/repairs.log",
    benchmark:
        "results/<scale>/timings/repairs.tsv"
    params:
        code=code("repairs"),
        scale=scale_file,
        prompts=prompts("system", "solver", "specification"),
        settings=settings("agent", "model.dtype", "engine", "sampling.training"),
        folder=subpath(input.model, parent=True),
    shell:
        "ssr basemodel score --scale {params.scale} --checkpoint {params.folder} --out {output} &> {log}"
