"""Masks: the run-length code that the store keeps and the browser speaks, and masks as PNG.

The code lists the lengths of the runs in row-major order, alternating between background and foreground. The first
run is background and is 0 where the mask starts in the foreground; every other run is at least 1; together they
count every pixel once. Each length is an unsigned LEB128 varint: seven bits a byte, the lowest first, the high bit
set on all bytes but the last, in as few bytes as it takes. So every mask has exactly one code, and equal masks have
equal hashes.
"""

import hashlib
import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colpo_core.errors import MaskRejected

MAX_VARINT_BYTES = 5
_PNG_COMPRESS_LEVEL = 6


def encode_rle(mask: NDArray[np.bool_]) -> bytes:
    """Write a mask as its run-length code.

    Args:
        mask: H x W bool, True in the foreground.

    Returns:
        The only code of this mask.

    Raises:
        ValueError: The array is not a two-dimensional bool array with at least one pixel.
    """
    if mask.dtype != np.bool_ or mask.ndim != 2 or mask.size == 0:
        raise ValueError(f"a mask is a two-dimensional bool array with pixels, not {mask.dtype} of shape {mask.shape}")
    flat = mask.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate(([0], changes, [flat.size]))
    runs = np.diff(edges)
    if flat[0]:
        runs = np.concatenate(([0], runs))
    return _write_varints(runs.astype(np.int64))


def decode_rle(code: bytes, *, height_px: int, width_px: int) -> NDArray[np.bool_]:
    """Read a run-length code back.

    Args:
        code: What `encode_rle` or the browser wrote.
        height_px: Height of the image that the mask belongs to.
        width_px: Its width.

    Returns:
        H x W bool.

    Raises:
        MaskRejected: The code is damaged or belongs to an image of another size.
        ValueError: The height or the width is less than 1.
    """
    runs = _read_runs(code, height_px=height_px, width_px=width_px)
    is_foreground = np.arange(runs.size) % 2 == 1
    return np.repeat(is_foreground, runs).reshape(height_px, width_px)


def rle_area(code: bytes, height_px: int, width_px: int) -> int:
    """Count the foreground pixels of a code without drawing the mask.

    Raises:
        MaskRejected: The code is damaged or belongs to an image of another size.
    """
    return int(_read_runs(code, height_px=height_px, width_px=width_px)[1::2].sum())


def mask_sha256(code: bytes) -> str:
    """The name of a mask in the store: the SHA-256 of its code, in hexadecimal."""
    return hashlib.sha256(code).hexdigest()


def mask_png(mask: NDArray[np.bool_], *, rgba: tuple[int, int, int, int] | None = None) -> bytes:
    """Write a mask as a PNG.

    Args:
        mask: H x W bool.
        rgba: Colour and opacity of the foreground, each 0 to 255, for an overlay that is transparent elsewhere;
            None for a grey image with 0 in the background and 255 in the foreground.

    Returns:
        The PNG file, without metadata.
    """
    if rgba is None:
        image = Image.fromarray(mask.astype(np.uint8) * np.uint8(255))
    else:
        table = np.zeros((2, 4), np.uint8)
        table[1] = rgba
        image = Image.fromarray(table[mask.astype(np.uint8)])
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=_PNG_COMPRESS_LEVEL)
    return buffer.getvalue()


def resize_mask(mask: NDArray[np.bool_], *, height_px: int, width_px: int) -> NDArray[np.bool_]:
    """Bring a mask to another size.

    A new pixel is foreground where at least half of what it covers was: smaller masks keep their area, larger ones
    a smooth margin.

    Args:
        mask: H x W bool.
        height_px: New height.
        width_px: New width.
    """
    if mask.shape == (height_px, width_px):
        return mask.copy()
    shrinks = height_px <= mask.shape[0] and width_px <= mask.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    soft = cv2.resize(mask.astype(np.float32), (width_px, height_px), interpolation=method)
    return np.asarray(soft >= 0.5)


def _write_varints(values: NDArray[np.int64]) -> bytes:
    lengths = np.ones(values.size, np.int64)
    for n_bytes in range(1, MAX_VARINT_BYTES):
        lengths += values >= 1 << (7 * n_bytes)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    code = np.zeros(int(ends[-1]), np.uint8)
    for digit in range(int(lengths.max())):
        has_place = lengths > digit
        more = lengths[has_place] > digit + 1
        bits = (values[has_place] >> (7 * digit)) & 0x7F
        code[starts[has_place] + digit] = bits | (more * 0x80)
    return code.tobytes()


def _read_runs(code: bytes, *, height_px: int, width_px: int) -> NDArray[np.int64]:
    """Read the runs of a code and check every rule of the format."""
    if height_px < 1 or width_px < 1:
        raise ValueError(f"an image has at least one pixel, not {height_px} x {width_px}")
    n_pixels = height_px * width_px
    runs = _read_varints(code)
    if np.any(runs[1:] == 0):
        raise MaskRejected("The mask is damaged: it holds an empty run. Load the image again and paint it anew.")
    if np.any(runs > n_pixels) or int(runs.sum()) != n_pixels:
        raise MaskRejected(
            f"The mask does not fit its image: its runs do not add up to {width_px} x {height_px} pixels. "
            "Load the image again, so that mask and image belong together."
        )
    return runs


def _read_varints(code: bytes) -> NDArray[np.int64]:
    data = np.frombuffer(code, np.uint8)
    if data.size == 0:
        raise MaskRejected("The mask is empty: not even a background run is there. Load the image again.")
    ends = np.flatnonzero(data < 0x80)
    if data[-1] >= 0x80:
        raise MaskRejected("The mask is cut short: its last number does not end. Send it again.")
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if np.any(lengths > MAX_VARINT_BYTES):
        raise MaskRejected(f"The mask is damaged: one of its numbers is longer than {MAX_VARINT_BYTES} bytes.")
    if np.any((lengths > 1) & (data[ends] == 0)):
        raise MaskRejected("The mask is damaged: one of its numbers is written longer than it needs to be.")
    values = np.zeros(starts.size, np.int64)
    for digit in range(int(lengths.max())):
        has_place = lengths > digit
        values[has_place] |= (data[starts[has_place] + digit].astype(np.int64) & 0x7F) << (7 * digit)
    return values
