"""What each kind of job is to do, and how the store keeps it: as JSON in the job's row.

Jobs wait in stores while the program is updated, so what an older version wrote is read too.
"""

from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar

from colpo_core.errors import InputRejected
from colpo_core.records.training.settings import TrainingSettings, refuse_unknown
from colpo_core.records.typed_json import from_values, to_values
from colpo_core.terms import Change, Finding, JobKind


@dataclass(frozen=True)
class PredictionSettings:
    """Which images a checkpoint predicts: those that are named, or a range of all that the store holds.

    Attributes:
        checkpoint_id: Whose prediction it is.
        image_ids: Rows of the images that are named; None for a range.
        n_images: How many images it is for.
        after_image_id: The range begins after this row; None where images are named.
        up_to_image_id: The range ends with this row; None where images are named.
        shards: How many jobs share the prediction out.
        first_job_id: Row of the first of these jobs, in all but the first.
    """

    checkpoint_id: int
    image_ids: tuple[int, ...] | None
    n_images: int
    after_image_id: int | None = None
    up_to_image_id: int | None = None
    shards: int = 1
    first_job_id: int | None = None


@dataclass(frozen=True)
class EvaluationSettings:
    """Which checkpoint is judged on which external test set."""

    checkpoint_id: int
    snapshot_id: int


@dataclass(frozen=True)
class ImageChange:
    """One change to what a model sees of an image.

    Attributes:
        change: What is changed.
        finding: Whose mask is put in or covered; None where the channel is emptied.
        version_id: Row of the mask's version; None for the model's own, or for none.
    """

    change: Change
    finding: Finding | None
    version_id: int | None


@dataclass(frozen=True)
class ExplanationSettings:
    """What is asked of a prediction: what it would have been with each of some changes."""

    prediction_id: int
    changes: tuple[ImageChange, ...]


JobSettings = TrainingSettings | PredictionSettings | EvaluationSettings | ExplanationSettings
"""Those of a training and of the estimate of what it will take are the same."""
Kind = TypeVar("Kind", bound=JobSettings)
_KINDS: dict[JobKind, type[JobSettings]] = {
    JobKind.TRAIN: TrainingSettings,
    JobKind.PROBE: TrainingSettings,
    JobKind.PREDICT: PredictionSettings,
    JobKind.EVALUATE: EvaluationSettings,
    JobKind.EXPLAIN: ExplanationSettings,
}


def write_settings(settings: JobSettings) -> dict[str, Any]:
    """A job's settings as its row keeps them; of a prediction without what is not said of it."""
    values: dict[str, Any] = to_values(settings)
    if isinstance(settings, PredictionSettings):
        defaults = {field.name: field.default for field in fields(settings) if field.default is not MISSING}
        return {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}
    return values


def read_settings(kind: type[Kind], values: dict[str, Any]) -> Kind:
    """A job's settings from its row.

    Raises:
        InputRejected: They are not those of this version of the program.
    """
    if kind is TrainingSettings:
        refuse_unknown(values)
    if kind is PredictionSettings and "n_images" not in values:
        # The first version named every image.
        values = values | {"n_images": len(values.get("image_ids") or ())}
    return from_values(kind, values, name=f"what a {kind.__name__} holds")


def settings_of_kind(kind: JobKind, values: dict[str, Any]) -> JobSettings | None:
    """A job's settings from its row, for whoever only looks at it; None where they are those of another version."""
    try:
        return read_settings(_KINDS[kind], values)
    except InputRejected:
        return None
