"""Image sets: which frames a network learns from or is judged on, augmented anew in each epoch or once for all."""

from collections.abc import Iterator
from dataclasses import dataclass

from colpo_core.datasets.tensors import Batch, Batches, FourthChannel, chunks


@dataclass(frozen=True)
class ImageSet:
    """Images of one purpose.

    Without copies an image is augmented anew in every epoch of learning, and judged as it is. With copies, as in the
    protocol of Kim et al., each copy is one augmentation, drawn once: it is learned from, or judged on, as drawn.

    Attributes:
        members: Places of the frames.
        copies: Numbers of the copies, or None; copy c shows the frame `members[c % len(members)]`.
        copies_seed: Seed of the copies' augmentation.
    """

    members: tuple[int, ...]
    copies: tuple[int, ...] | None = None
    copies_seed: int = 0

    def __len__(self) -> int:
        """How many images there are, each copy counted."""
        return len(self.members if self.copies is None else self.copies)

    @property
    def shown(self) -> tuple[int, ...]:
        """The frame behind each image, in order."""
        if self.copies is None:
            return self.members
        return tuple(self.members[copy % len(self.members)] for copy in self.copies)

    def learning_batch(
        self, batches: Batches, places: list[int], *, seed: int, epoch: int, channel: FourthChannel | None = None
    ) -> Batch:
        """A batch to learn from.

        Args:
            batches: Draws them.
            places: Places in this set, as `epoch_order` gives them.
            seed: Seed of the training.
            epoch: From 0.
            channel: Fourth channel of a frame, or None.
        """
        if self.copies is None:
            return batches.augmented(places, seed=seed, epoch=epoch, members=self.members, channel=channel)
        chosen = [self.copies[place % len(self.copies)] for place in places]
        return batches.augmented(chosen, seed=self.copies_seed, epoch=0, members=self.members, channel=channel)

    def judging_batches(self, batches: Batches, size: int, *, channel: FourthChannel | None = None) -> Iterator[Batch]:
        """All images once, in order, in batches of at most `size`."""
        if self.copies is None:
            for part in chunks(self.members, size):
                yield batches.plain(part, channel=channel)
            return
        for copies in chunks(self.copies, size):
            yield batches.augmented(list(copies), seed=self.copies_seed, epoch=0, members=self.members, channel=channel)
