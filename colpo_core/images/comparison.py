"""Two masks of one image in one overlay."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Rgba = tuple[int, int, int, int]


def comparison_png(
    first: NDArray[np.bool_], second: NDArray[np.bool_], *, both: Rgba, first_alone: Rgba, second_alone: Rgba
) -> bytes:
    """Draw what two masks share and what each marks alone; the rest is transparent.

    Args:
        first: H x W bool.
        second: H x W bool of the same size.
        both: Colour and opacity of what both mark, each 0 to 255.
        first_alone: Likewise of what the first marks alone.
        second_alone: Likewise of what the second marks alone.

    Returns:
        An RGBA PNG of the masks' size, without metadata.

    Raises:
        ValueError: The masks are not of one size.
    """
    if first.shape != second.shape:
        raise ValueError(f"two masks of one size, not {first.shape} and {second.shape}")
    table = np.array([(0, 0, 0, 0), first_alone, second_alone, both], np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(table[first.astype(np.uint8) + 2 * second.astype(np.uint8)]).save(buffer, format="PNG")
    return buffer.getvalue()
