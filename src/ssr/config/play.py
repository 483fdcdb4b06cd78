"""How episodes are played: sandbox, model, engine, agent, sampling."""

from typing import Literal

from pydantic import Field, model_validator

from ssr.config.section import Section


class SandboxConfig(Section):
    """Where everything that a model wrote runs, and how much it may use."""

    backend: Literal["bubblewrap", "docker"] = "bubblewrap"
    """What isolates a sandbox: namespaces of this machine, or containers of a Docker engine."""
    image: str = "ssr-base"
    """Docker: the root filesystem of snapshots that are no image themselves; envs/docker-image makes it."""
    docker_host: str | None = None
    """Docker: address of the engine, as unix:///var/run/docker.sock; left out, the environment's DOCKER_HOST."""
    cpus: float = Field(4, gt=0)
    """Docker: processors that one sandbox may use (CWM: 4)."""
    memory_mb: int = Field(2048, ge=64)
    """Address space of one process."""
    processes: int = Field(128, ge=8)
    """Processes and threads alive at once."""
    cpu_seconds: int = Field(120, ge=1)
    """CPU time of one process."""
    file_mb: int = Field(64, ge=1)
    """Largest file that may be written."""
    disk_mb: int = Field(512, ge=16)
    """Size of /tmp, /dev/shm and the changes to the repository together; held in memory."""
    parallel: int = Field(2, ge=1)
    """Test runs that one job keeps going side by side."""
    output_bytes: int = Field(491_520, ge=1024)
    """Output of one command; more restarts the shell with a notice (CWM: 480 KB)."""


class ModelConfig(Section):
    """The language model that plays both roles."""

    base: str
    """Checkpoint 000: a folder, or the name of a Hugging Face model."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Compute type of engine and trainer; logits are float32 either way."""


class VllmConfig(Section):
    """What the engine `vllm` is told beside; one engine a job."""

    tensor_parallel: int = Field(1, ge=1)
    """GPUs that share each layer."""
    data_parallel: int = Field(1, ge=1)
    """Copies of the model, each on `tensor_parallel` GPUs; episodes are spread over them."""
    memory_share: float = Field(0.9, gt=0, le=1)
    """Share of a GPU's memory (on a CPU: of the machine's) for weights, activations and conversations."""
    kv_cache_gb: float | None = Field(None, gt=0)
    """Memory for conversations; what `memory_share` leaves when not given."""
    context_tokens: int | None = Field(None, ge=256)
    """Longest conversation that the engine makes room for; the model's own longest when not given."""
    step_tokens: int | None = Field(None, ge=256)
    """Tokens that one step computes at most, prompts included; vLLM's choice when not given."""
    eager: bool = False
    """Run without compilation and CUDA graphs: starts sooner, decodes slower."""
    prefix_caching: bool = True
    """Keep what was computed for a conversation from turn to turn, and share it between equal prompts."""
    float32_head: bool = True
    """Compute logits in float32 whatever the model's type, as the trainer does."""
    own_process: bool = True
    """Decode beside this process. False starts sooner, for one small model on a CPU or one GPU."""
    probe_tolerance: float | None = Field(None, gt=0)
    """Mean distance of the probe's log-probabilities from the checkpoint's that stops a job; when not given, 0.001 in
    float32 and 0.05 in bfloat16."""

    @model_validator(mode="after")
    def _one_process_serves_one_copy(self) -> "VllmConfig":
        if not self.own_process and self.tensor_parallel * self.data_parallel > 1:
            raise ValueError("own_process: false cannot spread a model over several GPUs")
        return self


class EngineConfig(Section):
    """Inference."""

    kind: Literal["transformers", "vllm", "openai"] = "transformers"
    """`transformers` decodes in lockstep rounds in this process, the same to the bit; `vllm` batches continuously, the
    same to rounding; `openai` asks a compatible endpoint."""
    in_flight: int = Field(32, ge=1)
    """Episodes that one shard keeps going at once."""
    threads: int = Field(1, ge=1)
    """OpenMP threads of one engine; another number rounds in other ways."""
    endpoint: str | None = None
    """Base address of an OpenAI-compatible server."""
    model: str | None = None
    """Name that the endpoint knows the model by."""
    api_key_variable: str = "OPENAI_API_KEY"
    """Environment variable that holds the endpoint's key."""
    observation_role: Literal["user", "tool"] = "user"
    """How observations are sent to the endpoint; `tool` where the server's chat template knows that role."""
    vllm: VllmConfig = VllmConfig()


class AgentConfig(Section):
    """Budgets of one episode, in turns and tokens."""

    call_format: Literal["cwm", "hermes"] = "cwm"
    """How a tool call is written: tags, or JSON in tags."""
    prompts: Literal["full", "brief"] = "full"
    """Folder of prompt templates; `brief` is for models with a small context."""
    max_turns: int = Field(128, ge=1)
    """Assistant turns before the episode ends with `turn_limit`."""
    context_tokens: int = Field(131_072, ge=256)
    """Tokens of the whole conversation before it ends with `context_limit`."""
    prompt_tokens: int = Field(8192, ge=64)
    """Tokens of the first prompt."""
    action_tokens: int = Field(65_536, ge=16)
    """Tokens of one assistant turn."""
    observation_tokens: int = Field(32_768, ge=16)
    """Tokens of one tool's answer; longer ones lose their middle."""
    edit_context_lines: int = Field(8, ge=0)
    """Lines shown around an edit."""
    command_timeout_s: float = Field(120, gt=0)
    """Wall time of one command."""
    max_format_errors: int = Field(3, ge=1)
    """Format errors in a row before the episode ends with `format_error`. # not given by the paper"""
    resubmission: bool = True
    """Whether the episode goes on after a submission; the last one counts."""
    infrastructure_retries: int = Field(2, ge=0)
    """Times an episode is played again after its sandbox or engine failed. # not given by the paper"""


class Sampling(Section):
    """How tokens are drawn."""

    temperature: float = Field(1.0, gt=0)
    """Divides the logits."""
    top_p: float = Field(1.0, gt=0, le=1)
    """Nucleus mass; below 1 it biases the importance ratio, so training keeps 1."""


class SamplingConfig(Section):
    """Sampling for training and for evaluation (section 3 gives 1.0 and 0.95 for evaluation)."""

    training: Sampling = Sampling()
    """For episodes that are trained on. # not given by the paper"""
    evaluation: Sampling = Sampling(top_p=0.95)
    """For episodes that are only scored."""
