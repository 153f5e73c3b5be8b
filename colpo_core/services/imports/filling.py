"""Filling a mask that is an outline: only where a person asks for it, as a draft that they check before submitting."""

import numpy as np
from numpy.typing import NDArray

from colpo_core.errors import Conflict, InputRejected
from colpo_core.images.decoding import read_rgb
from colpo_core.images.outlines import fill_outline
from colpo_core.records.annotations import SavedDraft
from colpo_core.services.annotations.drafts import replace_draft
from colpo_core.services.annotations.rows import (
    Document,
    find_own,
    newest_version,
    shown_mask_id,
)
from colpo_core.services.annotations.starts import write_start
from colpo_core.services.common import exposures
from colpo_core.services.common.blinding import require_visible
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import mask_pixels, store_pixels
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import AnnotationVersion, Image, Mask
from colpo_core.terms import ExposureKind, Start


@allowed(CLINICIANS)
def fill_draft(caller: Caller, *, document_id: str, seq: int) -> SavedDraft:
    """Fill the outline that the caller has drawn; it stays a draft.

    Args:
        caller: Whose document it is.
        document_id: From `open_annotation`.
        seq: Sequence of the mask that the person sees.

    Raises:
        Conflict: What is stored is not what the person sees.
        InputRejected: The mask is empty, or encloses nothing that could be filled.
        NotFound: There is no such document, it is another person's, or the image's file is lost.
    """
    document = Document.read(document_id, caller.actor)
    with caller.store.reading() as session:
        image_sha256 = find_row(session, Image, document.image_id).sha256
        own = find_own(session, document)
        if own is None or own.draft_seq != seq:
            raise Conflict("The stored mask is not the one on your screen. Wait for “saved”, then fill it again.")
        shown_id = shown_mask_id(own, newest_version(session, own.id))
        outline = mask_pixels(session.get_one(Mask, shown_id)) if shown_id is not None else None
    # Before the store is locked for writing, since it takes a while.
    filled = _filled(caller.store, outline, image_sha256)
    with caller.store.writing() as session:
        own = find_own(session, document)
        if own is None or own.draft_seq != seq:
            raise Conflict("The mask was changed meanwhile. Fill it again.")
        return replace_draft(session, own, store_pixels(session, filled))


@allowed(CLINICIANS)
def start_filled(caller: Caller, *, document_id: str, version_id: int) -> SavedDraft:
    """Start the caller's mask from somebody's outline, filled; such as from an imported one.

    Args:
        caller: Whose document it is.
        document_id: From `open_annotation`.
        version_id: The version that is an outline, on the same image and of the same finding.

    Raises:
        Blinding: The mask is somebody else's, and the caller annotates the image in a blind task that is not done.
        InputRejected: The version is of another image or finding, or encloses nothing that could be filled.
        NotFound: There is no such document or version, or the image's file is lost.
    """
    document = Document.read(document_id, caller.actor)
    with caller.store.reading() as session:
        version = find_row(session, AnnotationVersion, version_id)
        require_visible(session, caller.actor, version.annotation)
        if (version.annotation.image_id, version.annotation.finding) != (document.image_id, document.finding):
            raise InputRejected("This version lies on another image, or shows another finding.")
        outline, image = mask_pixels(version.mask), find_row(session, Image, document.image_id)
        case_id, image_sha256 = image.case_id, image.sha256
    filled = _filled(caller.store, outline, image_sha256)
    with caller.store.writing() as session:
        exposures.note_within(session, caller.actor, [(case_id, ExposureKind.MASK)])
        mask = store_pixels(session, filled)
        return write_start(session, caller.actor, document, mask=mask, start=Start.OTHER_VERSION, version_id=version_id)


def _filled(store: Store, outline: NDArray[np.bool_] | None, image_sha256: str) -> NDArray[np.bool_]:
    if outline is None or not outline.any():
        raise InputRejected("The mask marks nothing, so there is nothing to fill.")
    filled = fill_outline(outline, read_rgb(store.blobs.get(image_sha256))).mask
    if not filled.any() or filled.sum() <= outline.sum():
        raise InputRejected(
            "This outline encloses nothing that the program could fill. Close it with the brush and fill its holes "
            "(F), or paint the region."
        )
    return filled
