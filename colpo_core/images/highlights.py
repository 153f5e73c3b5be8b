"""Specular highlights: where the lamp is mirrored, the picture shows no tissue."""

import cv2
import numpy as np
from numpy.typing import NDArray

_BRIGHT = 235
_GREY = 25
_REACH_PX = 3


def fill_highlights(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill pixels that are near white from their surroundings.

    Args:
        rgb: H x W x 3 uint8.

    Returns:
        H x W x 3 uint8, a new array.
    """
    darkest, brightest = rgb.min(axis=2), rgb.max(axis=2)
    found = ((darkest >= _BRIGHT) & (brightest - darkest <= _GREY)).astype(np.uint8)
    return np.asarray(cv2.inpaint(rgb, found, _REACH_PX, cv2.INPAINT_TELEA), dtype=np.uint8)
