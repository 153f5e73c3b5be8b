"""A perceptual hash: photographs that look alike have hashes that differ in few bits.

It finds near copies, which a hash of the file does not: the same photograph stored again as a JPEG, at another size,
brighter, cropped, mirrored or turned, between black bars, or darkened towards its edge. `benchmarks/near_copies.py`
measures how far copies and other patients' images lie apart; the threshold stands where that table puts it.

Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", University of Applied Sciences
Upper Austria, Hagenberg 2010 (the lowest frequencies of the cosine transform, in bits). What is changed, because
colposcopy images resemble each other as a whole: each frequency is weighed by its own number, because the amplitudes
of photographs fall with it (Field, J. Opt. Soc. Am. A 4:2379, 1987); each gives three bits instead of one (strongly
positive, positive, strongly negative), so that fewer and lower frequencies, which a crop moves less, fill the 256 bits;
black bars are cut off and the corners do not count, so that neither a bar nor the round edge of a device's field is
what is compared; and six views of each image are hashed, the whole and five that lack a twentieth of both sides, so
that a cropped copy meets a view that was cropped as it was.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HASH_BITS = 256
FINGERPRINT_DIGITS = 384
"""Hexadecimal digits of a hash: 256 bits for each of six views."""
NEAR_COPY_DISTANCE = 36
_N_WAVES = 85
_STRONG = 0.7  # of the median amplitude
_SILENT = 1e-6  # grey levels: what rounding leaves of a frequency that is not there
_SIDE_PX = 192
_CUT_PX = 10  # what the cropped views lack of both sides, a twentieth
_VIEWS = ((0, 0, 0), (0, 0, 1), (0, 2, 1), (2, 0, 1), (2, 2, 1), (1, 1, 1))  # halves of the cut above, left; is cut
_WORTH_A_LOOK = 80  # whole images that differ in more bits are no crops of each other
_BLACK = 24  # grey levels: no darker is a bar, also after a JPEG
_LIT_SHARE = 0.05  # of a row or column that is no bar
_LEAST_LEFT = 0.1  # of the image between bars; a dark photograph has none
_MOST_CELLS = 1_000_000  # pairs compared at once
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def _lowest_waves() -> NDArray[np.int64]:
    """The lowest frequencies without the mean: half waves down and across, one row each."""
    side = int(np.sqrt(2 * _N_WAVES)) + 1
    waves = [(down, across) for down in range(side) for across in range(side) if down or across]
    return np.array(sorted(waves, key=lambda wave: (wave[0] ** 2 + wave[1] ** 2, wave))[:_N_WAVES])


def _middle() -> NDArray[np.float64]:
    """How much each pixel counts: all of it in the middle, nothing in the corners."""
    across = (np.arange(_SIDE_PX) + 0.5) / _SIDE_PX * 2 - 1
    radius = np.hypot(across[:, None], across[None, :])
    return np.clip((1.25 - radius) / 0.5, 0.0, 1.0)


_WAVES = _lowest_waves()
_WEIGHTS = np.hypot(*_WAVES.T)
_MIDDLE = _middle()
# Which frequencies change their sign when an image is turned over: left and right, top and bottom, or both.
_TURNS = tuple((_WAVES * axes).sum(axis=1) % 2 == 1 for axes in ((0, 1), (1, 0), (1, 1)))
# Where each frequency stands once rows and columns are exchanged; the waves are as many down as across.
_EXCHANGED = np.array([int(np.flatnonzero((wave[::-1] == _WAVES).all(axis=1))[0]) for wave in _WAVES])


def perceptual_hash(rgb: NDArray[np.uint8]) -> str:
    """Hash what an image looks like; equal pixels have equal hashes on every machine.

    Args:
        rgb: H x W x 3 uint8.

    Returns:
        Six times 256 bits as 384 hexadecimal digits, the whole image first.

    Raises:
        ValueError: The array is no such image.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise ValueError(f"an image is H x W x 3 uint8, not {rgb.dtype} of shape {rgb.shape}")
    # Pillow averages in whole numbers, which are the same everywhere.
    small = Image.fromarray(_without_bars(rgb)).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    grey = np.asarray(small) @ _LUMA
    seen = (grey - np.average(grey, weights=_MIDDLE)) * _MIDDLE
    return b"".join(_hash(view) for view in _views(seen)).hex()


