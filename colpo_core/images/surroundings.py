"""What an image shows beside the cervix: its light, colours and sharpness near the edge, its border, and marks on it.

A network may learn a label from these where they happen to go with it: another device, a frame, a ruler or a dot in a
corner. What lies in the middle, where a lesion can be, takes no part, so that an honest sign is no suspect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from colpo_core.images.quality_figures import at_one_size

SURROUNDINGS_VERSION = 1
"""Goes up with every change of what is measured; what was measured by another version is measured anew."""

_CORNERS_FROM = 1.0  # half sides from the middle: outside the ellipse that touches all four sides
_MARKS_FROM = 0.75  # half sides from the middle: marks further inside may be part of a lesion
_BANDS_PX = ((0, 1), (1, 3), (3, 6), (6, 12))  # from the edge inwards, at 256 pixels
_DARK = 16  # of 255: darker is no light but the dark field around a colposcope's image
_SMALL_PX = 15  # at 256 pixels: whatever fits into this may be a mark
_ACROSS, _DOWN = 24, 18
_CORNER = 4  # cells a side
_GARISH = 110  # of 255: a saturation that tissue has in red alone
_BLOCK_PX = 8  # the blocks of JPEG
_LEAST_VARIANCE = 1e-6

Measured = NDArray[np.float32]


def _out(shape: tuple[int, int]) -> NDArray[np.float64]:
    """How far each place lies from the middle: 1 on the ellipse that touches all four sides."""
    down = (np.arange(shape[0]) + 0.5) / shape[0] * 2 - 1
    across = (np.arange(shape[1]) + 0.5) / shape[1] * 2 - 1
    return np.asarray(np.hypot(down[:, None], across[None, :]))


_OUTER_CELLS = _out((_DOWN, _ACROSS)) > _MARKS_FROM


class Aspect(StrEnum):
    """What is measured of an image's surroundings."""

    LIGHT = "light"
    COLOUR = "colour"
    SHARPNESS = "sharpness"
    BORDER = "border"
    MARKS = "marks"


LENGTHS: Mapping[Aspect, int] = {
    Aspect.LIGHT: 7,
    Aspect.COLOUR: 15,
    Aspect.SHARPNESS: 5,
    Aspect.BORDER: 54,
    Aspect.MARKS: 6 * int(_OUTER_CELLS.sum()) + 4 * 6 + 5,
}
"""How many figures each of them has."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What was measured of one image.

    Attributes:
        figures: Of each aspect float32 of shape (its length,), see `LENGTHS`.
    """

    figures: Mapping[Aspect, Measured]

    def pack(self) -> bytes:
        """All figures as bytes, to be kept; half precision is more than they need."""
        return np.concatenate([self.figures[aspect] for aspect in Aspect]).astype("<f2").tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> "Surroundings":
        """What `pack` made.

        Raises:
            ValueError: It has another length.
        """
        flat = np.frombuffer(packed, "<f2").astype(np.float32)
        if len(flat) != sum(LENGTHS.values()):
            raise ValueError(f"{len(flat)} figures, not {sum(LENGTHS.values())}")
        ends = np.cumsum([LENGTHS[aspect] for aspect in Aspect])[:-1]
        return cls(dict(zip(Aspect, np.split(flat, ends), strict=True)))


def surroundings(rgb: NDArray[np.uint8]) -> Surroundings:
    """Measure what an image shows beside the cervix.

    Args:
        rgb: H x W x 3 uint8.

    Raises:
        ValueError: It is no such image.
    """
    small = at_one_size(rgb, least_px=_DOWN)
    corners = _in_corners(small)
    figures = {
        Aspect.LIGHT: _light(small, corners),
        Aspect.COLOUR: _colour(small, corners),
        Aspect.SHARPNESS: _sharpness(rgb, small, corners),
        Aspect.BORDER: _border(small),
        Aspect.MARKS: _marks(small),
    }
    return Surroundings({aspect: np.asarray(figures[aspect], np.float32) for aspect in Aspect})


