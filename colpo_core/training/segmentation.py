"""Teach a segmenter which pixels show acetowhite epithelium, and let it draw the classifiers' fourth channel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torchmetrics.classification import BinaryConfusionMatrix

from colpo_core.datasets.frames import ACETOWHITE, BACKGROUND, IGNORED, Frames
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.mapped_arrays import PageCount
from colpo_core.datasets.tensors import Batch, Batches, chunks
from colpo_core.nets.interfaces import Segmenter
from colpo_core.training.collectives import sum_over_processes
from colpo_core.training.contract import Validation
from colpo_core.training.image_objective import ImageObjective
from colpo_core.training.losses import pixel_class_weights, segmentation_loss
from colpo_core.training.progress import ProgressReporter


@dataclass(frozen=True, kw_only=True)
class SegmentationObjective(ImageObjective):
    """What a segmenter is fitted to. The best epoch has the highest IoU of acetowhite on the validation images.

    Every image to learn from has a mask.

    Attributes:
        class_weights: Weight of background and of acetowhite in the cross entropy.
    """

    class_weights: Tensor

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Weighted cross entropy and Dice of a batch."""
        weights = self.class_weights.to(batch.target.device)
        return segmentation_loss(network(batch.images), batch.target, weights, total=sum_over_processes())

    def validate(self, network: nn.Module) -> Validation | None:
        """Loss and overlap at the working size, all pixels together; None without an image.

        Raises:
            JobCancelled: A person wants to stop.
        """
        if not len(self.validation):
            return None
        # Of several processes one judges, and would wait for the others' counts for ever.
        loss, matrix = 0.0, BinaryConfusionMatrix(ignore_index=IGNORED, sync_on_compute=False)
        for batch in self.validation.judging_batches(self.batches, self.batch_size):
            self.progress.check()
            with torch.inference_mode():
                logits = network(batch.images).float()
                weights = self.class_weights.to(logits.device)
                loss += float(segmentation_loss(logits, batch.target, weights)) * len(batch.images)
                called = (logits[:, ACETOWHITE] > logits[:, BACKGROUND]).long()
                matrix.update(called.cpu(), batch.target.cpu())
        return _judged(loss / len(self.validation), matrix.compute())


def segmentation_objective(
    frames: Frames,
    batches: Batches,
    images: ImageSet,
    validation: ImageSet,
    *,
    class_weights: str,
    batch_size: int,
    seed: int,
    progress: ProgressReporter,
) -> SegmentationObjective:
    """A objective whose weights of the classes follow from its own images.

    Args:
        frames: Where the images lie.
        batches: Draws the batches.
        images: Images to learn from, each with a mask.
        validation: Images to judge by.
        class_weights: `sqrt_median`, `median` or `none`.
        batch_size: Images at a time, in judging.
        seed: Seed of the augmentation.
        progress: Asked whether to stop.
    """
    weights = pixel_class_weights(_targets(frames, images.members), rule=class_weights)
    return SegmentationObjective(
        batches=batches,
        images=images,
        validation=validation,
        class_weights=weights,
        batch_size=batch_size,
        seed=seed,
        progress=progress,
    )


def _judged(loss: float, matrix: Tensor) -> Validation:
    left, wrong, missed, hit = (float(cell) for cell in matrix.flatten())
    figures = {
        "validation_loss": loss,
        "validation_iou_acetowhite": _share(hit, hit + missed + wrong),
        "validation_iou_background": _share(left, left + missed + wrong),
        "validation_dice": _share(2 * hit, 2 * hit + missed + wrong),
    }
    has_acetowhite = hit + missed > 0
    return Validation(figures, figures["validation_iou_acetowhite"] if has_acetowhite else -loss)


def draw_acetowhite(
    network: Segmenter,
    batches: Batches,
    members: Sequence[int],
    *,
    into: npt.NDArray[np.uint8],
    batch_size: int,
    progress: ProgressReporter,
) -> None:
    """Draw the probability of acetowhite of frames, once, for the classifiers' fourth channel.

    Args:
        network: Trained, in eval mode, on the device of the batches.
        batches: Give the frames as they are.
        members: Which frames.
        into: N x H x W uint8, one for every frame there is; of the members it then holds 255 times the probability.
        batch_size: Images at a time.
        progress: Asked whether to stop.

    Raises:
        JobCancelled: A person wants to stop.
    """
    network.eval()
    pages = PageCount()
    for part in chunks(list(members), batch_size):
        progress.check()
        with torch.inference_mode():
            probability = network.acetowhite(batches.plain(part).images)
        drawn = (probability[:, 0] * 255).round().to(torch.uint8).cpu().numpy()
        for index, values in zip(part, drawn, strict=True):
            into[index] = values
            pages.seen(into[index])


def has_acetowhite(frames: Frames, members: Sequence[int]) -> bool:
    """Whether the mask of any of these frames marks anything."""
    return any(bool((target == ACETOWHITE).any()) for target in _targets(frames, members))


def _targets(frames: Frames, members: Sequence[int]) -> Iterator[npt.NDArray[np.uint8]]:
    """The classes of frames, one after the other, so that memory stays flat."""
    pages = PageCount()
    for index in members:
        target = frames.target[index]
        yield target
        pages.seen(target)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
