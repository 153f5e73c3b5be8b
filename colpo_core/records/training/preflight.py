"""Records of what is known before a training: what is missing, and what it will take."""

from dataclasses import dataclass

from colpo_core.records.jobs import JobRecord


@dataclass(frozen=True)
class Outlook:
    """What a training will take, by a few steps of its networks.

    Attributes:
        seconds: For all its stages, none of which stops early; reading the images for the first time comes before.
        stage_seconds: Of these, by stage.
        memory_bytes: The most memory that the process has held, without the images.
        gpu_bytes: The most memory of the GPU; None on the processor.
        gpu_total_bytes: The GPU's memory; None on the processor.
        weights_bytes: What the kept weights of all stages and the state of the largest unfinished one take on the disk.
        device: `cuda` or `cpu`.
        precision: `fp32`, `bf16` or `fp16`.
    """

    seconds: float
    stage_seconds: dict[str, float]
    memory_bytes: int
    gpu_bytes: int | None
    gpu_total_bytes: int | None
    weights_bytes: int
    device: str
    precision: str


@dataclass(frozen=True)
class Preflight:
    """What is known of a training that has not begun.

    Attributes:
        problems: Sentences, each a reason why it cannot begin.
        warnings: Sentences, each something that its figures or its speed will lack.
        disk_needed_bytes: What it will write: decoded images that are not there yet, and, once they are known, weights.
        disk_free_bytes: What is free on the store's disk.
        probe: The newest look ahead with the same snapshot and settings; None where there was none.
        outlook: What it found; None before it is done.
    """

    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    disk_needed_bytes: int
    disk_free_bytes: int
    probe: JobRecord | None
    outlook: Outlook | None
