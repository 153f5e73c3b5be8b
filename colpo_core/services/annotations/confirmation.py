"""Confirming masks that were closed by guess. Training leaves them out until a person has looked."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected
from colpo_core.records.annotations import ConfirmationPage, VersionRecord
from colpo_core.records.people import Actor
from colpo_core.services.annotations.rows import newest_version, version_record
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.blinding import is_hidden, require_visible
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.counting import count_rows
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Annotation, TaskItem
from colpo_core.terms import AnnotationState, Finding

MAX_REASON = 500


@allowed(CLINICIANS)
def list_to_confirm(caller: Caller, *, after: int | None = None, limit: int = 50) -> ConfirmationPage:
    """Masks that wait for a person's confirmation, oldest first; those that a blind task hides are left out.

    Args:
        caller: Who asks.
        after: Row of the annotation that the page before ended with.
        limit: How many at most.
    """
    with caller.store.reading() as session:
        waits = waits_for(session, caller.actor)
        total = count_rows(session, Annotation, waits)
        query = select(Annotation.id).where(waits).order_by(Annotation.id).limit(limit + 1)
        if after is not None:
            query = query.where(Annotation.id > after)
        ids = session.scalars(query).all()
        versions = (newest_version(session, annotation_id) for annotation_id in ids[:limit])
        records = tuple(version_record(session, version) for version in versions if version is not None)
    exposures.note_masks(caller, records)
    return ConfirmationPage(records, total, ids[limit - 1] if len(ids) > limit else None)


def waits_for(session: Session, actor: Actor) -> ColumnElement[bool]:
    """The condition of an annotation that waits for confirmation and that the actor may see."""
    mine = select(TaskItem.image_id).where(TaskItem.annotator_id == actor.person_id)
    waits = Annotation.state == AnnotationState.TO_CONFIRM
    # Only images of the actor's own tasks can have masks that are kept back.
    rows = session.scalars(select(Annotation).where(waits, Annotation.image_id.in_(mine)))
    return waits & Annotation.id.not_in([row.id for row in rows if is_hidden(session, actor, row)])


@allowed(CLINICIANS)
def confirm_annotation(caller: Caller, *, annotation_id: int) -> VersionRecord:
    """Say that a mask closed by guess is right; training may use it from now on.

    Raises:
        Blinding: The caller annotates the image in a blind task that is not done.
        Conflict: It does not wait for confirmation (any more).
        NotFound: There is no such annotation.
    """
    with caller.store.writing() as session:
        annotation = _shown(session, caller.actor, annotation_id)
        return _settle(session, caller.actor, annotation, AnnotationState.SUBMITTED, "confirm annotation")


@allowed(CLINICIANS)
def reject_annotation(caller: Caller, *, annotation_id: int, reason: str) -> VersionRecord:
    """Say that a mask closed by guess is wrong; training never uses it.

    Raises:
        Blinding: The caller annotates the image in a blind task that is not done.
        Conflict: It does not wait for confirmation (any more).
        InputRejected: The reason is missing or too long.
        NotFound: There is no such annotation.
    """
    reason = reason.strip()
    if not reason:
        raise InputRejected("Say in a few words why the mask is wrong; whoever asks later will need it.")
    if len(reason) > MAX_REASON:
        raise InputRejected(f"The reason is longer than {MAX_REASON} characters. Shorten it.")
    with caller.store.writing() as session:
        annotation = _shown(session, caller.actor, annotation_id)
        return _settle(session, caller.actor, annotation, AnnotationState.REJECTED, "reject annotation", reason=reason)


def _shown(session: Session, actor: Actor, annotation_id: int) -> Annotation:
    annotation = find_row(session, Annotation, annotation_id)
    require_visible(session, actor, annotation)
    exposures.note_mask_within(session, actor, annotation.image_id)
    return annotation


def settle_imports(session: Session, actor: Actor, *, image_id: int, finding: Finding, by: int) -> None:
    """Reject what waits on an image, because a person has submitted a mask of the same finding."""
    waiting = session.scalars(
        select(Annotation).where(
            Annotation.image_id == image_id,
            Annotation.finding == finding,
            Annotation.state == AnnotationState.TO_CONFIRM,
        )
    ).all()
    for annotation in waiting:
        _settle(session, actor, annotation, AnnotationState.REJECTED, "replace annotation", by=by)


def _settle(
    session: Session, actor: Actor, annotation: Annotation, state: AnnotationState, action: str, **detail: object
) -> VersionRecord:
    version = newest_version(session, annotation.id)
    if annotation.state is not AnnotationState.TO_CONFIRM or version is None:
        raise Conflict("This mask does not wait for confirmation any more: somebody settled it before you.")
    annotation.state = state
    audit.record(session, actor, action, f"annotation {annotation.id}", **detail)
    session.flush()
    return version_record(session, version)
