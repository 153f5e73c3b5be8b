"""Images and masks of a snapshot, read from the store."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from colpo_core.errors import NotFound
from colpo_core.images.decoding import read_rgb
from colpo_core.images.masks import decode_rle
from colpo_core.store import Store
from colpo_core.store.tables import Mask


@dataclass(frozen=True)
class StoredPixels:
    """What a training reads its pixels from: a `datasets.frames.PixelSource` over a store."""

    store: Store

    def load_image(self, sha256: str) -> NDArray[np.uint8]:
        """An image by its hash, H x W x 3 uint8 RGB.

        Raises:
            NotFound: The store does not hold it, or its file is damaged.
        """
        return read_rgb(self.store.blobs.get(sha256))

    def load_mask(self, sha256: str, height_px: int, width_px: int) -> NDArray[np.bool_]:
        """A mask by its hash and size, H x W bool.

        Raises:
            NotFound: The store does not hold it.
        """
        query = select(Mask.rle).where(Mask.sha256 == sha256, Mask.height_px == height_px, Mask.width_px == width_px)
        with self.store.reading() as session:
            code = session.scalar(query)
        if code is None:
            raise NotFound("A mask of the snapshot is not in the store. Restore the store's folder from a back-up.")
        return decode_rle(code, height_px=height_px, width_px=width_px)
