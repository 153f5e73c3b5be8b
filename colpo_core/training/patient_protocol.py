"""The protocol by patients: split first, augment afterwards, and make the fourth channel out of fold."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from colpo_core.datasets.image_sets import ImageSet
from colpo_core.nets.interfaces import Segmenter
from colpo_core.records.training.stages import SEGMENTATION, fold_stage
from colpo_core.terms import Split
from colpo_core.training.contract import FitResult
from colpo_core.training.stage_splits import images_of_split, training_folds
from colpo_core.training.training_run import EvaluationSet, PreparedData, TrainingRun


def prepare_by_patients(run: TrainingRun) -> PreparedData:
    """Train the segmenter and the fold segmenters, and draw the fourth channel.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The masks are all empty, there are too few patients for the folds, or the loss is no number.
    """
    trainer = run.trainer
    train, validation, test = (images_of_split(trainer.frames, split) for split in Split)
    run.require_acetowhite(train.masks)
    # Drawn now, so that too few patients are told before hours of segmentation.
    folds = training_folds(trainer.frames, folds=trainer.settings.folds, seed=trainer.settings.seed)
    segmenter, fitted = trainer.train_segmenter(SEGMENTATION, train.masks, validation.masks)
    channel, fitted_folds = fourth_channel(run, segmenter, train.masks, validation.masks, folds=folds)
    return PreparedData(
        segmenter=segmenter,
        segmented=train.masks,
        fitted={SEGMENTATION: fitted} | fitted_folds,
        channel=channel,
        train=train.labels,
        validation=validation.labels,
        test=test.labels,
        evaluation_sets={split: everything(run, split) for split in (Split.VALIDATION, Split.TEST)},
    )


def everything(run: TrainingRun, split: Split) -> EvaluationSet:
    """All images of one side, each judged by what it has."""
    images = ImageSet(tuple(run.trainer.frames.of(split)))
    return EvaluationSet(images, images)


def fourth_channel(
    run: TrainingRun,
    segmenter: Segmenter,
    masks: ImageSet,
    validation: ImageSet,
    *,
    folds: Sequence[tuple[int, ...]],
) -> tuple[npt.NDArray[np.uint8], dict[str, FitResult]]:
    """The predicted channel of every frame; on the training side by segmenters that never saw the patient's mask.

    Args:
        run: The training.
        segmenter: Trained on the whole training side; it draws the other sides' channels.
        masks: What it learned from.
        validation: What its epoch was chosen on, as are the fold segmenters'.
        folds: The training side's frames in folds, see `training_folds`.

    Returns:
        N x H x W uint8 in a file of the training's folder, and how each fold's fit went.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The loss is no number.

    Source: Wolpert 1992, "Stacked generalization": what a second stage learns from is made out of fold.
    """
    trainer, fitted = run.trainer, {}
    channel = run.new_channel()
    for fold, members in enumerate(folds):
        stage, without = fold_stage(fold, len(folds)), set(members)
        rest = ImageSet(tuple(index for index in masks.members if index not in without))
        network, fitted[stage] = trainer.train_segmenter(stage, rest, validation)
        run.draw(network, members, channel)
    run.draw(segmenter, [*trainer.frames.of(Split.VALIDATION), *trainer.frames.of(Split.TEST)], channel)
    return channel, fitted
