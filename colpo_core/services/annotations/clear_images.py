"""Saying that nothing acetowhite is on an image: one by one while annotating, or many at once from a list.

An image that nobody has marked is not yet one without a lesion. An expert's word makes it one: a version whose mask is
empty and confirmed. It counts as annotated, enters training as background, and is undone by the next version.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected
from colpo_core.records.annotations import UnmarkedImage, UnmarkedPage, VersionRecord
from colpo_core.records.people import Actor
from colpo_core.services.annotations.drafts import checked_note, submit_draft
from colpo_core.services.annotations.rows import (
    Document,
    find_own,
    shown_mask_id,
    version_record,
    versions_of,
)
from colpo_core.services.common.blinding import images_in_queues
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.counting import count_rows
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Annotation, AnnotationTask, AnnotationVersion, Case, Image, Mask, Patient
from colpo_core.terms import AnnotationState, Finding, MaskDoubt, MaskOrigin

MOST_AT_ONCE = 500


@allowed(CLINICIANS)
def list_unmarked(caller: Caller, *, after: int | None = None, limit: int = 24) -> UnmarkedPage:
    """Acetic-acid images on which nobody has marked acetowhite epithelium, nor confirmed that there is none.

    Left out are images that somebody is painting, whose imported outline waits or was rejected, and those that wait in
    a task for the caller, who looks at them there.

    Args:
        caller: Who asks.
        after: Row of the image that the page before ended with.
        limit: How many at most.
    """
    with caller.store.reading() as session:
        waits = _is_unmarked(caller.actor)
        total = count_rows(session, Image, waits)
        versions = select(Annotation.image_id).join(AnnotationVersion, AnnotationVersion.annotation_id == Annotation.id)
        query = (
            select(
                Image.id, Image.case_id, Patient.code, Image.seconds_after_acid, Case.swede_total,
                Image.id.in_(versions.where(Annotation.finding == Finding.ACETOWHITE)),
            )
            .join(Case, Case.id == Image.case_id)
            .join(Patient, Patient.id == Case.patient_id)
            .where(waits)
            .order_by(Image.id)
            .limit(limit + 1)
        )  # fmt: skip
        rows = session.execute(query if after is None else query.where(Image.id > after)).all()
    unmarked = tuple(UnmarkedImage(*row) for row in rows[:limit])
    return UnmarkedPage(unmarked, total, unmarked[-1].image_id if len(rows) > limit else None)


@allowed(CLINICIANS)
def confirm_clear(caller: Caller, *, image_ids: Sequence[int], note: str = "") -> tuple[VersionRecord, ...]:
    """Say of images that nothing acetowhite is there; all of them or none.

    Args:
        caller: Who has looked at them.
        image_ids: Rows of images that `list_unmarked` gives, 1 to 500.
        note: A remark for whoever reads the versions.

    Returns:
        One version an image, its mask empty.

    Raises:
        Conflict: Somebody has marked one of them, or said it, since; nothing was changed.
        InputRejected: There is none, there are too many, or the note is too long.
        NotFound: There is no such image.
    """
    wanted = list(dict.fromkeys(image_ids))
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise InputRejected(f"Choose 1 to {MOST_AT_ONCE} images.")
    note = checked_note(note)
    with caller.store.writing() as session:
        for image_id in wanted:
            find_row(session, Image, image_id)
        free = set(session.scalars(select(Image.id).where(Image.id.in_(wanted), _is_unmarked(caller.actor))))
        taken = [image_id for image_id in wanted if image_id not in free]
        if taken:
            named = ", ".join(map(str, taken[:5])) + (" and others" if len(taken) > 5 else "")
            raise Conflict(
                f"Nothing was confirmed: image {named} is no acetic-acid image that waits for a word any more. "
                "Somebody has marked it, is painting it, or has said that nothing is there. Load the list anew."
            )
        documents = [Document(image_id, caller.person_id, Finding.ACETOWHITE) for image_id in wanted]
        return tuple(_confirm(session, caller.actor, document, note=note) for document in documents)


@allowed(CLINICIANS)
def confirm_absence(caller: Caller, *, document_id: str) -> VersionRecord:
    """Say that a finding is not on an image, where the caller has painted none.

    Args:
        caller: Who has looked.
        document_id: From `open_annotation`.

    Raises:
        Conflict: The caller's mask marks something.
        InputRejected: It was said before.
        NotFound: There is no such document, or it is another person's.
    """
    document = Document.read(document_id, caller.actor)
    with caller.store.writing() as session:
        return _confirm(session, caller.actor, document, note="")


def _confirm(session: Session, actor: Actor, document: Document, *, note: str) -> VersionRecord:
    find_row(session, Image, document.image_id)
    own = find_own(session, document)
    versions = versions_of(session, own.id) if own is not None else []
    shown_id = shown_mask_id(own, versions[0] if versions else None) if own is not None else None
    if shown_id is not None and session.get_one(Mask, shown_id).area_px:
        raise Conflict("Your mask of this image marks something. Clear it first, then say that nothing is there.")
    seq = own.draft_seq if own is not None else 0
    return version_record(session, submit_draft(session, actor, document, seq=seq, note=note, sure={MaskDoubt.EMPTY}))


def _is_unmarked(actor: Actor) -> ColumnElement[bool]:
    """The condition of an image of which it is not known whether anything acetowhite is on it."""
    marks = (
        exists()
        .where(
            Annotation.image_id == Image.id,
            Annotation.finding == Finding.ACETOWHITE,
            AnnotationVersion.annotation_id == Annotation.id,
            Mask.id == AnnotationVersion.mask_id,
            (Mask.area_px > 0)
            | AnnotationVersion.absence_confirmed.is_(True)
            | (AnnotationVersion.origin != MaskOrigin.PAINTED),
        )
        .correlate(Image)
    )
    paints = (
        exists()
        .where(
            Annotation.image_id == Image.id,
            Annotation.finding == Finding.ACETOWHITE,
            (Annotation.state == AnnotationState.TO_CONFIRM)
            | Annotation.draft_mask_id.in_(select(Mask.id).where(Mask.area_px > 0)),
        )
        .correlate(Image)
    )
    queued = images_in_queues(actor).where(AnnotationTask.finding == Finding.ACETOWHITE)
    return and_(Image.is_readable, ~marks, ~paints, Image.id.not_in(queued))
