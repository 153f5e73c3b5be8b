"""The protocol by patients: split first, augment afterwards, and make the fourth channel out of fold."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from colpo_core.datasets.image_sets import ImageSet
from colpo_core.nets.interfaces import Segmenter
from colpo_core.terms import Split
from colpo_core.training.course import Course, Examination, Prepared
from colpo_core.training.loop import Fitted
from colpo_core.training.sides import side_of, training_folds
from colpo_core.training.stages import SEGMENTATION, fold_stage


def prepare_by_patients(course: Course) -> Prepared:
    """Train the segmenter and the fold segmenters, and draw the fourth channel.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The masks are all empty, there are too few patients for the folds, or the loss is no number.
    """
    shop = course.workshop
    train, validation, test = (side_of(shop.frames, split) for split in Split)
    course.require_acetowhite(train.masks)
    # Drawn now, so that too few patients are told before hours of segmentation.
    folds = training_folds(shop.frames, folds=shop.settings.folds, seed=shop.settings.seed)
    segmenter, fitted = shop.teach_segmenter(SEGMENTATION, train.masks, validation.masks)
    channel, fitted_folds = fourth_channel(course, segmenter, train.masks, validation.masks, folds=folds)
    return Prepared(
        segmenter=segmenter,
        segmented=train.masks,
        fitted={SEGMENTATION: fitted} | fitted_folds,
        channel=channel,
        train=train.labels,
        validation=validation.labels,
        test=test.labels,
        examinations={split: everything(course, split) for split in (Split.VALIDATION, Split.TEST)},
    )


def everything(course: Course, split: Split) -> Examination:
    """All images of one side, each judged by what it has."""
    images = ImageSet(tuple(course.workshop.frames.of(split)))
    return Examination(images, images)


def fourth_channel(
    course: Course,
    segmenter: Segmenter,
    masks: ImageSet,
    validation: ImageSet,
    *,
    folds: Sequence[tuple[int, ...]],
) -> tuple[npt.NDArray[np.uint8], dict[str, Fitted]]:
    """The predicted channel of every frame; on the training side by segmenters that never saw the patient's mask.

    Args:
        course: The training.
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
    shop, fitted = course.workshop, {}
    channel = course.new_channel()
    for fold, places in enumerate(folds):
        stage, without = fold_stage(fold, len(folds)), set(places)
        rest = ImageSet(tuple(place for place in masks.members if place not in without))
        network, fitted[stage] = shop.teach_segmenter(stage, rest, validation)
        course.draw(network, places, channel)
    course.draw(segmenter, [*shop.frames.of(Split.VALIDATION), *shop.frames.of(Split.TEST)], channel)
    return channel, fitted
