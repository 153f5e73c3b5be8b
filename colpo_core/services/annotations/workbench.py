"""What the annotation page shows: one image with its case, my mask, and what others did; and which image is next."""

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from colpo_core.records.annotations import AnnotationDesk, StripImage
from colpo_core.records.cases.images import place_in_series
from colpo_core.records.people import Actor
from colpo_core.services.annotations.confirmation import waits_for
from colpo_core.services.annotations.mask_doubts import find_doubt
from colpo_core.services.annotations.rows import (
    Document,
    newest_versions,
    open_record,
    own_biopsy_points,
    version_record,
    versions_of,
)
from colpo_core.services.common import exposures
from colpo_core.services.common.blinding import hidden_annotators
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.counting import count_rows
from colpo_core.services.common.mask_rows import mask_pixels
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.common.stored_images import image_record
from colpo_core.store.facts import find_row, needs_annotation
from colpo_core.store.tables import Annotation, Case, Image
from colpo_core.terms import AnnotationState, Finding


@allowed(CLINICIANS)
def annotation_desk(caller: Caller, *, image_id: int, finding: Finding = Finding.ACETOWHITE) -> AnnotationDesk:
    """All that the annotation page shows of an image.

    Raises:
        NotFound: There is no such image.
    """
    with caller.store.reading() as session:
        image = find_row(session, Image, image_id)
        case = session.get_one(Case, image.case_id)
        layers = {layer: open_record(session, Document(image.id, caller.person_id, layer), image) for layer in Finding}
        mine = layers[finding]
        submitted = newest_versions(session, image_id=image_id, state=AnnotationState.SUBMITTED, finding=finding)
        waiting = newest_versions(session, image_id=image_id, state=AnnotationState.TO_CONFIRM, finding=finding)
        hidden = hidden_annotators(session, caller.actor, image_id=image_id, finding=finding)
        versions = versions_of(session, mine.annotation_id) if mine.annotation_id is not None else []
        waits = waits_for(session, caller.actor)
        desk = AnnotationDesk(
            patient_code=case.patient.code,
            annotation=mine,
            strip=_strip(session, caller.actor, case, finding, waits),
            versions=tuple(version_record(session, row) for row in versions),
            others=tuple(
                version_record(session, row)
                for row in submitted
                if row.annotation.annotator_id not in hidden | {caller.person_id}
            ),
            to_confirm=tuple(
                version_record(session, row) for row in waiting if row.annotation.annotator_id not in hidden
            ),
            biopsy_points=own_biopsy_points(session, caller.actor, image_id),
            next_image_id=_next_image(session, caller.actor, after=image_id, finding=finding),
            n_to_confirm=count_rows(session, Annotation, waits),
            next_to_confirm_id=_next_to_confirm(session, waits, after=image_id),
            layers=tuple(layers.values()),
            is_blind=bool(hidden),
            doubts={
                row.id: doubt
                for row in waiting
                if row.annotation.annotator_id not in hidden
                and not row.origin.is_guess
                and (doubt := find_doubt(mask_pixels(row.mask), finding)) is not None
            },
        )
    exposures.note_masks(caller, (*desk.others, *desk.to_confirm))
    return desk


@allowed(CLINICIANS)
def next_image(caller: Caller, *, after: int | None = None, finding: Finding = Finding.ACETOWHITE) -> int | None:
    """The next acetic-acid image that needs the caller's mask; after the last one it starts again at the first.

    An image needs none where somebody else has begun one, or one is submitted or waits for confirmation: these are the
    images that the worklist counts as without annotation, and those that the caller alone has begun.

    Returns:
        The row of the image, or None where all are done (or `after` is the only one left).
    """
    with caller.store.reading() as session:
        return _next_image(session, caller.actor, after=after, finding=finding)


@allowed(CLINICIANS)
def next_image_to_confirm(caller: Caller) -> int | None:
    """The first image with a mask that waits for confirmation, or None."""
    with caller.store.reading() as session:
        return _next_to_confirm(session, waits_for(session, caller.actor), after=0)


def _next_to_confirm(session: Session, waits: ColumnElement[bool], *, after: int) -> int | None:
    images = select(Annotation.image_id).where(waits)
    later = images.where(Annotation.image_id > after).order_by(Annotation.image_id).limit(1)
    earlier = images.where(Annotation.image_id < after).order_by(Annotation.image_id).limit(1)
    return session.scalar(later) or session.scalar(earlier)


def _next_image(session: Session, actor: Actor, *, after: int | None, finding: Finding) -> int | None:
    waits = needs_annotation(finding=finding, by=actor.person_id)
    if after is None:
        return _first(session, waits)
    return _first(session, and_(waits, Image.id > after)) or _first(session, and_(waits, Image.id < after))


def _first(session: Session, condition: ColumnElement[bool]) -> int | None:
    return session.scalar(select(Image.id).where(condition).order_by(Image.id).limit(1))


def _strip(
    session: Session, actor: Actor, case: Case, finding: Finding, waits: ColumnElement[bool]
) -> tuple[StripImage, ...]:
    rows = session.execute(
        select(Annotation.image_id, Annotation.annotator_id, Annotation.state)
        .join(Image, Image.id == Annotation.image_id)
        .where(
            Image.case_id == case.id,
            Annotation.finding == finding,
            or_(Annotation.annotator_id == actor.person_id, waits),
        )
    ).all()
    mine = {image_id: state for image_id, annotator_id, state in rows if annotator_id == actor.person_id}
    waiting = {image_id for image_id, _, state in rows if state is AnnotationState.TO_CONFIRM}
    images = sorted(case.images, key=lambda row: place_in_series(row.stage, row.seconds_after_acid, row.id))
    return tuple(StripImage(image_record(row), mine.get(row.id), row.id in waiting) for row in images)
