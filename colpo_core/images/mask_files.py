"""Masks from files: an image of two values, as other programs write masks."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colpo_core.errors import MaskRejected
from colpo_core.images.decoding import DECODER_ERRORS, MAX_PIXELS, TAKEN_FORMATS, decode_image
from colpo_core.images.file_structure import check_structure


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
        MaskRejected: It has another size than the image, parts that are transparent, more than two values, as a
            photograph or a JPEG has, or two of which neither is black.
    """
    _refuse_transparent(content)
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
        values = np.unique(colours, axis=0)
        if len(values) == 2:
            raise MaskRejected(
                "The mask has two values, and neither of them is black, so it does not tell which is the background. "
                "Export it with a black background."
            )
        raise MaskRejected("The mask has more than two values. Export it as black and white, in PNG, TIFF or BMP.")
    return inside.reshape(height_px, width_px)


def _refuse_transparent(content: bytes) -> None:
    """Refuse a mask of which parts are transparent: what they mean, inside or outside, every program says otherwise.

    Raises:
        MaskRejected: There are such parts.
        ImageRejected: The file has so many parts that it is not read.
    """
    check_structure(content)
    try:
        with Image.open(io.BytesIO(content), formats=TAKEN_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS or not image.has_transparency_data:
                return
            alpha = np.asarray(image.convert("RGBA"))[:, :, 3]
    except (*DECODER_ERRORS, Image.DecompressionBombError):
        return  # `decode_image` says what is wrong with it
    if (alpha < 255).any():
        raise MaskRejected(
            f"{np.mean(alpha < 255):.0%} of the mask's file is transparent, so it does not tell what is marked. Export "
            "the mask as black and white without transparency (no alpha channel), in PNG, TIFF or BMP."
        )
