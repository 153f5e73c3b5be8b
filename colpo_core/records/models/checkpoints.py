"""Records of checkpoints: the registry, promotions with their checks, evaluations."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from colpo_core.records.models.marks import Mark, model_marks
from colpo_core.terms import LabelSource


@dataclass(frozen=True)
class CheckpointRecord:
    """Trained weights with what made them.

    Attributes:
        id: Row of the checkpoint.
        name: Its name, and its folder's.
        sha256: Hash of its card and weights.
        snapshot_id: What it was trained on.
        snapshot_name: That snapshot's name.
        job_id: The training that made it.
        label_source: What the labels behind every one of its figures rest on.
        simulated: Whether it learned from images that the program drew.
        card: The model card: settings, metrics, thresholds, limits.
        created_at: When it was published.
        promoted_at: When it was promoted last, or None.
        is_current: Whether it is the clinic's current model.
    """

    id: int
    name: str
    sha256: str
    snapshot_id: int
    snapshot_name: str
    job_id: int | None
    label_source: LabelSource
    simulated: bool
    card: dict[str, Any]
    created_at: datetime
    promoted_at: datetime | None
    is_current: bool

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What to mind of it, wherever its output or its figures are shown."""
        return model_marks(self.card, label_source=self.label_source, simulated=self.simulated)


@dataclass(frozen=True)
class PromotionRecord:
    """One line of the promotion history.

    Attributes:
        id: Row of the promotion.
        checkpoint_id: Which checkpoint.
        checkpoint_name: Its name.
        promoted_by: Display name of who promoted it.
        reason: Why, with what was overruled and why, where it was.
        at: When.
        overruled: The doubts that held it back and were overruled.
        unchecked: What could not be checked then.
    """

    id: int
    checkpoint_id: int
    checkpoint_name: str
    promoted_by: str
    reason: str
    at: datetime
    overruled: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True)
class PromotionChecks:
    """What was asked before a promotion.

    Attributes:
        doubts: What speaks against it; an administrator may overrule it in writing.
        unchecked: What could not be checked, and why: nothing is known of it either way.
    """

    doubts: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The one sentence that says how it came out."""
        if self.doubts:
            return "This speaks against it:"
        if self.unchecked:
            return "Nothing that was checked speaks against it, but not everything could be checked."
        return "Nothing speaks against it."


@dataclass(frozen=True)
class EvaluationRecord:
    """One look at how a checkpoint does on an external test set.

    Attributes:
        id: Row of the evaluation.
        checkpoint_id: Which checkpoint.
        snapshot_id: Row of the external test set.
        snapshot_name: Its name.
        label_source: What the set's labels rest on.
        simulated: Whether images of the set were drawn by the program.
        metrics: Figures in the form of a card's.
        created_by: Display name of who looked.
        created_at: When.
        look: The how manyth look at that set this was, by anybody, with any checkpoint.
    """

    id: int
    checkpoint_id: int
    snapshot_id: int
    snapshot_name: str
    label_source: LabelSource
    simulated: bool
    metrics: dict[str, Any]
    created_by: str
    created_at: datetime
    look: int
