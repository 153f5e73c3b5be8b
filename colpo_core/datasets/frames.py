"""Frames: a snapshot's images decoded once and fitted into the working size. Imports no torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from colpo_core.datasets.manifest import ManifestItem
from colpo_core.errors import SnapshotMismatch
from colpo_core.images.letterbox import LetterboxGeometry, letterbox_image, letterbox_mask

BACKGROUND = 0
ACETOWHITE = 1
IGNORED = 255
"""Class of a pixel that no loss looks at: padding, and what augmentation brings in from outside."""

ImageLoader = Callable[[str], npt.NDArray[np.uint8]]
"""From an image's SHA-256 to its H x W x 3 uint8 RGB."""

MaskLoader = Callable[[str, int, int], npt.NDArray[np.bool_]]
"""From a mask's SHA-256, height and width to its H x W bool."""


@dataclass(frozen=True)
class Frames:
    """Images at the working size, N of them, in memory.

    Attributes:
        items: What each one is.
        rgb: N x H x W x 3 uint8.
        target: N x H x W uint8: background, acetowhite or ignored; an image without a mask is ignored everywhere.
        geometries: Where each image lies in its frame.
    """

    items: tuple[ManifestItem, ...]
    rgb: npt.NDArray[np.uint8]
    target: npt.NDArray[np.uint8]
    geometries: tuple[LetterboxGeometry, ...]

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.items)

    @property
    def with_mask(self) -> list[int]:
        """Places of the images that have a mask."""
        return [place for place, item in enumerate(self.items) if item.mask_sha256 is not None]

    @property
    def with_label(self) -> list[int]:
        """Places of the images that have a label."""
        return [place for place, item in enumerate(self.items) if item.label is not None]


def load_frames(
    items: Sequence[ManifestItem],
    *,
    height_px: int,
    width_px: int,
    load_image: ImageLoader,
    load_mask: MaskLoader,
    on_item: Callable[[], None] = lambda: None,
) -> Frames:
    """Decode images and masks and fit them into the working size.

    Args:
        items: What to load.
        height_px: Working height.
        width_px: Working width.
        load_image: Gives an image by its hash.
        load_mask: Gives a mask by its hash, height and width.
        on_item: Called before each image; it may raise to stop.

    Raises:
        SnapshotMismatch: An image or mask does not have the size that the snapshot says.
    """
    rgb = np.zeros((len(items), height_px, width_px, 3), dtype=np.uint8)
    target = np.full((len(items), height_px, width_px), IGNORED, dtype=np.uint8)
    geometries = []
    for place, item in enumerate(items):
        on_item()
        image = load_image(item.image_sha256)
        _check_size(item, image.shape, "image")
        rgb[place], geometry = letterbox_image(image, height_px=height_px, width_px=width_px)
        geometries.append(geometry)
        mask = load_truth(item, load_mask)
        if mask is not None:
            fitted = letterbox_mask(mask, geometry)[geometry.rows, geometry.columns]
            target[place, geometry.rows, geometry.columns] = np.where(fitted, ACETOWHITE, BACKGROUND)
    return Frames(items=tuple(items), rgb=rgb, target=target, geometries=tuple(geometries))


def load_truth(item: ManifestItem, load_mask: MaskLoader) -> npt.NDArray[np.bool_] | None:
    """An item's mask at the image's own size, H x W bool, or None where it has none.

    Raises:
        SnapshotMismatch: The mask does not have the image's size.
    """
    if item.mask_sha256 is None:
        return None
    mask = load_mask(item.mask_sha256, item.height_px, item.width_px)
    _check_size(item, mask.shape, "mask")
    return mask


def _check_size(item: ManifestItem, shape: tuple[int, ...], what: str) -> None:
    if shape[:2] != (item.height_px, item.width_px):
        raise SnapshotMismatch(
            f"The {what} of image {item.image_id} is {shape[1]} x {shape[0]} pixels, and the snapshot says "
            f"{item.width_px} x {item.height_px}. Freeze a new snapshot."
        )
