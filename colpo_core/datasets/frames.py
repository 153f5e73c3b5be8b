"""Frames: a snapshot's images fitted into the working size, with their masks. Imports no torch."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from colpo_core.datasets.manifest import ManifestItem
from colpo_core.errors import SnapshotMismatch
from colpo_core.images.highlights import fill_highlights
from colpo_core.images.letterbox import LetterboxGeometry, letterbox_image, letterbox_mask
from colpo_core.images.perceptual import perceptual_hash
from colpo_core.terms import Split

BACKGROUND = 0
ACETOWHITE = 1
IGNORED = 255
"""Class of a pixel that no loss looks at: padding, and what augmentation brings in from outside."""


class PixelSource(Protocol):
    """Where the images and masks of a snapshot are read from."""

    def load_image(self, sha256: str) -> npt.NDArray[np.uint8]:
        """An image by its hash, H x W x 3 uint8 RGB."""

    def load_mask(self, sha256: str, height_px: int, width_px: int) -> npt.NDArray[np.bool_]:
        """A mask by its hash and size, H x W bool."""


@dataclass(frozen=True, eq=False)
class Frames:
    """All images of a snapshot at the working size, N of them. `frame_cache.cached_frames` makes them.

    Attributes:
        items: What each one is, in the manifest's order.
        rgb: N x H x W x 3 uint8; may be mapped from a file and not writable.
        target: N x H x W uint8 likewise: background, acetowhite or ignored; an image without a mask is ignored
            everywhere.
        geometries: Where each image lies in its frame.
        fingerprints: Perceptual hash of each image at its full size, as `perceptual_hash` gives it.
    """

    items: tuple[ManifestItem, ...]
    rgb: npt.NDArray[np.uint8]
    target: npt.NDArray[np.uint8]
    geometries: tuple[LetterboxGeometry, ...]
    fingerprints: tuple[str, ...]

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.items)

    def of(self, split: Split) -> list[int]:
        """Places of the images on one side."""
        return [place for place, item in enumerate(self.items) if item.split is split]

    @property
    def with_mask(self) -> list[int]:
        """Places of the images that have a mask, on all sides."""
        return [place for place, item in enumerate(self.items) if item.mask_sha256 is not None]

    @property
    def with_label(self) -> list[int]:
        """Places of the images that have a label, on all sides."""
        return [place for place, item in enumerate(self.items) if item.label is not None]


@dataclass(frozen=True, eq=False)
class Frame:
    """One image at the working size.

    Attributes:
        rgb: H x W x 3 uint8, its padding black.
        target: H x W uint8: background, acetowhite or ignored.
        geometry: Where the image lies.
        fingerprint: Perceptual hash of the image at its full size.
    """

    rgb: npt.NDArray[np.uint8]
    target: npt.NDArray[np.uint8]
    geometry: LetterboxGeometry
    fingerprint: str


def fit_frame(
    item: ManifestItem,
    *,
    height_px: int,
    width_px: int,
    mask_highlights: bool,
    source: PixelSource,
) -> Frame:
    """Decode an image and its mask and fit them into the working size.

    Args:
        item: What to load.
        height_px: Working height.
        width_px: Working width.
        mask_highlights: Whether specular highlights are filled, at the image's full size.
        source: Where images and masks are read from.

    Raises:
        SnapshotMismatch: The image or mask does not have the size that the snapshot says.
    """
    image = source.load_image(item.image_sha256)
    _check_size(item, image.shape, "image")
    fingerprint = perceptual_hash(image)
    shown = fill_highlights(image) if mask_highlights else image
    rgb, geometry = letterbox_image(shown, height_px=height_px, width_px=width_px)
    target = np.full((height_px, width_px), IGNORED, dtype=np.uint8)
    mask = load_truth(item, source)
    if mask is not None:
        fitted = letterbox_mask(mask, geometry)[geometry.rows, geometry.columns]
        target[geometry.rows, geometry.columns] = np.where(fitted, ACETOWHITE, BACKGROUND)
    return Frame(rgb=rgb, target=target, geometry=geometry, fingerprint=fingerprint)


def load_truth(item: ManifestItem, source: PixelSource) -> npt.NDArray[np.bool_] | None:
    """An item's mask at the image's own size, H x W bool, or None where it has none.

    Raises:
        SnapshotMismatch: The mask does not have the image's size.
    """
    if item.mask_sha256 is None:
        return None
    mask = source.load_mask(item.mask_sha256, item.height_px, item.width_px)
    _check_size(item, mask.shape, "mask")
    return mask


def _check_size(item: ManifestItem, shape: tuple[int, ...], what: str) -> None:
    if shape[:2] != (item.height_px, item.width_px):
        raise SnapshotMismatch(
            f"The {what} of image {item.image_id} is {shape[1]} x {shape[0]} pixels, and the snapshot says "
            f"{item.width_px} x {item.height_px}. Freeze a new snapshot."
        )
