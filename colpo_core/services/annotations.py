"""Annotations: masks in the making, submitted versions, imported outlines and biopsy points.

Every stroke saves the whole mask as a draft; submitting makes an immutable version. A draft has a sequence number,
and a save names the one it was painted upon, so that two tabs cannot overwrite each other. A draft's row is made by
its first save: opening an image to look at it leaves nothing behind.
"""

from collections.abc import Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected
from colpo_core.images.masks import mask_png, mask_sha256
from colpo_core.records.annotations import BiopsyPointRecord, OpenAnnotation, SavedDraft, VersionRecord
from colpo_core.records.people import Actor
from colpo_core.services import audit
from colpo_core.services.annotation_rows import (
    Document,
    find_image,
    find_own,
    newest_version,
    newest_versions,
    open_record,
    own_biopsy_points,
    version_record,
)
from colpo_core.services.confirmation import confirm_annotation, list_to_confirm, reject_annotation, settle_imports
from colpo_core.services.masks import drop_unused_mask, mask_pixels, store_mask, store_pixels, version_mask_row
from colpo_core.services.permissions import CLINICIANS, require
from colpo_core.store import Store
from colpo_core.store.tables import Annotation, AnnotationVersion, BiopsyPoint, Mask, utc_now
from colpo_core.terms import AnnotationState, Finding, MaskOrigin

__all__ = [
    "biopsy_points",
    "confirm_annotation",
    "import_annotation",
    "list_to_confirm",
    "open_annotation",
    "open_document",
    "reject_annotation",
    "save_biopsy_points",
    "save_draft",
    "start_from_version",
    "store_mask",
    "submit_annotation",
    "submitted_masks",
    "version_mask",
    "version_mask_overlay",
]

MAX_NOTE = 2000
MAX_BIOPSY_POINTS = 24


def open_annotation(
    store: Store, *, actor: Actor, image_id: int, finding: Finding = Finding.ACETOWHITE
) -> OpenAnnotation:
    """The actor's own mask of a finding on an image, empty where nothing was painted yet.

    Raises:
        NotFound: There is no such image.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        image = find_image(session, image_id)
        return open_record(session, Document(image.id, actor.person_id, finding), image)


def open_document(store: Store, *, actor: Actor, document_id: str) -> OpenAnnotation:
    """The same by the name of the document.

    Raises:
        NotFound: There is no such document, or it is another person's.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    document = Document.read(document_id, actor)
    with store.reading() as session:
        return open_record(session, document, find_image(session, document.image_id))


def save_draft(store: Store, *, actor: Actor, document_id: str, base_seq: int, rle: bytes) -> SavedDraft:
    """Keep what was painted; when this returns, it is on the disk.

    A save that comes twice (because its answer was lost) is acknowledged again.

    Args:
        store: The open store.
        actor: Who painted; a document is open to its own annotator alone.
        document_id: From `open_annotation`.
        base_seq: Sequence of the mask that was painted upon.
        rle: Run-length code of the whole mask.

    Raises:
        Conflict: The document was saved from another place since `base_seq`; nothing was overwritten.
        MaskRejected: The code is damaged or is of another size than the image.
        NotFound: There is no such document, or it is another person's.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    document = Document.read(document_id, actor)
    with store.writing() as session:
        image = find_image(session, document.image_id)
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
            annotation = _start(session, actor, document)
        return _replace_draft(session, annotation, mask)


def submit_annotation(store: Store, *, actor: Actor, document_id: str, seq: int, note: str = "") -> VersionRecord:
    """Make the next immutable version of what was painted. An empty mask says that the finding is not there.

    A mask of the same finding and image that waits for confirmation is settled by it: a person has painted it anew.

    Args:
        store: The open store.
        actor: Whose annotation it is.
        document_id: From `open_annotation`.
        seq: Sequence of the mask that the person sees.
        note: A remark for whoever reads the version.

    Raises:
        Conflict: What is stored is not what the person sees.
        InputRejected: Nothing changed since the last version, or the note is too long.
        NotFound: There is no such document, or it is another person's.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    document = Document.read(document_id, actor)
    note = _checked_note(note)
    with store.writing() as session:
        image = find_image(session, document.image_id)
        annotation = find_own(session, document)
        if seq != (annotation.draft_seq if annotation else 0):
            raise Conflict("The stored mask is not the one on your screen. Wait for “saved”, then submit again.")
        if annotation is None:
            annotation = _start(session, actor, document)
        if annotation.draft_mask_id is None:
            empty = np.zeros((image.height_px, image.width_px), np.bool_)
            _replace_draft(session, annotation, store_pixels(session, empty))
        last = newest_version(session, annotation.id)
        if last is not None and last.mask_id == annotation.draft_mask_id:
            raise InputRejected(f"Nothing has changed since version {last.number}. Paint first, then submit.")
        version = AnnotationVersion(
            annotation=annotation,
            number=last.number + 1 if last else 1,
            author_id=actor.person_id,
            mask_id=annotation.draft_mask_id,
            origin=MaskOrigin.PAINTED,
            base_number=last.number if last else None,
            note=note,
        )
        session.add(version)
        annotation.state = AnnotationState.SUBMITTED
        session.flush()
        audit.record(session, actor, "submit annotation", f"annotation {annotation.id}", version=version.number)
        settle_imports(session, actor, image_id=image.id, finding=document.finding, by=annotation.id)
        return version_record(session, version)


