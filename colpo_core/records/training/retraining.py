"""Records of trainings that begin by themselves."""

from dataclasses import dataclass
from datetime import datetime

from colpo_core.errors import InputRejected
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.terms import LabelSource, MaskPolicy

MOST_DAYS = 366


@dataclass(frozen=True)
class RetrainingRule:
    """When the program trains by itself, and how. Either moment suffices.

    Attributes:
        every_days: Days after the last training of the rule; None never for this reason.
        at_new_labels: So many cases that have a label now and were not in the snapshot of the newest training; None
            never for this reason.
        label_source: What the labels of its snapshots rest on.
        fractions: Share of patients wished for train, validation and test.
        seed: Seed of the split.
        include_simulated: Whether cases that the program drew take part.
        mask_policy: Which mask of an image counts.
        mask_annotator_id: Whose masks count, for the policy `annotator` alone.
        settings: How it learns.
    """

    every_days: int | None
    at_new_labels: int | None
    label_source: LabelSource
    fractions: tuple[float, float, float]
    seed: int
    include_simulated: bool
    mask_policy: MaskPolicy
    mask_annotator_id: int | None
    settings: TrainingSettings

    def __post_init__(self) -> None:
        """Check that there is a moment.

        Raises:
            InputRejected: There is none, or it is out of range.
        """
        if self.every_days is None and self.at_new_labels is None:
            raise InputRejected("Say after how many days or at how many new labels the program shall train.")
        if self.every_days is not None and not 1 <= self.every_days <= MOST_DAYS:
            raise InputRejected(f"Trainings follow each other after 1 to {MOST_DAYS} days.")
        if self.at_new_labels is not None and self.at_new_labels < 1:
            raise InputRejected("A training needs at least one new label to begin by.")


@dataclass(frozen=True)
class RetrainingState:
    """The rule that holds, and what came of it.

    Attributes:
        is_on: Whether the program trains by itself.
        rule: The rule; None where none was ever set.
        set_by: Name of the person who set it; its trainings count as hers.
        set_at: When.
        looked_at: When the program last looked whether it is time; None before the first look.
        job_id: The last training that began so; None before the first.
        note: What came of the last look, in a sentence, or empty.
    """

    is_on: bool
    rule: RetrainingRule | None
    set_by: str
    set_at: datetime | None
    looked_at: datetime | None
    job_id: int | None
    note: str
