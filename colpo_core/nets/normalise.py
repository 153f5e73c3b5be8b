"""The colour normalisation that every network carries with it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Normalise(nn.Module):
    """Shift and scale each channel; mean and scale are buffers, so that they travel with the weights.

    Args:
        mean: Value of each channel that becomes 0.
        std: Step of each channel that becomes 1.

    Raises:
        ValueError: The two differ in length, or a step is not above 0.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD) -> None:
        super().__init__()
        if len(mean) != len(std) or min(std) <= 0:
            raise ValueError("normalisation needs as many steps as means, each above 0")
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, -1, 1, 1))

    @property
    def channels(self) -> int:
        """How many channels an input has."""
        return self.mean.shape[1]

    def forward(self, images: Tensor) -> Tensor:
        """Normalise a batch.

        Args:
            images: B x C x H x W float in 0..1.

        Raises:
            ValueError: The batch does not have this many channels.
        """
        if images.dim() != 4 or images.shape[1] != self.channels:
            raise ValueError(f"expected B x {self.channels} x H x W, got {' x '.join(map(str, images.shape))}")
        return (images - self.mean) / self.std
