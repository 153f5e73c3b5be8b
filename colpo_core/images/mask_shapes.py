"""Does a mask look like something that was not meant: an outline that was never filled, inside out, far too large?

Only asked, never changed: a person says what it is. Measured on AnnoCerv's outlines in `benchmarks/mask_shapes.py`.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from colpo_core.terms import MaskDoubt

# Lengths are shares of the diagonal of a piece's box, areas shares of the image.
WORKING_SIDE_PX = 512
THIN = 0.055
MOSTLY = 0.8
LONG = 0.08
LARGE_AREA = 0.60
FRAME = 0.6
# In fewer pixels a line and a region look the same.
LEAST_SIDE_PX = 48


def doubt_of(mask: NDArray[np.bool_], *, is_line: bool = False, is_large: bool = False) -> MaskDoubt | None:
    """What a mask looks like that was perhaps not meant; None where nothing is odd about it.

    Args:
        mask: H x W bool at the image's size.
        is_line: Whether what it shows is a line, so that a thin mask is right.
        is_large: Whether what it shows fills most of an image.
    """
    area = float(mask.mean())
    if area == 0:
        return MaskDoubt.EMPTY
    if not is_large and _surrounds(mask):
        return MaskDoubt.INVERTED
    if not is_large and area > LARGE_AREA:
        return MaskDoubt.LARGE
    if not is_line and min(mask.shape) >= LEAST_SIDE_PX and is_outline(mask):
        return MaskDoubt.OUTLINE
    return None


def is_outline(mask: NDArray[np.bool_]) -> bool:
    """Whether nearly all of a mask lies in pieces that are thin for their length, as a pen's line is.

    Half the width of a piece, where it is widest, is held against the diagonal of its box: a pen's line stays below
    5.5% of it, a region does not, unless it is a sliver that may be asked about.

    Args:
        mask: H x W bool.
    """
    small = _at_working_size(mask)
    count, places, boxes, _ = cv2.connectedComponentsWithStats(small.astype(np.uint8), connectivity=8)
    if count < 2:
        return False
    half_widths = cv2.distanceTransform(np.pad(small, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    widest = np.zeros(count)
    np.maximum.at(widest, places.ravel().astype(np.intp), half_widths[1:-1, 1:-1].ravel())
    lengths = np.hypot(boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT])
    areas = boxes[:, cv2.CC_STAT_AREA].astype(float)
    # The first component is the background. Specks are too short to tell a dot from a line.
    thin = (widest < np.maximum(THIN * lengths, 1.01)) & (lengths > LONG * np.hypot(*small.shape))
    return bool(areas[1:][thin[1:]].sum() >= MOSTLY * areas[1:].sum())


def _surrounds(mask: NDArray[np.bool_]) -> bool:
    """Whether a mask covers the frame of the image and leaves a hole in the middle: painted inside out."""
    frame = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return bool(frame.mean() >= FRAME and not mask.all())


def _at_working_size(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    scale = min(1.0, WORKING_SIDE_PX / min(mask.shape))
    if scale == 1.0:
        return mask
    height, width = (max(1, round(side * scale)) for side in mask.shape)
    # A line that gets thinner than a pixel must not break into dots.
    return np.asarray(cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0.25)
