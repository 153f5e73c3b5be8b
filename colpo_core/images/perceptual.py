"""A perceptual hash: images that look alike have hashes that differ in few bits."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE_PX = 64
_FREQUENCIES = 16


def perceptual_hash(rgb: NDArray[np.uint8]) -> str:
    """The low frequencies of an image, each above or below their median.

    Args:
        rgb: HWC uint8.

    Returns:
        256 bits as 64 hexadecimal characters.

    Source: Zauner 2010, "Implementation and benchmarking of perceptual image hash functions", section 3.1.1 (DCT).
    """
    grey = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    low = np.asarray(cv2.dct(grey.astype(np.float32)))[:_FREQUENCIES, :_FREQUENCIES]
    return np.packbits(low > np.median(low)).tobytes().hex()
