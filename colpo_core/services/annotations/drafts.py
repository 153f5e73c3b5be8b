"""Drafts: what was painted since the newest version, what it started from and what it took.

Saving a stroke, starting over and submitting all change a draft; what they change stands here alone. What a draft
took counts from the version before, whatever it was started over from in between: the work was done, and a proposal
that was taken up and dropped again was seen.
"""

from collections.abc import Collection

import numpy as np
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected
from colpo_core.evaluation.start_shares import StartShares, start_shares
from colpo_core.records.annotations import SavedDraft
from colpo_core.records.people import Actor
from colpo_core.services.annotations.confirmation import settle_imports
from colpo_core.services.annotations.mask_doubts import ask_about
from colpo_core.services.annotations.rows import Document, find_own, newest_version
from colpo_core.services.annotations.task_items import settle_items
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.mask_rows import drop_unused_mask, empty_code, mask_pixels, store_mask
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Annotation, AnnotationVersion, Image, Mask, utc_now
from colpo_core.terms import AnnotationState, ExposureKind, MaskDoubt, MaskOrigin, Start

MAX_NOTE = 2000


def begin_annotation(session: Session, actor: Actor, document: Document) -> Annotation:
    """Make the row of a document that has none yet."""
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
    image = find_row(session, Image, document.image_id)
    exposures.note_within(session, actor, [(image.case_id, ExposureKind.ANNOTATED)])
    return annotation


def replace_draft(session: Session, annotation: Annotation, mask: Mask) -> SavedDraft:
    """Put a mask in the place of the draft's; its sequence rises, so that no other tab paints upon the old one."""
    previous = annotation.draft_mask_id
    annotation.draft_mask_id = mask.id
    annotation.draft_seq += 1
    annotation.draft_saved_at = utc_now()
    if previous != mask.id:
        drop_unused_mask(session, previous)
    return SavedDraft(annotation.draft_seq, annotation.draft_saved_at)


def begin_from(
    session: Session,
    annotation: Annotation,
    start: Start,
    *,
    mask_id: int | None,
    version_id: int | None = None,
    prediction_id: int | None = None,
) -> None:
    """Write down what a draft starts from.

    Args:
        session: A writing session.
        annotation: Whose draft.
        start: From what kind of mask.
        mask_id: The mask that it starts from; None for nothing.
        version_id: The version that the mask is of, where it is one's.
        prediction_id: The prediction that the mask is of, where it is one's.
    """
    previous = annotation.draft_start_mask_id
    annotation.draft_start = start
    annotation.draft_start_mask_id = mask_id
    annotation.draft_start_version_id = version_id
    annotation.draft_start_prediction_id = prediction_id
    if start is Start.PROPOSAL:
        annotation.draft_proposal_shown = True
    if previous != mask_id:
        drop_unused_mask(session, previous)


def begin_after(session: Session, annotation: Annotation, version: AnnotationVersion) -> None:
    """Let the next draft start from a version that was just made: nothing of it is painted, and nothing was seen."""
    annotation.draft_strokes = 0
    annotation.draft_active_ms = 0
    annotation.draft_proposal_shown = False
    begin_from(session, annotation, Start.OWN_VERSION, mask_id=version.mask_id, version_id=version.id)


def submit_draft(
    session: Session,
    actor: Actor,
    document: Document,
    *,
    seq: int,
    note: str = "",
    origin: MaskOrigin = MaskOrigin.PAINTED,
    sure: Collection[MaskDoubt] | None = None,
    is_absent: bool = False,
) -> AnnotationVersion:
    """Make the next immutable version of a draft, with how it came to be, and let the next draft start from it.

    It settles the person's items of the image in tasks, and what was imported there and waits for confirmation.

    Args:
        session: A writing session.
        actor: Whose document it is.
        document: What the mask is about.
        seq: Sequence of the mask that the person sees.
        note: A remark for whoever reads the version.
        origin: How the mask came to be.
        sure: What the mask may look like, since the person was asked and has said that it is right; None where it is
            not asked about, such as for a version that is restored.
        is_absent: Whether an empty mask says that the finding is not there although nobody was asked just now.

    Raises:
        Conflict: What is stored is not what the person sees.
        InputRejected: Nothing changed since the last version, or the note is too long.
        MaskDoubted: The mask looks like something that was not meant.
        NotFound: There is no such image.
    """
    note = checked_note(note)
    image = find_row(session, Image, document.image_id)
    annotation = find_own(session, document)
    if seq != (annotation.draft_seq if annotation else 0):
        raise Conflict("The stored mask is not the one on your screen. Wait for “saved”, then submit again.")
    if annotation is None:
        annotation = begin_annotation(session, actor, document)
    if annotation.draft_mask_id is None:
        empty = store_mask(session, empty_code(image.height_px, image.width_px), image.height_px, image.width_px)
        replace_draft(session, annotation, empty)
    last = newest_version(session, annotation.id)
    is_empty = session.get_one(Mask, annotation.draft_mask_id).area_px == 0
    is_absent = is_empty and (is_absent or MaskDoubt.EMPTY in (sure or ()))
    says_more = last is not None and is_absent and not last.absence_confirmed
    if last is not None and last.mask_id == annotation.draft_mask_id and not says_more:
        raise InputRejected(f"Nothing has changed since version {last.number}. Paint first, then submit.")
    if sure is not None:
        ask_about(mask_pixels(session.get_one(Mask, annotation.draft_mask_id)), document.finding, sure=sure)
    shares = _shares(session, annotation)
    version = AnnotationVersion(
        annotation=annotation,
        number=last.number + 1 if last else 1,
        author_id=actor.person_id,
        mask_id=annotation.draft_mask_id,
        origin=origin,
        base_number=last.number if last else None,
        note=note,
        start=annotation.draft_start,
        start_mask_id=annotation.draft_start_mask_id,
        start_version_id=annotation.draft_start_version_id,
        start_prediction_id=annotation.draft_start_prediction_id,
        proposal_shown=annotation.draft_proposal_shown,
        strokes=annotation.draft_strokes,
        active_ms=annotation.draft_active_ms,
        kept_share=shares.kept,
        added_share=shares.added,
        absence_confirmed=True if is_absent else None,
    )
    session.add(version)
    annotation.state = AnnotationState.SUBMITTED
    session.flush()
    begin_after(session, annotation, version)
    exposures.note_within(session, actor, [(image.case_id, ExposureKind.ANNOTATED)])
    audit.record(session, actor, "submit annotation", f"annotation {annotation.id}", version=version.number)
    settle_imports(session, actor, image_id=image.id, finding=document.finding, by=annotation.id)
    settle_items(session, version, image_id=image.id, finding=document.finding)
    return version


def checked_note(note: str) -> str:
    """A remark without space around it.

    Raises:
        InputRejected: It is too long.
    """
    note = note.strip()
    if len(note) > MAX_NOTE:
        raise InputRejected(f"The note is longer than {MAX_NOTE} characters. Shorten it.")
    return note


def _shares(session: Session, annotation: Annotation) -> StartShares:
    final = mask_pixels(session.get_one(Mask, annotation.draft_mask_id))
    start_id = annotation.draft_start_mask_id
    start = np.zeros_like(final) if start_id is None else mask_pixels(session.get_one(Mask, start_id))
    return start_shares(start, final)
