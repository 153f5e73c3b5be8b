"""The file that keeps where a network saw something: a probability for each place of an image. Imports no torch.

It is a grey PNG at the network's own resolution, 0 black and 1 white, and covers exactly the image. Steps of 1/255 are
finer than what a network's probabilities mean, and any program can look at it.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from colpo_core.errors import InputRejected

_MOST = 255


def pack_probabilities(probs: NDArray[np.float32]) -> bytes:
    """Write probabilities as a grey PNG; equal ones give equal files.

    Args:
        probs: h x w float, each 0 to 1.

    Raises:
        ValueError: The array is not two-dimensional, or a value is not between 0 and 1.
    """
    if probs.ndim != 2 or probs.size == 0 or not ((probs >= 0) & (probs <= 1)).all():
        raise ValueError(f"probabilities are H x W from 0 to 1, not of shape {probs.shape}")
    buffer = io.BytesIO()
    Image.fromarray(np.rint(probs * _MOST).astype(np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


def unpack_probabilities(content: bytes) -> NDArray[np.float32]:
    """Read what `pack_probabilities` wrote, to 1/510.

    Returns:
        h x w float32, each 0 to 1.

    Raises:
        InputRejected: The file is damaged.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            grey = np.asarray(image)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError) as error:
        raise InputRejected(_DAMAGED) from error
    if grey.ndim != 2 or grey.dtype != np.uint8:
        raise InputRejected(_DAMAGED)
    return np.asarray(grey / np.float32(_MOST), dtype=np.float32)


_DAMAGED = "The prediction's probabilities are damaged. Restore them from a back-up, or predict again."
