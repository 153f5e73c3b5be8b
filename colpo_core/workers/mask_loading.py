"""Masks of a snapshot, read from the store at the size that a network takes."""

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from colpo_core.errors import NotFound
from colpo_core.images.masks import decode_rle
from colpo_core.store import Store
from colpo_core.store.tables import Mask


def load_mask(store: Store, sha256: str, height_px: int, width_px: int) -> NDArray[np.bool_]:
    """A mask by its hash and size, H x W bool.

    Raises:
        NotFound: The store does not hold it.
    """
    query = select(Mask.rle).where(Mask.sha256 == sha256, Mask.height_px == height_px, Mask.width_px == width_px)
    with store.reading() as session:
        code = session.scalar(query)
    if code is None:
        raise NotFound("A mask of the snapshot is not in the store. Restore the store's folder from a back-up.")
    return decode_rle(code, height_px=height_px, width_px=width_px)
