"""Specular highlights: find the lamps' mirror images on wet tissue and fill them from their surroundings.

A highlight is bright, unsaturated and small. Dense acetowhite epithelium is bright and unsaturated too, so what counts
is how far a small spot stands out of what lies around it: broad areas are left as they are, to their very corners.

Source: Das, Kar and Bhattacharyya 2011, "Elimination of specular reflection and identification of ROI" (bright and
unsaturated, filled from around); Oh et al. 2007, "Informative frame classification for endoscopy video", section 2.3
(absolute brightness, and brightness against the surroundings); Arnold et al. 2010, "Automatic segmentation and
inpainting of specular highlights for endoscopic imaging" (both together); Vincent 1993, "Grayscale area openings and
closings" (peaks by their area); Bertalmio et al. 2001 (filling by Navier-Stokes).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

BRIGHT = 170
"""A highlight's darkest channel reaches this: then the colour is bright and unsaturated at once."""
CONTRAST = 40
"""So far a highlight's darkest channel lies above that of the broad area around it, which is known in steps of 20."""
MAX_AREA = 0.003
"""Share of the image above which a bright spot is an area of its own, not a highlight."""
_LEVEL_STEP = 20
_RIM = 0.004  # of the image's height: the halo that a lens draws around a highlight
_REACH_PX = 3  # how far the filling looks


def fill_highlights(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill specular highlights from their surroundings; equal images give equal results.

    Training and use apply it in the same place: to the image at its own size, before it is fitted into a box.

    Args:
        rgb: HWC uint8.

    Returns:
        HWC uint8 of the same size, a new array; outside the highlights and their rim nothing has changed.

    Raises:
        ValueError: The image is not HWC uint8 with three channels.
    """
    highlights = find_highlights(rgb)
    if not highlights.any():
        return rgb.copy()
    rim_px = max(1, round(_RIM * rgb.shape[0]))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim_px + 1, 2 * rim_px + 1))
    hole = cv2.dilate(highlights.astype(np.uint8), disc)
    return np.asarray(cv2.inpaint(np.ascontiguousarray(rgb), hole, _REACH_PX, cv2.INPAINT_NS), dtype=np.uint8)


def find_highlights(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where an image shows specular highlights.

    Args:
        rgb: HWC uint8.

    Returns:
        HW bool.

    Raises:
        ValueError: The image is not HWC uint8 with three channels.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"expected an H x W x 3 uint8 image, got {rgb.shape} {rgb.dtype}")
    darkest = rgb.min(axis=2)
    if darkest.max() < BRIGHT:
        return np.zeros(darkest.shape, dtype=np.bool_)
    stands_out = darkest.astype(np.int16) - _broad_level(darkest) >= CONTRAST
    return np.asarray(stands_out & (darkest >= BRIGHT))


def _broad_level(darkest: NDArray[np.uint8]) -> NDArray[np.int16]:
    """The brightness of the broad area that a pixel lies in: an opening by area, in steps of some levels.

    For each level, the pixels that reach it fall into connected areas; the broad ones keep it.
    """
    largest_px = max(1, round(MAX_AREA * darkest.size))
    # Darker surroundings need not be told apart: every bright spot stands out of them.
    lowest = BRIGHT - CONTRAST
    broad = np.full(darkest.shape, lowest - _LEVEL_STEP, dtype=np.int16)
    for level in range(lowest, 256, _LEVEL_STEP):
        reached = (darkest >= level).astype(np.uint8)
        _, areas, figures, _ = cv2.connectedComponentsWithStats(reached, connectivity=8, ltype=cv2.CV_32S)
        is_broad = figures[:, cv2.CC_STAT_AREA] > largest_px
        is_broad[0] = False  # the pixels that do not reach the level
        if not is_broad.any():
            break
        broad[is_broad[areas]] = level
    return broad
