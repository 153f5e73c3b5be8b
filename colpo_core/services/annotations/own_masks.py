"""Annotations: one's own masks in the making, and the submitted ones.

Every stroke saves the whole mask as a draft; submitting makes an immutable version. A draft has a sequence number,
and a save names the one it was painted upon, so that two tabs cannot overwrite each other. A draft's row is made by
its first save: opening an image to look at it leaves nothing behind.

Confirming, importing and biopsy points have a file each, whose functions are offered here too, so that callers need
one name.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected
from colpo_core.images.masks import mask_png, mask_sha256
from colpo_core.records.annotations import OpenAnnotation, SavedDraft, VersionRecord
from colpo_core.services.annotations.drafts import begin_annotation, replace_draft, submit_draft
from colpo_core.services.annotations.rows import (
    Document,
    find_own,
    newest_versions,
    open_record,
    version_record,
)
from colpo_core.services.annotations.task_items import note_activity
from colpo_core.services.common import exposures
from colpo_core.services.common.blinding import is_hidden, require_visible
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import mask_pixels, store_mask
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Annotation, AnnotationVersion, Image, Mask
from colpo_core.terms import AnnotationState, Finding, MaskDoubt

MAX_STROKES = 10_000
MAX_ACTIVE_MS = 3_600_000


@allowed(CLINICIANS)
def open_annotation(caller: Caller, *, image_id: int, finding: Finding = Finding.ACETOWHITE) -> OpenAnnotation:
    """The caller's own mask of a finding on an image, empty where nothing was painted yet.

    Raises:
        NotFound: There is no such image.
    """
    with caller.store.reading() as session:
        image = find_row(session, Image, image_id)
        return open_record(session, Document(image.id, caller.person_id, finding), image)


@allowed(CLINICIANS)
def open_document(caller: Caller, *, document_id: str) -> OpenAnnotation:
    """The same by the name of the document.

    Raises:
        NotFound: There is no such document, or it is another person's.
    """
    document = Document.read(document_id, caller.actor)
    with caller.store.reading() as session:
        return open_record(session, document, find_row(session, Image, document.image_id))


@allowed(CLINICIANS)
def save_draft(
    caller: Caller,
    *,
    document_id: str,
    base_seq: int,
    rle: bytes,
    strokes: int = 0,
    active_ms: int = 0,
) -> SavedDraft:
    """Keep what was painted; when this returns, it is on the disk.

    A save that comes twice (because its answer was lost) is acknowledged again, and its strokes count once.

    Args:
        caller: Who painted; a document is open to its own annotator alone.
        document_id: From `open_annotation`.
        base_seq: Sequence of the mask that was painted upon.
        rle: Run-length code of the whole mask.
        strokes: How many strokes this save adds, 0 to 10,000.
        active_ms: Milliseconds that were spent on them, 0 to an hour.

    Raises:
        Conflict: The document was saved from another place since `base_seq`; nothing was overwritten.
        InputRejected: The strokes or the time cannot be.
        MaskRejected: The code is damaged or is of another size than the image.
        NotFound: There is no such document, or it is another person's.
    """
    document = Document.read(document_id, caller.actor)
    if not 0 <= strokes <= MAX_STROKES:
        raise InputRejected(f"One save adds 0 to {MAX_STROKES} strokes.")
    if not 0 <= active_ms <= MAX_ACTIVE_MS:
        raise InputRejected(f"One save adds 0 to {MAX_ACTIVE_MS} milliseconds of painting (active_ms).")
    with caller.store.writing() as session:
        image = find_row(session, Image, document.image_id)
        annotation = find_own(session, document)
        seq = annotation.draft_seq if annotation else 0
        if annotation is not None and base_seq == seq - 1 and _draft_hash(session, annotation) == mask_sha256(rle):
            return SavedDraft(seq, annotation.draft_saved_at or annotation.created_at)
        if base_seq != seq:
            raise Conflict(
                "This mask was changed in another tab or on another machine since you opened it here. "
                "Load the newer state; nothing was overwritten."
            )
        mask = store_mask(session, rle, image.height_px, image.width_px)
        if annotation is None:
            annotation = begin_annotation(session, caller.actor, document)
        annotation.draft_strokes += strokes
        annotation.draft_active_ms += active_ms
        note_activity(
            session,
            image_id=document.image_id,
            annotator_id=document.annotator_id,
            finding=document.finding,
            active_ms=active_ms,
        )
        return replace_draft(session, annotation, mask)


@allowed(CLINICIANS)
def submit_annotation(
    caller: Caller,
    *,
    document_id: str,
    seq: int,
    note: str = "",
    sure: Collection[MaskDoubt] = (),
) -> VersionRecord:
    """Make the next immutable version of what was painted.

    A mask that is empty, is an outline that was not filled, looks inverted or covers most of the image is asked about
    first. An empty one that a person is sure of says that the finding is not there.

    The version says what it started from, what it took and how much of the start is left; the next draft starts from
    it. The person's items of the image in open tasks are done by it.

    A mask of the same finding and image that waits for confirmation is settled by it: a person has painted it anew.

    Args:
        caller: Whose annotation it is.
        document_id: From `open_annotation`.
        seq: Sequence of the mask that the person sees.
        note: A remark for whoever reads the version.
        sure: What the mask may look like, since the person was asked and has said that it is right.

    Raises:
        Conflict: What is stored is not what the person sees.
        InputRejected: Nothing changed since the last version, or the note is too long.
        MaskDoubted: The mask looks like something that was not meant, and nobody has said that it is right.
        NotFound: There is no such document, or it is another person's.
    """
    document = Document.read(document_id, caller.actor)
    with caller.store.writing() as session:
        return version_record(session, submit_draft(session, caller.actor, document, seq=seq, note=note, sure=sure))


@allowed(CLINICIANS)
def version_mask(caller: Caller, *, version_id: int) -> NDArray[np.bool_]:
    """The mask of a version, H x W bool.

    Raises:
        Blinding: It is somebody else's, and the caller annotates the image in a blind task that is not done.
        NotFound: There is no such version.
    """
    return _shown_mask(caller, version_id)


@allowed(CLINICIANS)
def version_mask_overlay(
    caller: Caller, *, version_id: int, rgba: tuple[int, int, int, int] = (255, 200, 0, 255)
) -> bytes:
    """The mask of a version as a PNG that is transparent where nothing is marked.

    Raises:
        Blinding: It is somebody else's, and the caller annotates the image in a blind task that is not done.
        NotFound: There is no such version.
    """
    return mask_png(_shown_mask(caller, version_id), rgba=rgba)


def _shown_mask(caller: Caller, version_id: int) -> NDArray[np.bool_]:
    with caller.store.reading() as session:
        version = find_row(session, AnnotationVersion, version_id)
        require_visible(session, caller.actor, version.annotation)
        record, pixels = version_record(session, version), mask_pixels(version.mask)
    exposures.note_masks(caller, [record])
    return pixels


@allowed(CLINICIANS)
def submitted_masks(caller: Caller, *, image_id: int) -> tuple[VersionRecord, ...]:
    """The newest version of every submitted mask on an image, the newest first; `version_mask` gives the pixels.

    Masks of others are left out while the caller annotates the image in a blind task that is not done.

    Raises:
        NotFound: There is no such image.
    """
    with caller.store.reading() as session:
        image = find_row(session, Image, image_id)
        rows = newest_versions(session, image_id=image.id, state=AnnotationState.SUBMITTED)
        shown = tuple(
            version_record(session, row) for row in rows if not is_hidden(session, caller.actor, row.annotation)
        )
    exposures.note_masks(caller, shown)
    return shown


def _draft_hash(session: Session, annotation: Annotation) -> str | None:
    if annotation.draft_mask_id is None:
        return None
    return session.scalar(select(Mask.sha256).where(Mask.id == annotation.draft_mask_id))