def start_from_version(store: Store, *, actor: Actor, version_id: int) -> OpenAnnotation:
    """Take a submitted or waiting mask as the start of the actor's own, to correct it.

    Raises:
        Conflict: The actor has painted on this image something that was not submitted yet.
        NotFound: There is no such version.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    with store.writing() as session:
        mask = version_mask_row(session, version_id)
        source = session.get_one(AnnotationVersion, version_id).annotation
        image = find_image(session, source.image_id)
        document = Document(image.id, actor.person_id, source.finding)
        before = open_record(session, document, image)
        if before.changed:
            raise Conflict(
                "You have painted on this image and not submitted it. Submit it first, or undo it to the empty mask."
            )
        annotation = find_own(session, document) or _start(session, actor, document)
        _replace_draft(session, annotation, mask)
        audit.record(session, actor, "correct annotation", f"annotation {annotation.id}", version_id=version_id)
        session.flush()
        return open_record(session, document, image)


def import_annotation(
    store: Store,
    *,
    actor: Actor,
    image_id: int,
    mask: NDArray[np.bool_],
    origin: MaskOrigin,
    finding: Finding = Finding.ACETOWHITE,
    note: str = "",
) -> int:
    """Store a mask that was not painted here. One that was closed by guess waits for a person's confirmation.

    Importing the same mask again changes nothing.

    Args:
        store: The open store.
        actor: The program that brings it: `importer` or `simulator`.
        image_id: The image that it lies on.
        mask: H x W bool of the image's size.
        origin: How it came to be.
        finding: What it shows.
        note: A remark, such as how many gaps were closed.

    Returns:
        The row of the annotation.

    Raises:
        Conflict: Another mask of this source is there already; it is not replaced.
        InputRejected: The mask is of another size than the image, or the note too long.
        NotFound: There is no such image.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    note = _checked_note(note)
    with store.writing() as session:
        image = find_image(session, image_id)
        if mask.shape != (image.height_px, image.width_px):
            raise InputRejected(
                f"The mask is {mask.shape[1]} x {mask.shape[0]} pixels, its image {image.width_px} x "
                f"{image.height_px}. Bring a mask of the image's own size."
            )
        document = Document(image.id, actor.person_id, finding)
        annotation = find_own(session, document)
        row = store_pixels(session, mask)
        if annotation is not None:
            last = newest_version(session, annotation.id)
            if last is not None and last.mask_id == row.id:
                return annotation.id
            raise Conflict("This image has another mask of the same source already. It was not replaced.")
        annotation = _start(session, actor, document)
        annotation.state = AnnotationState.TO_CONFIRM if origin.is_guess else AnnotationState.SUBMITTED
        session.add(
            AnnotationVersion(
                annotation=annotation,
                number=1,
                author_id=actor.person_id,
                mask_id=row.id,
                origin=origin,
                base_number=None,
                note=note,
            )
        )
        audit.record(session, actor, "import annotation", f"annotation {annotation.id}", origin=origin.value)
        return annotation.id


