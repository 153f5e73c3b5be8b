"""From an image's pixels to what the networks take: the one way, for prediction and for judging alike."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colpo_core.images.letterbox import LetterboxGeometry, letterbox_image
from colpo_core.nets.spec import PipelineSpec


def prepare(rgb: NDArray[np.uint8], spec: PipelineSpec) -> tuple[NDArray[np.uint8], LetterboxGeometry]:
    """Fit a decoded image into the working size, its specular highlights filled first where the spec says so.

    Args:
        rgb: HWC uint8 of any size.
        spec: Working size, and whether highlights are filled.

    Returns:
        The box, height_px x width_px x 3 uint8, and where the image lies in it.

    Raises:
        ValueError: The image is not HWC uint8 with three channels.
    """
    if spec.mask_highlights:
        from colpo_core.images.highlights import fill_highlights

        rgb = fill_highlights(rgb)
    return letterbox_image(rgb, height_px=spec.height_px, width_px=spec.width_px)


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