def distance(first: str, second: str) -> int:
    """In how many of 256 bits two images differ, as `near_pairs` counts."""
    return near_pairs([first, second], max_distance=HASH_BITS)[0][2]


def near_pairs(hashes: Sequence[str], *, max_distance: int = NEAR_COPY_DISTANCE) -> list[tuple[int, int, int]]:
    """Find all pairs of hashes that lie close to each other, also where one image is mirrored, turned or cropped.

    An image and its mirror image differ in known bits, and so do an image and the same turned by a quarter: each pair
    is compared in all eight ways. Where the whole images are not quite unlike, the whole of one is also compared with
    the cropped views of the other. The smallest distance counts.

    Args:
        hashes: What `perceptual_hash` returned.
        max_distance: Largest distance of a pair.

    Returns:
        Place of the first and of the second hash (first < second) and their distance, in order.
    """
    looks = Looks(hashes)
    step = max(1, _MOST_CELLS // max(1, len(hashes)))
    pairs: list[tuple[int, int, int]] = []
    for top in range(0, len(hashes), step):
        rows, columns, distances = looks.near(looks.part(top, top + step), max_distance=max_distance, start=top)
        rows += top
        later = columns > rows
        pairs += zip(rows[later].tolist(), columns[later].tolist(), distances[later].tolist(), strict=True)
    return pairs


class Looks:
    """Hashes made ready to be compared with others.

    Args:
        hashes: What `perceptual_hash` returned.

    Raises:
        ValueError: One of them is no such hash.
    """

    def __init__(self, hashes: Sequence[str]) -> None:
        if any(len(digits) != FINGERPRINT_DIGITS for digits in hashes):
            raise ValueError(f"a perceptual hash has {FINGERPRINT_DIGITS} hexadecimal digits")
        packed = np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(-1, len(_VIEWS), HASH_BITS // 8)
        bits = np.unpackbits(packed, axis=2)
        # Eight ways x views x four words x images: to count bits, all images of one word lie side by side.
        self._ways = np.stack([np.stack([_words(way) for way in _eight(bits[:, view])]) for view in range(len(_VIEWS))])

    def __len__(self) -> int:
        """How many images."""
        return int(self._ways.shape[3])

    def part(self, start: int, stop: int) -> "Looks":
        """Some of them, by their places."""
        part = object.__new__(Looks)
        part._ways = self._ways[..., start:stop]
        return part

    @classmethod
    def joined(cls, parts: "Sequence[Looks]") -> "Looks":
        """Several as one, in their order."""
        both = object.__new__(cls)
        both._ways = np.concatenate([part._ways for part in parts], axis=3)
        return both

    def near(
        self, others: "Looks", *, max_distance: int = NEAR_COPY_DISTANCE, start: int = 0
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint16]]:
        """Which of these lie close to which of some others.

        Args:
            others: The others.
            max_distance: Largest distance of a pair.
            start: First place among these that is looked at.

        Returns:
            For each pair the place of the other, of this one, and their distance.
        """
        asked = others._ways[0, 0]
        whole = np.minimum.reduce([_distances(asked, way[:, start:]) for way in self._ways[0]])
        rows, columns = np.nonzero(whole <= max(max_distance, _WORTH_A_LOOK))
        distances = whole[rows, columns]
        columns += start
        alike = np.flatnonzero(distances <= _WORTH_A_LOOK)
        if len(alike):
            distances[alike] = np.minimum(distances[alike], self._by_views(others, rows[alike], columns[alike]))
        close = distances <= max_distance
        return rows[close], columns[close], distances[close]

    def _by_views(self, others: "Looks", rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.uint16]:
        """Least distance of pairs, the whole of one against the cropped views of the other."""
        least = np.full(len(rows), HASH_BITS, np.uint16)
        wholes, whole_others = self._ways[0, 0][:, columns], others._ways[0, 0][:, rows]
        for view in range(1, len(_VIEWS)):
            for way in range(self._ways.shape[1]):
                np.minimum(least, _differing(whole_others, self._ways[view, way][:, columns]), out=least)
                np.minimum(least, _differing(wholes, others._ways[view, way][:, rows]), out=least)
        return least


def _without_bars(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image without the rows and columns at its edge that are black."""
    is_lit = np.maximum(np.maximum(rgb[..., 0], rgb[..., 1]), rgb[..., 2]) > _BLACK
    rows, columns = (
        np.flatnonzero(np.count_nonzero(is_lit, axis=axis) > _LIT_SHARE * is_lit.shape[axis]) for axis in (1, 0)
    )
    if not len(rows) or not len(columns):
        return rgb
    inner = rgb[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.ascontiguousarray(inner if inner.size >= _LEAST_LEFT * rgb.size else rgb)


def _views(grey: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    views = []
    for above, left, is_cut in _VIEWS:
        side = _SIDE_PX - _CUT_PX * is_cut
        top, start = above * _CUT_PX // 2, left * _CUT_PX // 2
        views.append(grey[top : top + side, start : start + side])
    return views


def _hash(grey: NDArray[np.float64]) -> bytes:
    waves = _half_waves(int(_WAVES.max()) + 1, len(grey))
    amplitudes = (waves @ grey @ waves.T)[_WAVES[:, 0], _WAVES[:, 1]]
    amplitudes = np.where(np.abs(amplitudes) < _SILENT, 0.0, amplitudes) * _WEIGHTS
    strong = _STRONG * np.median(np.abs(amplitudes))
    bits = np.concatenate([amplitudes > strong, amplitudes > 0, amplitudes < -strong, [False]])
    return np.packbits(bits).tobytes()


def _half_waves(n_waves: int, length_px: int) -> NDArray[np.float64]:
    """Cosines of 0, 1, 2 ... half waves over a side, one a row, divided by its length."""
    middles = (np.arange(length_px) + 0.5) / length_px
    return np.cos(np.pi * np.outer(np.arange(n_waves), middles)) / length_px


def _eight(bits: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Bits of the images in all eight ways that a rectangle can be mirrored and turned, N x 256 each."""
    parts = [bits[:, start : start + _N_WAVES][:, _EXCHANGED] for start in range(0, 3 * _N_WAVES, _N_WAVES)]
    exchanged = np.concatenate([*parts, bits[:, 3 * _N_WAVES :]], axis=1)
    return [way for side in (bits, exchanged) for way in (side, *(_turned(side, signs) for signs in _TURNS))]


def _turned(bits: NDArray[np.uint8], signs: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Bits of the images turned over, N x 256: the frequencies that change their sign exchange strong and negate."""
    above, positive, below = (bits[:, start : start + _N_WAVES] for start in range(0, 3 * _N_WAVES, _N_WAVES))
    parts = (np.where(signs, below, above), positive ^ signs, np.where(signs, above, below), bits[:, 3 * _N_WAVES :])
    return np.concatenate(parts, axis=1)


def _words(bits: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """N x 256 bits as 4 x N words."""
    packed = np.ascontiguousarray(np.packbits(bits, axis=1))
    return np.ascontiguousarray(packed.view(np.uint64).T)


def _distances(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Distances of N hashes to M others, N x M, from 4 x N and 4 x M words."""
    total = np.zeros((first.shape[1], second.shape[1]), np.uint16)
    for word, other in zip(first, second, strict=True):
        total += np.bitwise_count(word[:, None] ^ other[None, :])
    return total


def _differing(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """In how many bits N hashes differ from N others, one each, from 4 x N words."""
    return np.asarray(np.bitwise_count(first ^ second).sum(axis=0), np.uint16)
