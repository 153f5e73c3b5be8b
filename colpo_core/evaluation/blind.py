"""What a mask reaches that looks at no image: the mean of the training masks, and a disc in the middle.

A lesion lies round the os, and the os in the middle of the photograph. So the overlap of a segmenter's masks says
little before it is held against masks that know nothing but that.
"""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import pi, sqrt
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

_LEVELS = 255


@dataclass(frozen=True, eq=False)
class BlindReference:
    """Two masks that are the same for every image but for its size.

    Attributes:
        mean: H x W uint8: 255 times the share of the training masks that mark each place, each stretched to H x W.
        threshold: From which share on the mean mask counts as marked, 0 to 1: the one of the highest mean IoU on the
            training images themselves.
        area: Mean share of the image that the training masks mark, 0 to 1; the area of the disc.
        n_masks: Training masks behind it, those that mark nothing left out.
    """

    mean: npt.NDArray[np.uint8]
    threshold: float
    area: float
    n_masks: int

    @property
    def fingerprint(self) -> str:
        """What tells it from any other reference."""
        return hashlib.sha256(self.mean.tobytes() + repr((self.mean.shape, self.threshold)).encode()).hexdigest()

    def mean_mask(self, height_px: int, width_px: int) -> npt.NDArray[np.bool_]:
        """The mean mask over an image, H x W bool."""
        soft = cv2.resize(self.mean.astype(np.float32), (width_px, height_px), interpolation=cv2.INTER_LINEAR)
        return np.asarray(soft >= self.threshold * _LEVELS)

    def disc(self, height_px: int, width_px: int) -> npt.NDArray[np.bool_]:
        """A disc in the middle of an image, of the training masks' mean area, H x W bool."""
        rows = np.arange(height_px)[:, None] - (height_px - 1) / 2
        columns = np.arange(width_px)[None, :] - (width_px - 1) / 2
        return np.asarray(np.hypot(rows, columns) <= sqrt(self.area * height_px * width_px / pi))

    def to_card(self) -> dict[str, Any]:
        """As a checkpoint's card keeps it."""
        height_px, width_px = self.mean.shape
        return {
            "height_px": height_px,
            "width_px": width_px,
            "threshold": self.threshold,
            "area": self.area,
            "n_masks": self.n_masks,
            "mean": base64.b64encode(zlib.compress(self.mean.tobytes(), 9)).decode("ascii"),
        }

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> "BlindReference | None":
        """Read what `to_card` wrote into a card under `blind_reference`; None in a card of an earlier version.

        Raises:
            ValueError: What is there is not what `to_card` writes.
        """
        stored = card.get("blind_reference")
        if stored is None:
            return None
        shape = (int(stored["height_px"]), int(stored["width_px"]))
        try:
            values = np.frombuffer(zlib.decompress(base64.b64decode(stored["mean"], validate=True)), np.uint8)
        except (binascii.Error, zlib.error) as error:
            raise ValueError("the mean training mask of this card is damaged") from error
        return cls(values.reshape(shape), float(stored["threshold"]), float(stored["area"]), int(stored["n_masks"]))


def blind_reference(masks: Iterable[npt.NDArray[np.bool_]], *, height_px: int, width_px: int) -> BlindReference | None:
    """Learn the two masks from the training side's; None where none of them marks anything.

    Args:
        masks: Each H x W bool over exactly its image, of any size. Those that mark nothing take no part, as in IoU.
        height_px: Height at which the mean is kept: the segmenter's.
        width_px: Its width.
    """
    size = (width_px, height_px)
    fitted = [
        cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5 for mask in masks if mask.any()
    ]
    marked = np.asarray([mask for mask in fitted if mask.any()])
    if not len(marked):
        return None
    mean = np.rint(marked.mean(axis=0, dtype=np.float64) * _LEVELS).astype(np.uint8)
    return BlindReference(mean, _best_level(mean, marked) / _LEVELS, float(marked.mean(dtype=np.float64)), len(marked))


def _best_level(mean: npt.NDArray[np.uint8], masks: npt.NDArray[np.bool_]) -> int:
    """The level of the mean mask at which its mean IoU with the masks behind it is highest.

    Where several levels in a row cut the same mask out, the middle one: at another size the mask keeps its margin.
    """
    marked = np.bincount(mean.ravel(), minlength=_LEVELS + 1)[::-1].cumsum()[::-1]
    total = np.zeros(_LEVELS + 1)
    for mask in masks:
        in_mask = np.bincount(mean[mask], minlength=_LEVELS + 1)[::-1].cumsum()[::-1]
        total += in_mask / (marked + np.count_nonzero(mask) - in_mask)
    # From 1 on: at 0 everything is marked, whatever the masks say.
    ranked = np.round(total[1:], 9)
    first = int(np.argmax(ranked))
    others = np.flatnonzero(ranked[first:] != ranked[first])
    run = int(others[0]) if len(others) else len(ranked) - first
    return 1 + first + (run - 1) // 2
