"""A few figures of an image that move when the device, its light or its focus do."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE_PX = 256
_LEAST_VARIANCE = 1e-6


@dataclass(frozen=True)
class ImageStatistics:
    """Figures of a whole image, measured at one size, so that resolution alone moves none of them.

    Attributes:
        brightness: Mean grey, 0 to 1.
        contrast: Standard deviation of grey, 0 to 0.5.
        saturation: Mean saturation in HSV, 0 to 1.
        sharpness: Decimal logarithm of the variance of the grey image's Laplacian; lower out of focus.
    """

    brightness: float
    contrast: float
    saturation: float
    sharpness: float


def at_one_size(rgb: NDArray[np.uint8], *, least_px: int = 1) -> NDArray[np.uint8]:
    """An image whose longer side is brought to 256 pixels.

    Args:
        rgb: H x W x 3 uint8.
        least_px: The shorter side has at least so many.

    Raises:
        ValueError: It is no such image.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:
        raise ValueError(f"expected an H x W x 3 uint8 image, got {rgb.shape} {rgb.dtype}")
    share = _SIDE_PX / max(rgb.shape[:2])
    size = (max(least_px, round(rgb.shape[1] * share)), max(least_px, round(rgb.shape[0] * share)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR), np.uint8)


def sharpness_of(grey: NDArray[np.float64]) -> float:
    """Decimal logarithm of the variance of the Laplacian of a grey image, H x W in [0, 1]; lower out of focus.

    Source: Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy".
    """
    return float(np.log10(max(float(cv2.Laplacian(grey, cv2.CV_64F).var()), _LEAST_VARIANCE)))


def image_statistics(rgb: NDArray[np.uint8]) -> ImageStatistics:
    """Measure an image, its longer side brought to 256 pixels.

    Args:
        rgb: H x W x 3 uint8.

    Raises:
        ValueError: It is no such image.
    """
    small = at_one_size(rgb)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float64) / 255
    saturation = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)[..., 1].astype(np.float64) / 255
    return ImageStatistics(
        brightness=float(grey.mean()),
        contrast=float(grey.std()),
        saturation=float(saturation.mean()),
        sharpness=sharpness_of(grey),
    )
