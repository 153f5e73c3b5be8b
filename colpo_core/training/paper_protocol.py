"""The protocol of Kim et al. 2022, rebuilt to be held beside one that does not leak: augment first, split afterwards.

Source: Kim et al. 2022, "Construction of datasets and data preprocessing" and Fig. 1: the images are augmented to
20,000, of which 14,000 train, 5,400 validate and 600 test; 100 images with masks are augmented to 900, of which 630
train and 270 validate, and 50 other images test. Copies of one image, and images of one patient, stand on all sides:
its figures flatter the model, and every one of them says so. Fewer images than the paper's are taken in the same
proportions.
"""

from dataclasses import dataclass

import numpy as np

from colpo_core.datasets.frames import Frames
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.errors import JobFailed
from colpo_core.records.training.stages import SEGMENTATION
from colpo_core.terms import Split
from colpo_core.training.paper_counts import FEWEST_MASKS, MASK_SHARES, PAPER_SHARES, paper_counts
from colpo_core.training.training_run import EvaluationSet, PreparedData, TrainingRun

_STREAM = 4  # keeps these draws apart from all others


@dataclass(frozen=True)
class PaperSplits:
    """The six sets of the paper's Fig. 1.

    Attributes:
        masks_train: Copies to segment by.
        masks_validation: Copies of the same images.
        masks_test: Other images, as they are.
        labels_train: Copies to classify by.
        labels_validation: Copies of the same images.
        labels_test: Copies of the same images again: where the protocol leaks.
    """

    masks_train: ImageSet
    masks_validation: ImageSet
    masks_test: ImageSet
    labels_train: ImageSet
    labels_validation: ImageSet
    labels_test: ImageSet


def check_masks(n_masks: int) -> None:
    """Refuse so few images with a mask that none is left to test on.

    Args:
        n_masks: Images with a mask, on all sides.

    Raises:
        JobFailed: There are fewer than three.
    """
    if n_masks < FEWEST_MASKS:
        raise JobFailed(
            "The paper's protocol needs at least three images with a mask. Annotate more, then freeze a new snapshot."
        )


def paper_splits(frames: Frames, *, seed: int) -> PaperSplits:
    """Augment first and split afterwards, over all images of a snapshot, whatever their side.

    Args:
        frames: All frames.
        seed: Seed of the draws.

    Raises:
        JobFailed: There are fewer than three images with a mask.
    """
    check_masks(len(frames.with_mask))
    counts = paper_counts(len(frames.with_mask), len(frames.with_label))
    generator = np.random.default_rng([_STREAM, abs(seed), int(seed < 0)])
    masked = generator.permutation(frames.with_mask).tolist()
    n_learned, n_tested = counts.masks_learned, counts.masks_tested
    learned, tested = tuple(masked[:n_learned]), tuple(masked[n_learned : n_learned + n_tested])
    mask_copies = _shares_of(generator.permutation(counts.mask_copies).tolist(), MASK_SHARES)
    labelled = tuple(frames.with_label)
    copies = _shares_of(generator.permutation(counts.label_copies).tolist(), PAPER_SHARES)
    return PaperSplits(
        masks_train=ImageSet(learned, mask_copies[0], seed),
        masks_validation=ImageSet(learned, mask_copies[1], seed),
        masks_test=ImageSet(tested),
        labels_train=ImageSet(labelled, copies[0], seed),
        labels_validation=ImageSet(labelled, copies[1], seed),
        labels_test=ImageSet(labelled, copies[2], seed),
    )


def prepare_as_published(run: TrainingRun) -> PreparedData:
    """Train one segmenter by the paper's protocol and take its channel for every image, those of its masks among them.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: There are too few masks, they are all empty, or the loss is no number.
    """
    trainer = run.trainer
    splits = paper_splits(trainer.frames, seed=trainer.settings.seed)
    run.require_acetowhite(splits.masks_train)
    segmenter, fitted = trainer.train_segmenter(SEGMENTATION, splits.masks_train, splits.masks_validation)
    channel = run.new_channel()
    run.draw(segmenter, range(len(trainer.frames)), channel)
    return PreparedData(
        segmenter=segmenter,
        segmented=splits.masks_train,
        fitted={SEGMENTATION: fitted},
        channel=channel,
        train=splits.labels_train,
        validation=splits.labels_validation,
        test=splits.labels_test,
        evaluation_sets={
            Split.VALIDATION: EvaluationSet(ImageSet(()), splits.labels_validation),
            Split.TEST: EvaluationSet(splits.masks_test, splits.labels_test),
        },
    )


def _shares_of(numbers: list[int], shares: tuple[float, ...]) -> list[tuple[int, ...]]:
    """Consecutive parts by their shares; each holds one at least where there are enough."""
    bounds = np.round(np.cumsum(shares) * len(numbers)).astype(int).tolist()
    parts, start = [], 0
    for number, end in enumerate(bounds):
        left = len(shares) - number - 1
        end = min(max(end, start + 1), len(numbers) - left)
        parts.append(tuple(numbers[start:end]))
        start = end
    return parts
