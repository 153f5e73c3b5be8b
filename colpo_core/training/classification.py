"""Train a classifier to tell `normal` from `hsil`, with three channels or with four: all else is the same."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC

from colpo_core.datasets.frames import Frames
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.tensors import Batch, Batches, FourthChannel
from colpo_core.nets.interfaces import HSIL, NORMAL
from colpo_core.terms import Label
from colpo_core.training.collectives import sum_over_processes
from colpo_core.training.contract import Validation
from colpo_core.training.image_objective import ImageObjective
from colpo_core.training.losses import label_weights, weighted_cross_entropy
from colpo_core.training.progress import ProgressReporter

CLASS_OF = {Label.NORMAL: NORMAL, Label.HSIL: HSIL}
LABEL_OF = {number: label for label, number in CLASS_OF.items()}


@dataclass(frozen=True, kw_only=True)
class ClassificationObjective(ImageObjective):
    """What a classifier is fitted to. The best epoch has the lowest loss on the validation images.

    Every image has a label.

    Attributes:
        frames: Where the images lie, with their labels.
        class_weights: Weight of each label in the cross entropy, so that a rare one counts as much as a frequent one.
    """

    frames: Frames
    class_weights: Tensor

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Weighted cross entropy of a batch."""
        logits = network(batch.images)
        classes = classes_of(self.frames, batch.members).to(logits.device)
        weights = self.class_weights.to(logits.device)
        return weighted_cross_entropy(logits, classes, weights, total=sum_over_processes())

    def validate(self, network: nn.Module) -> Validation | None:
        """Loss, accuracy at 0.5 and area under the ROC curve by image; None without an image.

        Raises:
            JobCancelled: A person wants to stop.
        """
        if not len(self.validation):
            return None
        logits, classes = image_logits(
            network, self.frames, self.batches, self.validation, self.channel, self.batch_size, self.progress
        )
        loss = float(F.cross_entropy(logits, classes, weight=self.class_weights))
        prob_hsil = logits.softmax(dim=1)[:, HSIL]
        figures = {
            "validation_loss": loss,
            "validation_accuracy": float(BinaryAccuracy()(prob_hsil, classes == HSIL)),
        }
        if 0 < int((classes == HSIL).sum()) < len(classes):
            figures["validation_auc"] = float(BinaryAUROC()(prob_hsil, (classes == HSIL).long()))
        return Validation(figures=figures, score=-loss)


def classification_objective(
    frames: Frames,
    batches: Batches,
    images: ImageSet,
    validation: ImageSet,
    *,
    channel: FourthChannel | None,
    batch_size: int,
    seed: int,
    progress: ProgressReporter,
) -> ClassificationObjective:
    """An objective whose weights of the labels follow from its own images.

    Args:
        frames: Where the images lie, with their labels.
        batches: Draws the batches.
        images: Images to learn from, each with a label, of both labels.
        validation: Images to judge by.
        channel: Fourth channel of a frame; None for three channels.
        batch_size: Images at a time, in judging.
        seed: Seed of the augmentation.
        progress: Asked whether to stop.
    """
    classes = classes_of(frames, list(images.members))
    weights = label_weights([int((classes == which).sum()) for which in sorted(LABEL_OF)])
    return ClassificationObjective(
        frames=frames,
        batches=batches,
        images=images,
        validation=validation,
        channel=channel,
        class_weights=weights,
        batch_size=batch_size,
        seed=seed,
        progress=progress,
    )


def image_logits(
    network: nn.Module,
    frames: Frames,
    batches: Batches,
    images: ImageSet,
    channel: FourthChannel | None,
    batch_size: int,
    progress: ProgressReporter,
) -> tuple[Tensor, Tensor]:
    """What a classifier says of every image of a set.

    Args:
        network: In eval mode, on the device of the batches.
        frames: Where the images lie, with their labels.
        batches: Give the batches.
        images: Images with a label.
        channel: Fourth channel of a frame; None for three channels.
        batch_size: Images at a time.
        progress: Asked whether to stop.

    Returns:
        N x 2 float32 logits and N int64 classes, both on the CPU, in the order of the set.

    Raises:
        JobCancelled: A person wants to stop.
    """
    scores, classes = [], []
    for batch in images.judging_batches(batches, batch_size, channel=channel):
        progress.check()
        with torch.inference_mode():
            scores.append(network(batch.images).float().cpu())
        classes.append(classes_of(frames, batch.members))
    return torch.cat(scores), torch.cat(classes)


def classes_of(frames: Frames, members: list[int]) -> Tensor:
    """The class of each frame, int64.

    Raises:
        ValueError: One of them has no label.
    """
    labels = [frames.items[member].label for member in members]
    if None in labels:
        raise ValueError("an image without a label cannot be learned from or judged")
    return torch.tensor([CLASS_OF[label] for label in labels if label is not None], dtype=torch.int64)
