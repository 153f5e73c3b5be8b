"""Fit an image into a box without changing its proportions, and bring what was found there back.

Training and inference use the same two ways, so that a network sees the same frame in both.
"""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", np.uint8, np.float32)


@dataclass(frozen=True)
class LetterboxGeometry:
    """Where an image lies in its box. `fit_into` makes one.

    Attributes:
        image_height_px: Height of the image itself.
        image_width_px: Width of the image itself.
        box_height_px: Height of the box.
        box_width_px: Width of the box.
        top_px: Rows of padding above.
        left_px: Columns of padding to the left.
        fitted_height_px: Rows of the box that show the image.
        fitted_width_px: Columns of the box that show the image.
    """

    image_height_px: int
    image_width_px: int
    box_height_px: int
    box_width_px: int
    top_px: int
    left_px: int
    fitted_height_px: int
    fitted_width_px: int

    @property
    def fills_box(self) -> bool:
        """Whether there is no padding."""
        return self.fitted_height_px == self.box_height_px and self.fitted_width_px == self.box_width_px

    @property
    def rows(self) -> slice:
        """Rows of the box that show the image."""
        return slice(self.top_px, self.top_px + self.fitted_height_px)

    @property
    def columns(self) -> slice:
        """Columns of the box that show the image."""
        return slice(self.left_px, self.left_px + self.fitted_width_px)


def fit_into(*, image_height_px: int, image_width_px: int, box_height_px: int, box_width_px: int) -> LetterboxGeometry:
    """Place an image in the middle of a box, as large as its proportions allow.

    Raises:
        ValueError: A side is not above 0.
    """
    if min(image_height_px, image_width_px, box_height_px, box_width_px) < 1:
        raise ValueError("every side of an image and its box must be above 0")
    scale = min(box_height_px / image_height_px, box_width_px / image_width_px)
    height = min(box_height_px, max(1, round(image_height_px * scale)))
    width = min(box_width_px, max(1, round(image_width_px * scale)))
    return LetterboxGeometry(
        image_height_px=image_height_px,
        image_width_px=image_width_px,
        box_height_px=box_height_px,
        box_width_px=box_width_px,
        top_px=(box_height_px - height) // 2,
        left_px=(box_width_px - width) // 2,
        fitted_height_px=height,
        fitted_width_px=width,
    )


def letterbox_image(
    rgb: NDArray[np.uint8], *, height_px: int, width_px: int
) -> tuple[NDArray[np.uint8], LetterboxGeometry]:
    """Fit an image into a box, padded with 0 (black).

    Args:
        rgb: HWC uint8.
        height_px: Height of the box.
        width_px: Width of the box.

    Returns:
        The box, height_px x width_px x 3 uint8, and where the image lies in it.

    Raises:
        ValueError: The image is not HWC uint8 with three channels.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"expected an H x W x 3 uint8 image, got {rgb.shape} {rgb.dtype}")
    geometry = fit_into(
        image_height_px=rgb.shape[0], image_width_px=rgb.shape[1], box_height_px=height_px, box_width_px=width_px
    )
    box = np.zeros((height_px, width_px, 3), dtype=np.uint8)
    box[geometry.rows, geometry.columns] = _resize(rgb, geometry.fitted_height_px, geometry.fitted_width_px)
    return box, geometry


def letterbox_mask(mask: NDArray[np.bool_], geometry: LetterboxGeometry) -> NDArray[np.bool_]:
    """Fit a mask into its image's box; a pixel of the box is set where at least half of what it shows is.

    Args:
        mask: HW bool at the image's own size.
        geometry: Where the image lies.

    Returns:
        HW bool at the box's size; the padding is not set.

    Raises:
        ValueError: The mask is not of the image's size.
    """
    if mask.shape != (geometry.image_height_px, geometry.image_width_px):
        raise ValueError(f"the mask is {mask.shape}, its image {geometry.image_height_px} x {geometry.image_width_px}")
    box = np.zeros((geometry.box_height_px, geometry.box_width_px), dtype=np.bool_)
    share = _resize(mask.astype(np.float32), geometry.fitted_height_px, geometry.fitted_width_px)
    box[geometry.rows, geometry.columns] = share >= 0.5
    return box


def crop_box(values: NDArray[np.float32], geometry: LetterboxGeometry) -> NDArray[np.float32]:
    """The part of a box that shows the image, without the padding.

    Args:
        values: H x W (x C) at the box's size.
        geometry: Where the image lies.

    Raises:
        ValueError: The values are not of the box's size.
    """
    if values.shape[:2] != (geometry.box_height_px, geometry.box_width_px):
        raise ValueError(f"expected values at the box's size, got {values.shape}")
    return values[geometry.rows, geometry.columns]


def unletterbox(values: NDArray[np.float32], geometry: LetterboxGeometry) -> NDArray[np.float32]:
    """Bring values of a box back to the image's own size, smoothly.

    Args:
        values: H x W float at the box's size.
        geometry: Where the image lies.

    Returns:
        H x W float32 at the image's own size.

    Raises:
        ValueError: The values are not of the box's size.
    """
    cropped = np.ascontiguousarray(crop_box(values, geometry), dtype=np.float32)
    return _resize(cropped, geometry.image_height_px, geometry.image_width_px)


def _resize(values: NDArray[Value], height_px: int, width_px: int) -> NDArray[Value]:
    """Shrink by area, so that nothing fine is skipped; enlarge bilinearly, so that nothing overshoots."""
    if values.shape[:2] == (height_px, width_px):
        return values
    shrinks = height_px < values.shape[0] or width_px < values.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, (width_px, height_px), interpolation=method), dtype=values.dtype)
