"""What a job asks of a cluster, from a scale's keys: GPUs, processor cores, and one start on each machine."""

from ssr.config import EngineConfig, Scale


def engine_processes(engine: EngineConfig) -> int:
    """GPUs of one shard's engine."""
    return engine.vllm.tensor_parallel * engine.vllm.data_parallel if engine.kind == "vllm" else 1


def engine_gpus(scale: Scale) -> int | None:
    """GPUs of a job that plays episodes; None where it needs none: float32 is for processors, endpoints elsewhere."""
    if scale.model.dtype == "float32" or scale.engine.kind == "openai":
        return None
    return engine_processes(scale.engine)


def training_gpus(scale: Scale) -> int | None:
    """GPUs of a training job, on all its machines together; None for float32, which is for processors."""
    return None if scale.model.dtype == "float32" else scale.training.processes


def training_threads(scale: Scale) -> int:
    """Cores of a training job on one of its machines."""
    training = scale.training
    return training.processes // training.machines * training.threads


def launcher(scale: Scale) -> str:
    """What starts `ssr train` once on each machine of a Slurm job; empty where one machine trains."""
    machines = scale.training.machines
    threads = training_threads(scale)
    return f"srun --ntasks={machines} --cpus-per-task={threads} --kill-on-bad-exit" if machines > 1 else ""
