"""Decode what is to be a photograph of a cervix, and refuse what certainly is none: masks, drawings, black images."""

import numpy as np
from numpy.typing import NDArray

from colpo_core.errors import ImageRejected
from colpo_core.images.decoding import CleanImage, decode_image

LEAST_SIDE_PX = 16
_DIM = 16  # of 255: a sixteenth, rounded as the pixels are
_MASK_EDGE = 24  # levels from black or white that a JPEG leaves of a mask
_MASK_SHARE = 0.95
_FEW_COLOURS = 16
_ONE_COLOUR = 8  # levels between the extremes of every channel


def decode_photograph(content: bytes) -> CleanImage:
    """Decode a file that is to be a photograph: `decode_image`, and it shows something.

    Raises:
        ImageRejected: As `decode_image`; or it is smaller than 16 pixels, of one colour, black all but for a sixteenth
            of its range, or of so few colours as masks and drawings have.
    """
    image = decode_image(content)
    reason = _why_no_photograph(image)
    if reason:
        raise ImageRejected(reason)
    return image


def _why_no_photograph(image: CleanImage) -> str:
    """Why a sound image is certainly no photograph of a cervix; empty where it may be one."""
    rgb = image.rgb
    if min(rgb.shape[:2]) < LEAST_SIDE_PX:
        return (
            f"The image is {image.width_px} × {image.height_px} pixels; at least {LEAST_SIDE_PX} a side are needed. "
            "Choose the photograph itself, not a preview."
        )
    lowest, highest = rgb.min(axis=(0, 1)).astype(int), rgb.max(axis=(0, 1)).astype(int)
    if (highest - lowest <= _ONE_COLOUR).all():
        colour = "black" if highest.max() <= _DIM else "white" if lowest.min() >= 255 - _DIM else "of one colour"
        return f"The image is {colour} all over: it shows nothing. Choose the photograph itself."
    if _is_drawn(rgb):
        return (
            "The image has so few colours as a mask or a drawing has. Choose the photograph itself; a mask comes in "
            "for its image with “annotations submit”."
        )
    if highest.max() > _DIM:
        return ""
    if image.bits > 8:
        return (
            "The image would come in black: the highest of its 16-bit values is a sixteenth of what they can be, or "
            "less. The device writes 12 bits or fewer and the file does not say so. Save it with 8 bits, or with its "
            "values stretched to the whole range."
        )
    return (
        "The image is all but black: its brightest value is a sixteenth of white, or less. Choose the photograph "
        "itself, or export it brighter."
    )


def _is_drawn(rgb: NDArray[np.uint8]) -> bool:
    """Whether an image is black and white alone, also after a JPEG, or of a handful of colours."""
    low, high = rgb.min(axis=2), rgb.max(axis=2)
    if np.mean((high < _MASK_EDGE) | (low > 255 - _MASK_EDGE)) >= _MASK_SHARE and (low > 255 - _MASK_EDGE).any():
        return True
    colours = rgb.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    # A few rows tell a photograph at once; only what has few colours there is counted as a whole.
    return len(np.unique(colours[:: max(1, len(colours) // 8)])) <= _FEW_COLOURS >= len(np.unique(colours))
