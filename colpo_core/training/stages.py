"""What each stage of a training has to compute, and which share of the whole it will take."""

from dataclasses import dataclass, replace

from colpo_core.datasets.manifest import Manifest
from colpo_core.records.models.networks import CLASSIFIERS, MIRRORED, SEGMENTERS
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.records.training.stages import EVALUATION, SEGMENTATION, arm_runs, arm_stage, fold_stage, n_folds
from colpo_core.terms import Split
from colpo_core.training.paper_counts import MASK_SHARES, PAPER_SHARES, paper_counts

_LEARNING = 3
"""A step of learning costs some three times a look."""


@dataclass(frozen=True)
class Passes:
    """How many images go through the networks in one stage.

    Attributes:
        segmenter_learned: Through a segmenter that learns.
        segmenter_judged: Through one that only looks.
        classifier_learned: Through a classifier that learns.
        classifier_judged: Through one that only looks.
    """

    segmenter_learned: float = 0.0
    segmenter_judged: float = 0.0
    classifier_learned: float = 0.0
    classifier_judged: float = 0.0


def stage_passes(manifest: Manifest, settings: TrainingSettings) -> dict[str, Passes]:
    """What each stage will have to compute, in the order of the stages; fewer where a fit stops early."""
    masks, labels = _sides(manifest, settings)
    segmentation, classification = settings.segmentation_epochs, settings.classification_epochs
    folds = n_folds(settings)
    judged = Passes(segmenter_judged=masks[1] * segmentation)
    passes = {SEGMENTATION: replace(judged, segmenter_learned=masks[0] * segmentation)}
    for fold in range(folds):
        learned = masks[0] * segmentation * (folds - 1) / folds
        passes[fold_stage(fold, folds)] = replace(judged, segmenter_learned=learned)
    run = Passes(classifier_learned=labels[0] * classification, classifier_judged=labels[1] * classification)
    passes |= {arm_stage(arm, number): run for arm, number in arm_runs(settings)}
    looked_at = len(manifest.items)
    views = len(MIRRORED) if settings.average_flips else 1
    passes[EVALUATION] = Passes(segmenter_judged=views * looked_at, classifier_judged=2 * looked_at)
    return passes


def stage_shares(manifest: Manifest, settings: TrainingSettings) -> dict[str, tuple[float, float]]:
    """Where each stage begins and ends within the whole training, by what it will have to compute."""
    segmenter, classifier = _segmenter_cost(settings), CLASSIFIERS[settings.classifier].gmac
    return _shares(
        {
            stage: segmenter * (_LEARNING * passes.segmenter_learned + passes.segmenter_judged)
            + classifier * (_LEARNING * passes.classifier_learned + passes.classifier_judged)
            for stage, passes in stage_passes(manifest, settings).items()
        }
    )


def _sides(manifest: Manifest, settings: TrainingSettings) -> tuple[tuple[float, float], tuple[float, float]]:
    """Images with a mask to learn from and to validate by, and images with a label likewise."""
    masks = [item.split for item in manifest.items if item.mask_sha256 is not None]
    labels = [item.split for item in manifest.items if item.label is not None]
    if settings.protocol == "paper":
        copies = paper_counts(len(masks), len(labels))
        of_masks, of_labels = MASK_SHARES, PAPER_SHARES
        return (
            (copies.mask_copies * of_masks[0], copies.mask_copies * of_masks[1]),
            (copies.label_copies * of_labels[0], copies.label_copies * of_labels[1]),
        )
    return (
        (masks.count(Split.TRAIN), masks.count(Split.VALIDATION)),
        (labels.count(Split.TRAIN), labels.count(Split.VALIDATION)),
    )


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
