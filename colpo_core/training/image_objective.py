"""What segmenters and classifiers are fitted to alike: images of a snapshot, drawn and augmented by a seed."""

from dataclasses import dataclass

from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.tensors import Batch, Batches, FourthChannel
from colpo_core.training.progress import ProgressReporter


@dataclass(frozen=True, kw_only=True)
class ImageObjective:
    """The images of an objective; see `contract.Objective`.

    Order and augmentation depend on the seed alone, so two networks with the same objective but for the channel see
    the same images.

    Attributes:
        batches: Draws the batches.
        images: Images to learn from.
        validation: Images to judge by; none, and the last epoch is kept.
        channel: Fourth channel of a frame; None for three channels.
        batch_size: Images at a time, in judging.
        seed: Seed of the augmentation.
        progress: Asked whether to stop.
    """

    batches: Batches
    images: ImageSet
    validation: ImageSet
    channel: FourthChannel | None = None
    batch_size: int
    seed: int
    progress: ProgressReporter

    @property
    def count(self) -> int:
        """Images of the training set."""
        return len(self.images)

    def batch(self, places: list[int], epoch: int) -> Batch:
        """The batch of places of the training set, in an epoch from 0."""
        return self.images.learning_batch(self.batches, places, seed=self.seed, epoch=epoch, channel=self.channel)
