"""What each kind of job made, and how the store keeps it: as JSON in the job's row."""

from dataclasses import dataclass
from typing import Any

from colpo_core.errors import InputRejected
from colpo_core.records.training.estimates import ResourceEstimate
from colpo_core.records.typed_json import from_values, to_values
from colpo_core.terms import JobKind


@dataclass(frozen=True)
class TrainingResult:
    """What a training made."""

    checkpoint_id: int
    checkpoint: str


@dataclass(frozen=True)
class FailedImage:
    """An image that could not be predicted."""

    image_id: int
    reason: str


@dataclass(frozen=True)
class PredictionResult:
    """What a prediction made."""

    predicted: int
    failed: tuple[FailedImage, ...]


@dataclass(frozen=True)
class EvaluationResult:
    """What an evaluation made."""

    evaluation_id: int


@dataclass(frozen=True)
class ExplanationResult:
    """What an explanation made."""

    what_ifs: int


JobResult = TrainingResult | PredictionResult | EvaluationResult | ExplanationResult | ResourceEstimate
_KINDS: dict[JobKind, type[JobResult]] = {
    JobKind.TRAIN: TrainingResult,
    JobKind.PROBE: ResourceEstimate,
    JobKind.PREDICT: PredictionResult,
    JobKind.EVALUATE: EvaluationResult,
    JobKind.EXPLAIN: ExplanationResult,
}


def write_result(result: JobResult | None) -> dict[str, Any]:
    """What a job made as its row keeps it; empty before it is done."""
    values: dict[str, Any] = {} if result is None else to_values(result)
    return values


def read_result(kind: JobKind, values: dict[str, Any]) -> JobResult | None:
    """What a job made from its row; None before it is done, and where another version of the program wrote it."""
    try:
        return from_values(_KINDS[kind], values, name=f"what a job of the kind {kind} makes") if values else None
    except InputRejected:
        return None
