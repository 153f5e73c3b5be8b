"""Images of any size for networks that halve them several times."""

from torch import Tensor
from torch.nn import functional as F

STRIDE_PX = 32
"""Five halvings: every segmenter of the registry takes sides that are multiples of this."""


def pad_to_stride(images: Tensor) -> Tensor:
    """Pad right and bottom to multiples of 32: by reflection, or by the edge where a side is too short to reflect.

    Cropping to the first H rows and W columns brings the result back to the images' size.

    Args:
        images: B x C x H x W.
    """
    height, width = images.shape[-2:]
    right, bottom = -width % STRIDE_PX, -height % STRIDE_PX
    if right:
        images = F.pad(images, (0, right, 0, 0), mode="reflect" if right < width else "replicate")
    if bottom:
        images = F.pad(images, (0, 0, 0, bottom), mode="reflect" if bottom < height else "replicate")
    return images
