"""The stages of a training: what is fitted one after the other, and which share of the whole each will take."""

from colpo_core.datasets.manifest import Manifest
from colpo_core.records.learning import TrainingSettings
from colpo_core.records.networks import CLASSIFIERS, SEGMENTERS
from colpo_core.terms import Split
from colpo_core.training.channels import ARMS, PREDICTED, THREE

SEGMENTATION = "segmentation"
CLASSIFICATION_3CH = "classification 3 channels"
CLASSIFICATION_4CH = "classification 4 channels"
EVALUATION = "evaluation"


def fold_stage(fold: int, folds: int) -> str:
    """The stage in which the segmenter learns without one fold (from 0)."""
    return f"segmentation without fold {fold + 1} of {folds}"


def arm_stage(arm: str, run: int) -> str:
    """The stage in which one arm of the comparison is trained with one seed (from 0).

    The first runs with three channels and with the predicted mask are the pipeline's own classifiers.
    """
    if run == 0 and arm == THREE:
        return CLASSIFICATION_3CH
    if run == 0 and arm == PREDICTED:
        return CLASSIFICATION_4CH
    return f"comparison, {ARMS[arm]}, seed {run + 1}"


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


def stage_shares(manifest: Manifest, settings: TrainingSettings) -> dict[str, tuple[float, float]]:
    """Where each stage begins and ends within the whole training, by what it will have to compute."""
    training = manifest.of(Split.TRAIN)
    masks = sum(item.mask_sha256 is not None for item in training)
    labels = sum(item.label is not None for item in training)
    classifier = CLASSIFIERS[settings.classifier].gmac
    # A training step costs some three times a prediction.
    learning = 3 * _segmenter_cost(settings) * masks * settings.segmentation_epochs
    folds = n_folds(settings)
    costs = {SEGMENTATION: learning}
    costs |= {fold_stage(fold, folds): learning * (folds - 1) / folds for fold in range(folds)}
    run = 3 * classifier * labels * settings.classification_epochs
    costs |= {arm_stage(arm, number): run for arm, number in arm_runs(settings)}
    judged = len(manifest.items) - len(training)
    costs[EVALUATION] = (_segmenter_cost(settings) + 2 * classifier) * max(1, judged)
    return _shares(costs)


def _segmenter_cost(settings: TrainingSettings) -> float:
    """Multiply-adds of an image; they go with the square of the multiplier of the channels."""
    entry = SEGMENTERS[settings.segmenter]
    return entry.gmac * (settings.segnet_width**2 if entry.scalable else 1.0)


def _shares(costs: dict[str, float]) -> dict[str, tuple[float, float]]:
    shares, reached, total = {}, 0.0, sum(costs.values())
    for stage, cost in costs.items():
        until = 1.0 if stage == EVALUATION else min(1.0, reached + cost / total)
        shares[stage] = (reached, until)
        reached = until
    return shares
