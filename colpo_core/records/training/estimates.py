"""What a training will take."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ResourceEstimate:
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
