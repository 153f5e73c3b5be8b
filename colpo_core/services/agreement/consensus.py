"""Consensus masks: computed from several annotators' versions, and kept where a snapshot has frozen them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.evaluation.consensus import RULES_VERSION, combine_masks
from colpo_core.images.masks import decode_rle, encode_rle, mask_sha256
from colpo_core.services.annotations.submitted_masks import AnnotatorMask
from colpo_core.services.common.cache import LruCache
from colpo_core.services.common.mask_rows import mask_pixels, store_mask
from colpo_core.store.tables import ConsensusMask, Mask
from colpo_core.terms import Combination, Finding

# A page counts what it would freeze at every change of a field; STAPLE takes a second on a large image.
_CODES: LruCache[tuple[Combination, tuple[str, ...], int, int], bytes] = LruCache(4096)


@dataclass(frozen=True)
class Consensus:
    """One mask made of several.

    Attributes:
        image_id: Row of the image.
        finding: What it shows.
        method: How it was made.
        sources: Rows of the versions that it was made of, in order.
        rle: Its run-length code.
        width_px: Width of the image.
        height_px: Height of the image.
    """

    image_id: int
    finding: Finding
    method: Combination
    sources: tuple[int, ...]
    rle: bytes
    width_px: int
    height_px: int

    @property
    def sha256(self) -> str:
        """Hash of the code, by which the store finds the mask."""
        return mask_sha256(self.rle)

    @property
    def pixels(self) -> NDArray[np.bool_]:
        """The mask, H x W bool."""
        return decode_rle(self.rle, height_px=self.height_px, width_px=self.width_px)


def compute_consensus(
    session: Session, masks: Sequence[AnnotatorMask], *, finding: Finding, method: Combination
) -> Consensus:
    """Combine masks of one image; what a snapshot has frozen from the same versions is found again, not made anew.

    Args:
        session: A reading session.
        masks: At least one, all of one size.
        finding: What they show.
        method: How to combine them.

    Raises:
        ValueError: There is none, or their sizes differ.
    """
    if len({(mask.image_id, mask.width_px, mask.height_px) for mask in masks}) != 1:
        raise ValueError("a consensus is made of masks of one image and one size")
    ordered = sorted(masks, key=lambda mask: mask.version_id)
    first, sources = ordered[0], tuple(mask.version_id for mask in ordered)
    frozen = _find(session, first.image_id, finding, method, sources)
    if frozen is not None:
        rle = session.get_one(Mask, frozen.mask_id).rle
    else:
        hashes = tuple(sorted(mask.sha256 for mask in ordered))
        rle = _CODES.find((method, hashes, first.width_px, first.height_px), lambda: _combine(session, ordered, method))
    return Consensus(first.image_id, finding, method, sources, rle, first.width_px, first.height_px)


def keep_consensus(session: Session, consensus: Consensus) -> None:
    """Store a consensus mask, once for the versions that it was made of."""
    if _find(session, consensus.image_id, consensus.finding, consensus.method, consensus.sources) is not None:
        return
    mask = store_mask(session, consensus.rle, consensus.height_px, consensus.width_px)
    session.add(
        ConsensusMask(
            image_id=consensus.image_id,
            finding=consensus.finding,
            method=consensus.method,
            sources_sha256=_sources_sha256(consensus.sources),
            sources=list(consensus.sources),
            mask_id=mask.id,
        )
    )


def _combine(session: Session, masks: Sequence[AnnotatorMask], method: Combination) -> bytes:
    return encode_rle(combine_masks([mask_pixels(session.get_one(Mask, mask.mask_id)) for mask in masks], method))


def _find(
    session: Session, image_id: int, finding: Finding, method: Combination, sources: tuple[int, ...]
) -> ConsensusMask | None:
    return session.scalar(
        select(ConsensusMask).where(
            ConsensusMask.image_id == image_id,
            ConsensusMask.finding == finding,
            ConsensusMask.method == method,
            ConsensusMask.sources_sha256 == _sources_sha256(sources),
        )
    )


def _sources_sha256(sources: tuple[int, ...]) -> str:
    """One name for the versions and the rules by which they were combined; a version never changes."""
    return hashlib.sha256(json.dumps([RULES_VERSION, *sources]).encode()).hexdigest()
