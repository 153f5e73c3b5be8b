"""A perceptual hash: photographs that look alike have hashes that differ in few bits.

It finds near copies, which a hash of the file does not: the same photograph stored again as a JPEG, at another size,
brighter, a little cropped, or turned over. `benchmarks/near_copies.py` measures how far copies and other patients'
images lie apart; the threshold stands where that table puts it.

Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", University of Applied Sciences
Upper Austria, Hagenberg 2010 (the lowest frequencies of the cosine transform, in bits). Three things are changed,
because colposcopy images resemble each other as a whole: the transform is taken of all pixels at once instead of a
thumbnail; each frequency is weighed by its own number, because the amplitudes of photographs fall with it (Field,
J. Opt. Soc. Am. A 4:2379, 1987); and each gives three bits instead of one (strongly positive, positive, strongly
negative), so that fewer and lower frequencies, which a crop moves less, fill the 256 bits.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

HASH_BITS = 256
NEAR_COPY_DISTANCE = 48
_N_WAVES = 85
_STRONG = 0.7  # of the median amplitude
_SILENT = 1e-6  # grey levels: what rounding leaves of a frequency that is not there
_BAND_ROWS = 256
_MOST_CELLS = 1_000_000  # pairs compared at once
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def _lowest_waves() -> NDArray[np.int64]:
    """The lowest frequencies without the mean: half waves down and across, one row each."""
    side = int(np.sqrt(2 * _N_WAVES)) + 1
    waves = [(down, across) for down in range(side) for across in range(side) if down or across]
    return np.array(sorted(waves, key=lambda wave: (wave[0] ** 2 + wave[1] ** 2, wave))[:_N_WAVES])


_WAVES = _lowest_waves()
_WEIGHTS = np.hypot(*_WAVES.T)
# Which frequencies change their sign when an image is turned over: left and right, top and bottom, or both.
_TURNS = tuple((_WAVES * axes).sum(axis=1) % 2 == 1 for axes in ((0, 1), (1, 0), (1, 1)))


def perceptual_hash(rgb: NDArray[np.uint8]) -> str:
    """Hash what an image looks like; equal pixels have equal hashes on every machine.

    Args:
        rgb: H x W x 3 uint8.

    Returns:
        256 bits as 64 hexadecimal digits.

    Raises:
        ValueError: The array is no such image.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise ValueError(f"an image is H x W x 3 uint8, not {rgb.dtype} of shape {rgb.shape}")
    amplitudes = _cosine_transform(rgb)[_WAVES[:, 0], _WAVES[:, 1]]
    amplitudes = np.where(np.abs(amplitudes) < _SILENT, 0.0, amplitudes) * _WEIGHTS
    strong = _STRONG * np.median(np.abs(amplitudes))
    bits = np.concatenate([amplitudes > strong, amplitudes > 0, amplitudes < -strong, [False]])
    return np.packbits(bits).tobytes().hex()


def hamming(first: str, second: str) -> int:
    """In how many of their bits two hashes differ, 0 to 256."""
    return (int(first, 16) ^ int(second, 16)).bit_count()


def near_pairs(hashes: Sequence[str], *, max_distance: int = NEAR_COPY_DISTANCE) -> list[tuple[int, int, int]]:
    """Find all pairs of hashes that lie close to each other, also where one image is turned over.

    An image and its mirror image differ in known bits, so each pair is compared as it is, with left and right
    exchanged, with top and bottom exchanged, and with both; the smallest distance counts.

    Args:
        hashes: What `perceptual_hash` returned.
        max_distance: Largest distance of a pair.

    Returns:
        Place of the first and of the second hash (first < second) and their distance, in order.
    """
    bits = np.unpackbits(np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(-1, HASH_BITS // 8), axis=1)
    plain = _words(bits)
    variants = (plain, *(_words(_turned(bits, signs)) for signs in _TURNS))
    step = max(1, _MOST_CELLS // max(1, len(hashes)))
    found: list[tuple[int, int, int]] = []
    for top in range(0, len(hashes), step):
        distances = np.minimum.reduce([_distances(plain[:, top : top + step], other[:, top:]) for other in variants])
        rows, columns = np.nonzero(distances <= max_distance)
        later = columns > rows
        rows, columns = rows[later], columns[later]
        found += zip((rows + top).tolist(), (columns + top).tolist(), distances[rows, columns].tolist(), strict=True)
    return found


def _cosine_transform(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean of the grey image times each pair of half waves, in grey levels; by bands of rows, to need little memory."""
    height_px, width_px = rgb.shape[:2]
    n_waves = int(_WAVES.max()) + 1
    down, across = _half_waves(n_waves, height_px), _half_waves(n_waves, width_px)
    total = np.zeros((n_waves, n_waves))
    for top in range(0, height_px, _BAND_ROWS):
        grey = rgb[top : top + _BAND_ROWS] @ _LUMA
        total += down[:, top : top + _BAND_ROWS] @ (grey @ across.T)
    return total


def _half_waves(n_waves: int, length_px: int) -> NDArray[np.float64]:
    """Cosines of 0, 1, 2 ... half waves over a side, one a row, divided by its length."""
    middles = (np.arange(length_px) + 0.5) / length_px
    return np.cos(np.pi * np.outer(np.arange(n_waves), middles)) / length_px


def _turned(bits: NDArray[np.uint8], signs: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Bits of the images turned over, N x 256: the frequencies that change their sign exchange strong and negate."""
    above, positive, below = (bits[:, start : start + _N_WAVES] for start in range(0, 3 * _N_WAVES, _N_WAVES))
    parts = (np.where(signs, below, above), positive ^ signs, np.where(signs, above, below), bits[:, 3 * _N_WAVES :])
    return np.concatenate(parts, axis=1)


def _words(bits: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """N x 256 bits as 4 x N words."""
    return np.ascontiguousarray(np.packbits(bits, axis=1).view(np.uint64).T)


def _distances(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Distances of N hashes to M others, N x M, from 4 x N and 4 x M words."""
    total = np.zeros((first.shape[1], second.shape[1]), np.uint16)
    for one, other in zip(first, second, strict=True):
        total += np.bitwise_count(one[:, None] ^ other[None, :])
    return total
