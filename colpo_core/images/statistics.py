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


def image_statistics(rgb: NDArray[np.uint8]) -> ImageStatistics:
    """Measure an image, its longer side brought to 256 pixels.

    Args:
        rgb: H x W x 3 uint8.

    Raises:
        ValueError: It is no such image.

    Source: Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy", for the Laplacian's variance.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:
        raise ValueError(f"expected an H x W x 3 uint8 image, got {rgb.shape} {rgb.dtype}")
    share = _SIDE_PX / max(rgb.shape[:2])
    size = (max(1, round(rgb.shape[1] * share)), max(1, round(rgb.shape[0] * share)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR))
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float64) / 255
    saturation = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)[..., 1].astype(np.float64) / 255
    variance = float(cv2.Laplacian(grey, cv2.CV_64F).var())
    return ImageStatistics(
        brightness=float(grey.mean()),
        contrast=float(grey.std()),
        saturation=float(saturation.mean()),
        sharpness=float(np.log10(max(variance, _LEAST_VARIANCE))),
    )
