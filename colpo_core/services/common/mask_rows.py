"""Masks in the store: each kept once, whoever refers to it."""

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from colpo_core.images.masks import decode_rle, encode_rle, mask_sha256, rle_area
from colpo_core.store.tables import Annotation, AnnotationVersion, ConsensusMask, Mask, Prediction


def store_mask(session: Session, code: bytes, height_px: int, width_px: int) -> Mask:
    """Store a mask's run-length code once; the same mask of the same size is found again.

    Args:
        session: A writing session.
        code: Run-length code (see `colpo_core.images.masks`).
        height_px: Height of the image that the mask lies on.
        width_px: Width likewise.

    Raises:
        MaskRejected: The code is damaged or does not fit the size.
    """
    area_px = rle_area(code, height_px=height_px, width_px=width_px)
    sha256 = mask_sha256(code)
    mask = session.scalar(
        select(Mask).where(Mask.sha256 == sha256, Mask.width_px == width_px, Mask.height_px == height_px)
    )
    if mask is not None:
        return mask
    mask = Mask(sha256=sha256, width_px=width_px, height_px=height_px, area_px=area_px, rle=code)
    session.add(mask)
    session.flush()
    return mask


def store_pixels(session: Session, mask: NDArray[np.bool_]) -> Mask:
    """Store a mask given as H x W bool."""
    height_px, width_px = mask.shape
    return store_mask(session, encode_rle(mask), height_px, width_px)


def drop_unused_mask(session: Session, mask_id: int | None) -> None:
    """Remove a mask that nothing refers to any more, such as the one before the last stroke."""
    if mask_id is None:
        return
    session.flush()
    used = session.scalar(
        select(
            exists().where(Annotation.draft_mask_id == mask_id)
            | exists().where(Annotation.draft_start_mask_id == mask_id)
            | exists().where(AnnotationVersion.mask_id == mask_id)
            | exists().where(AnnotationVersion.start_mask_id == mask_id)
            | exists().where(ConsensusMask.mask_id == mask_id)
            | exists().where(Prediction.mask_id == mask_id)
        )
    )
    if not used:
        mask = session.get(Mask, mask_id)
        if mask is not None:
            session.delete(mask)


def mask_pixels(mask: Mask) -> NDArray[np.bool_]:
    """The pixels of a stored mask, H x W bool."""
    return decode_rle(mask.rle, height_px=mask.height_px, width_px=mask.width_px)


def empty_code(height_px: int, width_px: int) -> bytes:
    """The code of a mask that shows nothing."""
    return encode_rle(np.zeros((height_px, width_px), dtype=np.bool_))
