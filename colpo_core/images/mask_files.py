"""Masks from files: a picture of two values, as other programs write masks."""

import numpy as np
from numpy.typing import NDArray

from colpo_core.errors import MaskRejected
from colpo_core.images.decoding import decode_image


def read_mask_file(content: bytes, *, height_px: int, width_px: int) -> NDArray[np.bool_]:
    """Read a mask that another program wrote: black outside, white (or any one other grey) inside.

    Args:
        content: A PNG, TIFF or BMP file.
        height_px: Height of the image that the mask belongs to.
        width_px: Its width.

    Returns:
        The mask, H x W bool.

    Raises:
        ImageRejected: The file is no sound image.
        MaskRejected: It has another size than the image, or more than two values, as a photograph or a JPEG has.
    """
    rgb = decode_image(content).rgb
    if rgb.shape[:2] != (height_px, width_px):
        height, width = rgb.shape[:2]
        raise MaskRejected(
            f"The mask is {width} × {height} pixels and its image {width_px} × {height_px}. "
            "Export it at the image's size."
        )
    colours = rgb.reshape(-1, 3)
    inside = colours.any(axis=1)
    if inside.any() and (colours[inside] != colours[inside][0]).any():
        raise MaskRejected("The mask has more than two values. Export it as black and white, in PNG, TIFF or BMP.")
    return inside.reshape(height_px, width_px)
