"""Records of what is known before a training: what is missing, and what it will take."""

from dataclasses import dataclass

from colpo_core.records.jobs.jobs import JobRecord
from colpo_core.records.training.estimates import ResourceEstimate


@dataclass(frozen=True)
class Preflight:
    """What is known of a training that has not begun.

    Attributes:
        problems: Sentences, each a reason why it cannot begin.
        warnings: Sentences, each something that its figures or its speed will lack.
        disk_needed_bytes: What it will write: decoded images that are not there yet, and, once they are known, weights.
        disk_free_bytes: What is free on the store's disk.
        probe: The newest look ahead with the same snapshot and settings; None where there was none.
        outlook: What it estimates; None before it is done.
    """

    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    disk_needed_bytes: int
    disk_free_bytes: int
    probe: JobRecord | None
    outlook: ResourceEstimate | None
