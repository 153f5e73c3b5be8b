"""From an image's pixels to what the networks take."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def to_batch(box: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Make a batch of one image.

    Args:
        box: H x W x 3 uint8 RGB at the working size.
        device: Where the networks lie.

    Returns:
        1 x 3 x H x W float32 in 0..1, channels last.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(box)).to(device).permute(2, 0, 1).unsqueeze(0)
    return (pixels.float() / 255).contiguous(memory_format=torch.channels_last)
