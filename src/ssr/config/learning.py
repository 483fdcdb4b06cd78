"""Training, evaluation, and the recipe of the small base model."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from ssr.config.section import Section


class LoraConfig(Section):
    """Low-rank adapters by peft in place of all weights; engines read a checkpoint with the adapter merged."""

    rank: int = Field(32, ge=1)
    """Rank of each adapter."""
    alpha: int = Field(64, ge=1)
    """Adapters are scaled by alpha / rank."""
    targets: list[str] = Field(["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])
    """Names of the linear layers that get one."""


class TrainingConfig(Section):
    """Reinforcement learning (section 3, appendix C; what the paper leaves open is CWM's choice)."""

    steps: int = Field(1, ge=1)
    """Optimizer steps a generation; the batch is split evenly over them."""
    batch_tokens: int | None = Field(None, ge=128)
    """Tokens of one optimizer step, over all processes and accumulated packs; the batch is then split evenly over as
    many steps as come closest to it, and `steps` does not count."""
    microbatch_tokens: int = Field(131_072, ge=128)
    """Tokens of one packed forward pass on one process: the packing length."""
    baseline: Literal["length_weighted_mean", "mean", "leave_one_out"] = "length_weighted_mean"
    """Baseline of a group's rewards."""
    objective: Literal["token_tis", "clip", "cispo", "masked_is"] = "token_tis"
    """How the importance ratio enters the loss. # not given by the paper"""
    tis_cap: float = Field(2.0, ge=1)
    """Cap of the truncated importance ratio (`token_tis`). # not given by the paper"""
    clip_low: float = Field(0.2, ge=0, le=1)
    """Lower clipping range (`clip`, `cispo`); 1 leaves it open. # not given by the paper"""
    clip_high: float = Field(0.28, ge=0)
    """Upper clipping range (`clip`, `cispo`). # not given by the paper"""
    mask_low: float = Field(0.5, ge=0, le=1)
    """Tokens with a smaller ratio leave the loss (`masked_is`). # not given by the paper"""
    mask_high: float = Field(5.0, ge=1)
    """Tokens with a larger ratio leave the loss (`masked_is`). # not given by the paper"""
    max_off_policy_steps: int = Field(8, ge=0)
    """Episodes sampled by weights older than this are dropped."""
    learning_rate: float = Field(3e-6, gt=0)
    """After warm-up."""
    warmup_steps: int = Field(30, ge=0)
    """Optimizer steps of linear warm-up, counted over the whole run; constant afterwards. # not given by the paper"""
    weight_decay: float = Field(0.0, ge=0)
    """AdamW's weight decay. # not given by the paper"""
    adam_betas: tuple[float, float] = (0.9, 0.95)
    """AdamW's betas. # not given by the paper"""
    max_grad_norm: float = Field(1.0, gt=0)
    """Gradient clipping. # not given by the paper"""
    logit_chunk: int = Field(1024, ge=1)
    """Tokens whose float32 logits are held at once."""
    activations: Literal["keep", "checkpoint", "offload"] = "keep"
    """What the backward pass finds: everything, each layer's input (the rest is computed again), or that input moved to
    the host's memory meanwhile."""
    lora: LoraConfig | None = None
    """Train adapters only; all weights when left out."""
    compile: bool = False
    """Compile each layer: faster on GPUs, a minute of warm-up."""
    sharding: Literal["none", "fsdp2"] = "none"
    """`none` gives every process the whole model, `fsdp2` its share of weights, gradients and optimizer. In bfloat16
    `fsdp2` pays with one process, too: float32 masters, and everything that is computed is bfloat16."""
    processes: int = Field(1, ge=1)
    """Processes of `accelerate launch`, over all machines."""
    machines: int = Field(1, ge=1)
    """Machines that share them; each starts the command with MASTER_ADDR and its MACHINE_RANK set."""
    threads: int = Field(2, ge=1)
    """OpenMP threads of one process."""
    resume_every: int = Field(1, ge=0)
    """Optimizer steps between the saves from which a killed generation goes on; 0 for none."""
    keep_states: int | None = Field(2, ge=2)
    """Newest checkpoints of a run that keep the optimizer's state, two thirds of their bytes; all do where it is null.
    From one without, no generation can be trained again."""


class LoggingConfig(Section):
    """What is written beside the results, for people alone; changing it plays and trains nothing again."""

    tensorboard: bool = False
    """Metrics of each optimizer step as event files, under results/{scale}/logs/tensorboard/{run}/s{seed}/."""


class BenchmarkSource(Section):
    """Where problems that others collected come from: a local file, or a file of a public dataset at a revision."""

    format: Literal["swebench", "swebench-pro", "swe-gym", "swe-rebench", "swe-smith", "r2e-gym"] = "swebench"
    """Whose field names the rows have, and who grades them."""
    file: Path | None = None
    """A `.parquet` or `.jsonl` on this machine, relative to the project's root."""
    dataset: str | None = Field(None, pattern=r"^[^/\s]+/[^/\s]+$")
    """Name of a dataset on the Hugging Face hub, fetched where no `file` is named."""
    revision: str | None = Field(None, pattern=r"^[0-9a-f]{40}$")
    """Commit of that dataset."""
    path: str | None = Field(None, pattern=r"\.(parquet|jsonl)$")
    """The file in that dataset."""
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    """Digest of the file; a fetched one must have it, a local one may."""
    repositories: Path | None = None
    """List of repositories that the problems' snapshots are made from, by instance or repository (see
    docs/evaluation.md); without one, each problem's container image is taken over."""
    scripts: str | None = Field(None, pattern=r"^[^-]")
    """`swebench-pro`: the official evaluation repository, as a git address or a path."""
    scripts_commit: str | None = Field(None, pattern=r"^[0-9a-f]{40}$")
    """The commit of it that grades."""
    images: str = "jefzda/sweap-images"
    """`swebench-pro`: the repository of its images; each problem's tag is the official script's."""

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if (self.file is None) == (self.dataset is None):
            raise ValueError("name either `file`, or `dataset` with its `revision` and `path`")
        if self.dataset is not None and (self.revision is None or self.path is None):
            raise ValueError("a `dataset` needs its `revision`, a commit, and the `path` of the file in it")
        if (self.format == "swebench-pro") != (self.scripts is not None and self.scripts_commit is not None):
            raise ValueError("`scripts` and `scripts_commit` belong to the format `swebench-pro`, which needs both")
        return self


class EvaluationConfig(Section):
    """Which benchmarks score which checkpoints."""

    benchmarks: list[str] = Field(["builtin-verified", "builtin-pro"])
    """Benchmarks, in the order of the figures' panels; those that are not built in have an entry in `sources`."""
    sources: dict[str, BenchmarkSource] = Field(default_factory=dict)
    """Official benchmarks and public training sets by name; names end in -verified or -pro for the figures."""
    image_disk_gb: float = Field(200, gt=0)
    """Images of problems that a Docker engine keeps at once; those used longest ago are removed first."""
    every: int = Field(1, ge=1)
    """Generations between evaluations; the base and the last checkpoint are always scored. # not given by the paper"""
    shards: int = Field(1, ge=1)
    """Jobs that one evaluation is spread over."""
    verified_tasks: int = Field(100, ge=1)
    """Instances of `builtin-verified`."""
    pro_tasks: int = Field(60, ge=1)
    """Made instances of `builtin-pro`; upstream changes come on top."""
    tuning_tasks: int = Field(30, ge=1)
    """Instances of `builtin-tuning`, which are like those of `builtin-verified` and there to choose keys by."""
    bugs_tasks: int = Field(30, ge=1)
    """Instances of `builtin-bugs`: bugs that self-play never meets, told as it tells its own."""
    human_tasks: int = Field(60, ge=1)
    """Tasks of the baseline's training set, made like the benchmarks' but from other places and releases."""
    test_timeout_s: float = Field(600, gt=0)
    """Wall time of one test run."""

    @model_validator(mode="after")
    def _benchmarks_have_a_source(self) -> Self:
        unknown = [name for name in self.benchmarks if not name.startswith("builtin-") and name not in self.sources]
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: say under `sources` where they come from")
        return self


class BasemodelConfig(Section):
    """The recipe of the small base model; only `snakemake basemodel` reads it."""

    vocabulary: int = Field(4096, ge=512)
    """Tokens of the BPE tokenizer."""
    hidden: int = Field(128, ge=32)
    """Width."""
    layers: int = Field(4, ge=1)
    """Depth."""
    heads: int = Field(4, ge=1)
    """Attention heads; keys and values have half as many."""
    intermediate: int = Field(384, ge=32)
    """Width of the feed-forward layer."""
    pretraining_tokens: int = Field(20_000_000, ge=1000)
    """Tokens of source code and drills, at a constant rate."""
    demonstrations: int = Field(16, ge=1)
    """Injections that the demonstrator tries in each repository; it then solves the valid ones."""
    finetuning_tokens: int = Field(15_000_000, ge=1000)
    """Tokens of supervised training on demonstrations and drills."""
    finetuning_rate: float = Field(2e-3, gt=0)
    """Peak of its schedule."""
    batch_tokens: int = Field(4096, ge=256)
    """Tokens of one optimizer step."""
    learning_rate: float = Field(4e-3, gt=0)
    """Peak of the schedule."""
    half: bool = True
    """Matrix products in bfloat16: faster, with weights and optimizer in float32 as ever."""
    threads: int = Field(1, ge=1)
    """OpenMP threads."""