def version_mask(store: Store, *, actor: Actor, version_id: int) -> NDArray[np.bool_]:
    """The mask of a version, H x W bool.

    Raises:
        NotFound: There is no such version.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        return mask_pixels(version_mask_row(session, version_id))


def version_mask_overlay(
    store: Store, *, actor: Actor, version_id: int, rgba: tuple[int, int, int, int] = (255, 200, 0, 255)
) -> bytes:
    """The mask of a version as a PNG that is transparent where nothing is marked.

    Raises:
        NotFound: There is no such version.
        PermissionDenied: The actor is a reader.
    """
    return mask_png(version_mask(store, actor=actor, version_id=version_id), rgba=rgba)


def submitted_masks(store: Store, *, actor: Actor, image_id: int) -> tuple[VersionRecord, ...]:
    """The newest version of every submitted mask on an image, the newest first; `version_mask` gives the pixels.

    Raises:
        NotFound: There is no such image.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        image = find_image(session, image_id)
        rows = newest_versions(session, image_id=image.id, state=AnnotationState.SUBMITTED)
        return tuple(version_record(session, row) for row in rows)


def save_biopsy_points(
    store: Store, *, actor: Actor, image_id: int, points: Sequence[tuple[float, float]]
) -> tuple[BiopsyPointRecord, ...]:
    """Keep where biopsies were taken or are proposed, in place of what the actor had saved before.

    Args:
        store: The open store.
        actor: Whose points they are.
        image_id: The image.
        points: (x, y) in pixels of the image, in the order of their numbers.

    Raises:
        InputRejected: A point lies outside the image, or there are too many.
        NotFound: There is no such image.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    if len(points) > MAX_BIOPSY_POINTS:
        raise InputRejected(f"An image takes up to {MAX_BIOPSY_POINTS} biopsy points, not {len(points)}.")
    with store.writing() as session:
        image = find_image(session, image_id)
        for x_px, y_px in points:
            if not (isfinite(x_px) and isfinite(y_px) and 0 <= x_px <= image.width_px and 0 <= y_px <= image.height_px):
                raise InputRejected("A biopsy point lies outside the image. Set it again; nothing was changed.")
        session.execute(
            delete(BiopsyPoint).where(BiopsyPoint.image_id == image_id, BiopsyPoint.annotator_id == actor.person_id)
        )
        session.add_all(
            BiopsyPoint(image_id=image_id, annotator_id=actor.person_id, position=position, x_px=x_px, y_px=y_px)
            for position, (x_px, y_px) in enumerate(points, start=1)
        )
        audit.record(session, actor, "save biopsy points", f"image {image_id}", n_points=len(points))
    return tuple(BiopsyPointRecord(i, float(x), float(y)) for i, (x, y) in enumerate(points, start=1))


def biopsy_points(store: Store, *, actor: Actor, image_id: int) -> tuple[BiopsyPointRecord, ...]:
    """The actor's own biopsy points on an image, in order.

    Raises:
        NotFound: There is no such image.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        find_image(session, image_id)
        return own_biopsy_points(session, actor, image_id)


def _start(session: Session, actor: Actor, document: Document) -> Annotation:
    annotation = Annotation(
        image_id=document.image_id,
        annotator_id=document.annotator_id,
        finding=document.finding,
        state=AnnotationState.DRAFT,
        document_id=document.id,
    )
    session.add(annotation)
    session.flush()
    audit.record(session, actor, "start annotation", f"annotation {annotation.id}", image_id=document.image_id)
    return annotation


def _replace_draft(session: Session, annotation: Annotation, mask: Mask) -> SavedDraft:
    previous = annotation.draft_mask_id
    annotation.draft_mask_id = mask.id
    annotation.draft_seq += 1
    annotation.draft_saved_at = utc_now()
    if previous != mask.id:
        drop_unused_mask(session, previous)
    return SavedDraft(annotation.draft_seq, annotation.draft_saved_at)


def _draft_hash(session: Session, annotation: Annotation) -> str | None:
    if annotation.draft_mask_id is None:
        return None
    return session.scalar(select(Mask.sha256).where(Mask.id == annotation.draft_mask_id))


def _checked_note(note: str) -> str:
    note = note.strip()
    if len(note) > MAX_NOTE:
        raise InputRejected(f"The note is longer than {MAX_NOTE} characters. Shorten it.")
    return note
