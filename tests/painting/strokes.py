"""Masks as they grow under a brush, stroke by stroke."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from colpo_core.images.masks import encode_rle

ERASE_EVERY = 7
_STEPS = 9


def growing_lesion(seed: int, *, width_px: int, height_px: int) -> Iterator[bytes]:
    """The run-length codes of a mask that somebody paints without end; each differs from the one before.

    A stroke is a wandering line of brush width around the middle of the image; every seventh erases.
    """
    rng = np.random.default_rng(seed)
    pixels = np.zeros((height_px, width_px), np.uint8)
    brush_px = max(2, min(width_px, height_px) // 25)
    for number in range(1, 1_000_000):
        before = pixels.copy()
        is_eraser = number % ERASE_EVERY == 0
        while np.array_equal(before, pixels):
            path = _wander(rng, width_px, height_px)
            cv2.polylines(pixels, [path], isClosed=False, color=0 if is_eraser else 1, thickness=brush_px)
        yield encode_rle(pixels.astype(np.bool_))


def _wander(rng: np.random.Generator, width_px: int, height_px: int) -> NDArray[np.int32]:
    """The points of one stroke, N x 2 (x, y)."""
    side_px = min(width_px, height_px)
    start = rng.normal((width_px / 2, height_px / 2), side_px / 6)
    steps = rng.normal(0, side_px / 25, (_STEPS, 2)) + rng.normal(0, side_px / 30, 2)
    return np.rint(start + np.cumsum(steps, axis=0)).astype(np.int32)
