"""Where a map's evidence is highest inside a mask: places to consider for a biopsy, as a proposal and no more."""

import io
from collections.abc import Sequence
from math import hypot

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colpo_core.images.clock_face import Clock
from colpo_core.records.review.explanations import ProposedSite

MOST_SITES = 3
_APART = 0.1
"""Sites lie at least so far from each other, as a share of the image's diagonal."""
_LEAST = 0.25
"""A further site holds at least this share of the first one's evidence."""
_SIDE_PX = 512
_COLOUR = (255, 196, 0, 255)
_EDGE = (20, 24, 26, 255)


def propose_sites(values: NDArray[np.float32], mask: NDArray[np.bool_], clock: Clock) -> tuple[ProposedSite, ...]:
    """The highest places of a map inside a mask, each a good way from those before it, the highest first.

    Args:
        values: h x w from 0, covering exactly the image: the 4-channel network's map for HSIL.
        mask: H x W of the image: where the same network saw acetowhite epithelium.
        clock: The face that hours are read from.

    Returns:
        Three at most; none where the mask is empty or the map holds no evidence in it.
    """
    height_px, width_px = mask.shape
    shrink = min(1.0, _SIDE_PX / max(mask.shape))
    height, width = (max(1, round(side * shrink)) for side in mask.shape)
    inside = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    evidence = np.asarray(cv2.resize(values.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR))
    evidence = np.where(inside, evidence, 0.0)
    rows, columns = np.mgrid[:height, :width]
    apart = _APART * hypot(height, width)
    sites: list[ProposedSite] = []
    highest = float(evidence.max())
    while len(sites) < MOST_SITES:
        row, column = (int(peak) for peak in np.unravel_index(int(evidence.argmax()), evidence.shape))
        here = float(evidence[row, column])
        if here <= 0 or here < _LEAST * highest:
            break
        x_px, y_px = (column + 0.5) * width_px / width, (row + 0.5) * height_px / height
        sites.append(ProposedSite(x_px, y_px, here / highest, clock.hour_at(x_px, y_px)))
        evidence = np.where(np.hypot(rows - row, columns - column) < apart, 0.0, evidence)
    return tuple(sites)


def sites_png(sites: Sequence[ProposedSite], *, height_px: int, width_px: int) -> bytes:
    """Numbered rings over an image, transparent elsewhere.

    Args:
        sites: Where, in the order of their numbers.
        height_px: Height of the image.
        width_px: Its width.
    """
    canvas = np.zeros((height_px, width_px, 4), np.uint8)
    radius = max(5, round(0.018 * hypot(height_px, width_px)))
    thickness = max(1, radius // 5)
    for number, site in enumerate(sites, start=1):
        centre = (round(site.x_px), round(site.y_px))
        for colour, width in ((_EDGE, 3 * thickness), (_COLOUR, thickness)):
            cv2.circle(canvas, centre, radius, colour, width, cv2.LINE_AA)
            corner = (centre[0] + radius + thickness, centre[1] - radius // 2)
            cv2.putText(canvas, str(number), corner, cv2.FONT_HERSHEY_SIMPLEX, radius / 18, colour, width, cv2.LINE_AA)
    buffer = io.BytesIO()
    Image.fromarray(canvas).save(buffer, format="PNG")
    return buffer.getvalue()
