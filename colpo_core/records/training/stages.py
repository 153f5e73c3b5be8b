"""The stages of a training by name: what is fitted one after the other, and the arms of the comparison.

The names stand in job rows, in live records and in the names of files of unfinished trainings, so they never change.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from colpo_core.records.training.settings import TrainingSettings

THREE = "3ch"
PREDICTED = "predicted"
EMPTY = "empty"
SHUFFLED = "shuffled"
EXPERT = "expert"
ARMS = {
    THREE: "colours alone",
    PREDICTED: "the predicted mask",
    EMPTY: "an empty channel",
    SHUFFLED: "the predicted mask of another patient",
    EXPERT: "the expert's mask",
}
"""What each arm of the comparison sees beside the colours. The first has three channels, the others four."""
SEGMENTATION = "segmentation"
CLASSIFICATION_3CH = "classification 3 channels"
CLASSIFICATION_4CH = "classification 4 channels"
EVALUATION = "evaluation"
_FOLD = re.compile(r"segmentation without fold (\d+) of (\d+)")
_COMPARISON = re.compile(r"comparison, (.+), seed (\d+)")


class StageKind(Enum):
    """What a stage is for; the first, the two classifications and the evaluation are there once."""

    SEGMENTATION = auto()
    FOLD = auto()
    CLASSIFICATION_3CH = auto()
    CLASSIFICATION_4CH = auto()
    COMPARISON = auto()
    EVALUATION = auto()


_SINGLE = {
    StageKind.SEGMENTATION: SEGMENTATION,
    StageKind.CLASSIFICATION_3CH: CLASSIFICATION_3CH,
    StageKind.CLASSIFICATION_4CH: CLASSIFICATION_4CH,
    StageKind.EVALUATION: EVALUATION,
}


@dataclass(frozen=True)
class TrainingStage:
    """One stage of a training.

    Attributes:
        kind: What it is for.
        number: Of a fold, or of a seed of the comparison, from 1; else 0.
        total: How many folds there are; else 0.
        arm_title: What an arm of the comparison sees beside the colours; else empty.
    """

    kind: StageKind
    number: int = 0
    total: int = 0
    arm_title: str = ""

    @property
    def name(self) -> str:
        """As it is stored."""
        if self.kind is StageKind.FOLD:
            return f"segmentation without fold {self.number} of {self.total}"
        if self.kind is StageKind.COMPARISON:
            return f"comparison, {self.arm_title}, seed {self.number}"
        return _SINGLE[self.kind]


def read_stage(name: str) -> TrainingStage | None:
    """The stage of a stored name; None where it is none of a training."""
    for kind, single in _SINGLE.items():
        if name == single:
            return TrainingStage(kind)
    if fold := _FOLD.fullmatch(name):
        return TrainingStage(StageKind.FOLD, number=int(fold[1]), total=int(fold[2]))
    if comparison := _COMPARISON.fullmatch(name):
        return TrainingStage(StageKind.COMPARISON, number=int(comparison[2]), arm_title=comparison[1])
    return None


def fold_stage(fold: int, folds: int) -> str:
    """The stage in which the segmenter learns without one fold (from 0)."""
    return TrainingStage(StageKind.FOLD, number=fold + 1, total=folds).name


def arm_stage(arm: str, run: int) -> str:
    """The stage in which one arm of the comparison is trained with one seed (from 0).

    The first runs with three channels and with the predicted mask are the pipeline's own classifiers.
    """
    if run == 0 and arm == THREE:
        return CLASSIFICATION_3CH
    if run == 0 and arm == PREDICTED:
        return CLASSIFICATION_4CH
    return TrainingStage(StageKind.COMPARISON, number=run + 1, arm_title=ARMS[arm]).name


def arm_runs(settings: TrainingSettings) -> list[tuple[str, int]]:
    """All arms with all seeds, in the order in which they are trained: the pipeline's own first.

    The paper's protocol compares three channels with four once, as the paper did.
    """
    if settings.protocol == "paper":
        return [(THREE, 0), (PREDICTED, 0)]
    return [(arm, run) for run in range(settings.comparison_seeds) for arm in ARMS]


def n_folds(settings: TrainingSettings) -> int:
    """Folds of the out-of-fold channel; 0 in the paper's protocol, which has none."""
    return settings.folds if settings.protocol == "patient" else 0
