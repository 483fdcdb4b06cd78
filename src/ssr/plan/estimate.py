"""What a scale needs before anything starts: memory, tokens, hours, disk, from its keys and the model's shape alone."""

import math
from dataclasses import dataclass

from ssr.config import Scale, TrainingConfig
from ssr.plan.jobs import engine_processes
from ssr.training.shape import ModelShape

GB = 2**30
BLOCKED_UP_TO = 1024
"""Longest sequence whose attention weights are kept in float32 on a CPU (training/attention.py)."""


@dataclass(frozen=True)
class Assumptions:
    """What no key says. The defaults are guesses of ours; a run's own metrics give better ones."""

    flops: float
    """Operations a second that one training process reaches."""
    decoded: float
    """Tokens a second that one engine generates, all its episodes together."""
    episode_tokens: int
    """Tokens of an episode, prompt and observations included."""
    sampled_share: float = 0.4
    """Share of them that the model says."""
    valid_share: float = 0.5
    """Share of injector episodes that end in a valid bug."""
    failed_share: float = 0.5
    """Share of solver attempts that fail, which second-order bugs are made from."""

    @classmethod
    def of(cls, scale: Scale) -> "Assumptions":
        """GPUs for bfloat16, one processor for float32; episodes of a quarter of the context, half of a small one."""
        context = scale.agent.context_tokens
        tokens = context // 4 if context > 8192 else context // 2
        half = scale.model.dtype == "bfloat16"
        return cls(4e14, 2000, tokens) if half else cls(3.5e10, 1000, tokens)


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes of one training process at its peak; `host` lies in the machine's memory, all else on the device."""

    weights: int
    gradients: int
    optimizer: int
    activations: int
    logits: int
    host: int = 0

    @property
    def device(self) -> int:
        """Everything on the device."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.logits


@dataclass(frozen=True)
class EngineMemory:
    """Bytes of one engine process (one GPU, or the machine's memory)."""

    weights: int
    conversation: int
    """Keys and values of one episode at full context."""
    episode: int
    """Keys and values of an episode of the assumed length."""


@dataclass(frozen=True)
class Volume:
    """Episodes and tokens of one run."""

    episodes: int
    """A generation."""
    generation_tokens: int
    steps: int
    """Optimizer steps of the whole run."""
    step_tokens: int
    accumulation: int
    """Packs that each process works through for one optimizer step."""

    def tokens(self, generations: int) -> int:
        """Tokens trained on in the whole run."""
        return self.generation_tokens * generations


def training_memory(shape: ModelShape, scale: Scale, assumed: Assumptions) -> TrainingMemory:
    """Peak of one training process, for one full pack."""
    config, half = scale.training, scale.model.dtype == "bfloat16"
    ranks = config.processes if config.sharding == "fsdp2" else 1
    compute = 2 if half else 4
    trained = adapter_parameters(shape, config) if config.lora else shape.parameters
    stored = shape.parameters * (compute if config.lora else 4) + (trained * 4 if config.lora else 0)
    gathered = 0
    if config.sharding == "fsdp2":
        around = shape.parameters - shape.layers * shape.layer_matrices
        gathered = (around + 2 * shape.layer_matrices) * compute
    elif half and not config.lora:
        gathered = shape.parameters * compute
    activations, host = activation_bytes(shape, config, compute, assumed.episode_tokens)
    return TrainingMemory(
        weights=math.ceil(stored / ranks) + gathered,
        gradients=math.ceil(4 * trained / ranks),
        optimizer=math.ceil(8 * trained / ranks),
        activations=activations,
        logits=logits_bytes(shape, config, compute),
        host=host,
    )


def adapter_parameters(shape: ModelShape, config: TrainingConfig) -> int:
    """Parameters of the adapters that `training.lora` asks for."""
    assert config.lora is not None
    queries, keys = shape.heads * shape.head_width, shape.key_heads * shape.head_width
    sides = {
        "q_proj": shape.width + queries,
        "k_proj": shape.width + keys,
        "v_proj": shape.width + keys,
        "o_proj": queries + shape.width,
        "gate_proj": shape.width + shape.feed_forward,
        "up_proj": shape.width + shape.feed_forward,
        "down_proj": shape.feed_forward + shape.width,
    }
    return shape.layers * config.lora.rank * sum(sides.get(name, 0) for name in config.lora.targets)


def activation_bytes(shape: ModelShape, config: TrainingConfig, compute: int, length: int) -> tuple[int, int]:
    """Bytes that the layers keep for the backward pass of a full pack of sequences of some length: on the device, and
    on the host. A layer that is computed again holds all that it needs, and the gradients of its gated part."""
    queries, keys = shape.heads * shape.head_width, shape.key_heads * shape.head_width
    # Residuals and norms; queries and keys before and after their rotation; attention; the gated layer's three factors.
    kept = 4 * shape.width + 5 * queries + 4 * keys + 3 * shape.feed_forward
    if compute == 4:
        kept += shape.heads * min(length, BLOCKED_UP_TO) // 2
    tokens = config.microbatch_tokens
    layer, inputs = kept * tokens * compute, shape.width * tokens * compute
    again = layer + 3 * shape.feed_forward * tokens * compute
    if config.activations == "keep":
        return shape.layers * layer, 0
    if config.activations == "checkpoint":
        return shape.layers * inputs + again, 0
    return 2 * inputs + again, shape.layers * inputs


def logits_bytes(shape: ModelShape, config: TrainingConfig, compute: int) -> int:
    """Float32 logits of a chunk and what is made of them, and the output layer's gradient."""
    gradient = 0 if config.lora else shape.vocabulary * shape.width * (4 + compute)
    return 3 * config.logit_chunk * shape.vocabulary * 4 + gradient


def engine_memory(shape: ModelShape, scale: Scale, assumed: Assumptions) -> EngineMemory:
    """One engine process: a shard's model, or its share of one."""
    size = 2 if scale.model.dtype == "bfloat16" else 4
    parallel = engine_processes(scale.engine) if scale.engine.kind == "vllm" else 1
    split = scale.engine.vllm.tensor_parallel if parallel > 1 else 1
    return EngineMemory(
        weights=math.ceil(shape.parameters * size / split),
        conversation=math.ceil(shape.cache_bytes(scale.agent.context_tokens, size) / split),
        episode=math.ceil(shape.cache_bytes(assumed.episode_tokens, size) / split),
    )


def volume(scale: Scale, assumed: Assumptions) -> Volume:
    """Episodes and tokens of a run. Where `training.batch_tokens` is set, it is what a generation is made to fill."""
    play, game, training = scale.selfplay, scale.game, scale.training
    if play.data == "selfplay":
        bugs = play.injections * assumed.valid_share
        second = bugs * game.attempts * assumed.failed_share * game.second_order_share
        first = bugs * game.attempts
        episodes = round(play.injections + first + min(second, bugs) * game.attempts)
    else:
        episodes = play.issues * game.attempts
    generated = episodes * assumed.episode_tokens
    steps = training.steps
    if training.batch_tokens is not None:
        steps = max(1, round(generated / training.batch_tokens))
        generated = steps * training.batch_tokens
    step_tokens = math.ceil(generated / steps)
    packs = math.ceil(step_tokens / training.microbatch_tokens)
    return Volume(episodes, generated, steps * play.generations, step_tokens, math.ceil(packs / training.processes))


def training_hours(shape: ModelShape, scale: Scale, assumed: Assumptions, tokens: int) -> float:
    """Hours of all training processes together on so many tokens; layers run twice where activations are not kept."""
    again = 1 if scale.training.activations == "keep" else 4 / 3
    per_token = shape.training_flops(assumed.episode_tokens) / assumed.episode_tokens
    return tokens * per_token * again / assumed.flops / scale.training.processes / 3600


def rollout_hours(scale: Scale, assumed: Assumptions, tokens: int) -> float:
    """Hours in which all engines together generate what is sampled of so many tokens."""
    return tokens * assumed.sampled_share / assumed.decoded / scale.selfplay.shards / 3600


def state_bytes(shape: ModelShape, scale: Scale) -> int:
    """Bytes of the optimizer's state in one checkpoint, which old ones give up."""
    return 8 * (shape.parameters if scale.training.lora is None else adapter_parameters(shape, scale.training))


def disk_bytes(shape: ModelShape, scale: Scale, tokens: int) -> tuple[int, int]:
    """Bytes of one checkpoint, and of the episodes of so many tokens (ids, log-probabilities, messages; compressed)."""
    if scale.training.lora is None:
        return shape.parameters * 12, tokens * 12
    size = 2 if scale.model.dtype == "bfloat16" else 4
    return shape.parameters * size + adapter_parameters(shape, scale.training) * 12, tokens * 12