def _in_corners(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray(_out((image.shape[0], image.shape[1])) > _CORNERS_FROM)


def _corners(small: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The four corners, each a seventh of the image wide and high."""
    high, wide = max(1, small.shape[0] // 7), max(1, small.shape[1] // 7)
    return [small[down, across] for down in (slice(high), slice(-high, None))
            for across in (slice(wide), slice(-wide, None))]  # fmt: skip


def _light(small: NDArray[np.uint8], corners: NDArray[np.bool_]) -> list[float]:
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    quantiles = np.percentile(grey[corners], (10, 50, 90)) / 255
    return [*quantiles, *(float(corner.mean()) / 255 for corner in _corners(small))]


def _colour(small: NDArray[np.uint8], corners: NDArray[np.bool_]) -> list[float]:
    """Shares of red and blue, which the exposure does not move, and saturation; of what is lit."""
    seen = small[corners].astype(np.float32)
    lit = seen[seen.max(axis=1) >= _DARK]
    if not len(lit):
        return [0.0] * LENGTHS[Aspect.COLOUR]
    shares = lit / np.maximum(lit.sum(axis=1, keepdims=True), 1)
    saturation = 1 - lit.min(axis=1) / np.maximum(lit.max(axis=1), 1)
    whole = [*np.median(shares, axis=0), float(np.median(saturation)), *shares.std(axis=0)]
    means = [corner.reshape(-1, 3).mean(axis=0) for corner in _corners(small)]
    return [*whole, *(value for mean in means for value in (mean[[0, 2]] / max(float(mean.sum()), 1.0)))]


def _sharpness(rgb: NDArray[np.uint8], small: NDArray[np.uint8], corners: NDArray[np.bool_]) -> list[float]:
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    large_corners = _in_corners(grey)
    fine = cv2.Laplacian(grey, cv2.CV_32F)[large_corners]
    coarse = cv2.Laplacian(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), cv2.CV_32F)[corners]
    return [
        _log(float(fine.var())),
        _log(float(coarse.var())),
        # Noise as the median of what two neighbouring differences leave: Immerkaer 1996, made robust.
        float(np.median(np.abs(fine))) / 255,
        _blocks(grey),
        _blocks(grey.T),
    ]


def _blocks(grey: NDArray[np.uint8]) -> float:
    """How much larger steps are at the borders of JPEG's blocks than elsewhere, as a logarithm."""
    if grey.shape[1] < 2 * _BLOCK_PX + 1:
        return 0.0
    steps = np.abs(np.diff(grey.astype(np.int16), axis=1)).mean(axis=0)
    at_border = np.arange(1, grey.shape[1]) % _BLOCK_PX == 0
    return _log(float(steps[at_border].mean()) + 0.1) - _log(float(steps[~at_border].mean()) + 0.1)


def _log(value: float) -> float:
    return float(np.log10(max(value, _LEAST_VARIANCE)))


def _border(small: NDArray[np.uint8]) -> list[float]:
    """Colour of bands along the four sides, how far dark rows reach in from each, and how much of it is dark."""
    turned = [np.rot90(small, quarter) for quarter in range(4)]
    bands = [float(v) / 255 for side in turned for first, last in _BANDS_PX for v in side[first:last].mean(axis=(0, 1))]
    lightest = cv2.max(cv2.max(small[..., 0], small[..., 1]), small[..., 2])
    dark = [_dark_rows(np.rot90(lightest, quarter)) for quarter in range(4)]
    outermost = np.concatenate([side[:2].reshape(-1, 3) for side in turned]).astype(np.float32)
    return [*bands, *dark, float((lightest < _DARK).mean()), float(outermost.std(axis=0).mean()) / 255]


def _dark_rows(side: NDArray[np.uint8]) -> float:
    """Share of the rows from the first that are dark nearly all over."""
    is_dark = (side < _DARK).mean(axis=1) > 0.9
    reach = int(np.argmin(is_dark)) if not is_dark.all() else len(is_dark)
    return reach / len(is_dark)


def _marks(small: NDArray[np.uint8]) -> list[float]:
    """Small bright and dark spots in each cell of a grid, in each corner, and colours that tissue does not have."""
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (_SMALL_PX, _SMALL_PX))
    bright = cv2.morphologyEx(small, cv2.MORPH_TOPHAT, kernel)
    # A black dot in a dark corner differs little from it, but is nothing of what is around it.
    around = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel).astype(np.float32)
    dark = (255 * (around - small) / (around + _DARK)).astype(np.uint8)
    cells = _cells(np.concatenate([bright, dark], axis=2))
    corners = [cells[rows, columns].max(axis=(0, 1)) for rows in (slice(_CORNER), slice(-_CORNER, None))
               for columns in (slice(_CORNER), slice(-_CORNER, None))]  # fmt: skip
    return [*(cells[_OUTER_CELLS].ravel() / 255), *(np.concatenate(corners) / 255), *_garish(small)]


def _cells(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The highest value of each channel in each cell: rows x columns x channels."""
    rows = np.linspace(0, image.shape[0], _DOWN + 1).astype(int)[:-1]
    columns = np.linspace(0, image.shape[1], _ACROSS + 1).astype(int)[:-1]
    return np.asarray(np.maximum.reduceat(np.maximum.reduceat(image, rows, axis=0), columns, axis=1), np.float32)


def _garish(small: NDArray[np.uint8]) -> list[float]:
    """How much is strongly yellow, green, cyan, blue or magenta: logarithms of the shares of the image."""
    hue, saturation, value = cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2HSV))
    strong = (saturation > _GARISH) & (value > 60)
    sectors = ((25, 35), (35, 80), (80, 100), (100, 135), (135, 165))
    return [float(np.log10(1e-4 + (strong & (hue >= low) & (hue < high)).mean())) for low, high in sectors]
