"""Records of GPUs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GpuState:
    """A GPU of this machine as its driver describes it.

    Attributes:
        uuid: The identifier that CUDA takes.
        name: Its model.
        memory_bytes: Its memory.
        free_bytes: What is free of it.
        load: Share of the last moment in which it computed, 0 to 1; None where it does not tell.
    """

    uuid: str
    name: str
    memory_bytes: int
    free_bytes: int
    load: float | None
