"""What a mask starts from: nothing, a version, another image of the case, or the model's proposal.

Starting replaces the draft, whatever was painted: the editor keeps that as a step to undo. What it started from goes
into the next version, so that automation bias can be measured.
"""

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.images.masks import resize_mask
from colpo_core.records.annotations import Correction, ImageStart, Proposal, SavedDraft, StartOptions, StartSource
from colpo_core.records.cases.images import place_in_series
from colpo_core.records.people import Actor
from colpo_core.services.annotations.drafts import begin_annotation, begin_from, replace_draft
from colpo_core.services.annotations.proposals import proposals_refusal
from colpo_core.services.annotations.rows import (
    Document,
    find_own,
    newest_version,
    newest_versions,
    shown_mask_id,
    version_record,
    versions_of,
)
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.blinding import is_hidden, require_prediction_visible, require_visible
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import empty_code, mask_pixels, store_mask, store_pixels
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.common.stored_images import image_record
from colpo_core.store.facts import current_checkpoint_id, find_row
from colpo_core.store.tables import AnnotationVersion, Checkpoint, Image, Mask, Prediction
from colpo_core.terms import AnnotationState, ExposureKind, Finding, Start

_SHOWN = {Start.OTHER_VERSION: ExposureKind.MASK, Start.PROPOSAL: ExposureKind.PREDICTION}


@allowed(CLINICIANS)
def start_options(caller: Caller, *, image_id: int, finding: Finding = Finding.ACETOWHITE) -> StartOptions:
    """What the caller's mask of a finding on an image may start from, beside nothing.

    Raises:
        NotFound: There is no such image.
    """
    with caller.store.reading() as session:
        image = find_row(session, Image, image_id)
        document = Document(image.id, caller.person_id, finding)
        mine = find_own(session, document)
        refused = proposals_refusal(session, caller.actor, image.id, finding)
        options = StartOptions(
            own_versions=tuple(version_record(session, row) for row in versions_of(session, mine.id)) if mine else (),
            others=tuple(version_record(session, row) for row in _others(session, caller.actor, document)),
            other_images=_other_images(session, image, document),
            proposal=None if refused else _proposal(session, image.id),
            proposals_refused=refused,
        )
    exposures.note_masks(caller, options.others)
    if options.proposal is not None:
        exposures.note_images(caller, [image_id], ExposureKind.PREDICTION)
    return options


@allowed(CLINICIANS)
def start_from(caller: Caller, *, document_id: str, source: StartSource) -> SavedDraft:
    """Replace the caller's draft by another mask. Whatever was painted goes; other tabs have to load the document anew.

    Args:
        caller: Whose document it is.
        document_id: From `open_annotation`.
        source: What to start from.

    Raises:
        Blinding: The mask is somebody else's, and the caller annotates the image in a blind task that is not done.
        Conflict: The proposal is not the current model's (any more).
        InputRejected: The version or the image is of another kind than the source says, or shows nothing.
        NotFound: There is no such document, version, image or prediction, or the document is another person's.
        PermissionDenied: The caller is a reader, or the model may not propose here.
    """
    document = Document.read(document_id, caller.actor)
    with caller.store.writing() as session:
        image = find_row(session, Image, document.image_id)
        mask, version_id = _mask_of(session, caller.actor, document, source)
        if source.start in _SHOWN:
            exposures.note_within(session, caller.actor, [(image.case_id, _SHOWN[source.start])])
        return write_start(
            session,
            caller.actor,
            document,
            mask=mask,
            start=source.start,
            version_id=version_id,
            prediction_id=source.prediction_id,
        )


@allowed(CLINICIANS)
def start_correction(caller: Caller, *, prediction_id: int) -> Correction:
    """Open the caller's mask of a prediction's image from the model's mask, where nothing was painted there yet.

    Whatever the caller has painted or submitted stays as it is; then nothing is started.

    Raises:
        Blinding: Predictions of the image are kept back from the caller.
        Conflict: The prediction is not the current model's (any more).
        NotFound: There is no such prediction.
        PermissionDenied: The caller is a reader, or the model may not propose here.
    """
    with caller.store.writing() as session:
        prediction = find_row(session, Prediction, prediction_id)
        require_prediction_visible(session, caller.actor, prediction.image_id)
        document = Document(prediction.image_id, caller.person_id, Finding.ACETOWHITE)
        annotation = find_own(session, document)
        if annotation is not None and (annotation.draft_seq > 0 or annotation.versions):
            return Correction(prediction.image_id, has_started=False)
        image = find_row(session, Image, prediction.image_id)
        mask = _proposed_mask(session, caller.actor, document, prediction_id)
        exposures.note_within(session, caller.actor, [(image.case_id, ExposureKind.PREDICTION)])
        write_start(session, caller.actor, document, mask=mask, start=Start.PROPOSAL, prediction_id=prediction_id)
        return Correction(prediction.image_id, has_started=True)


def write_start(
    session: Session,
    actor: Actor,
    document: Document,
    *,
    mask: Mask,
    start: Start,
    version_id: int | None = None,
    prediction_id: int | None = None,
) -> SavedDraft:
    """Put a mask in the place of a draft's and write down where it comes from; the caller has checked that it may be.

    Strokes and time go on counting from the version before, and a proposal that was seen stays seen.

    Args:
        session: A writing session.
        actor: Whose document it is.
        document: What the mask is about.
        mask: A stored mask of the image's size.
        start: From what kind of mask.
        version_id: The version that the mask is of, where it is one's.
        prediction_id: The prediction that the mask is of, where it is one's.
    """
    annotation = find_own(session, document) or begin_annotation(session, actor, document)
    start_mask_id = None if start is Start.NOTHING else mask.id
    begin_from(session, annotation, start, mask_id=start_mask_id, version_id=version_id, prediction_id=prediction_id)
    named = {"version_id": version_id, "prediction_id": prediction_id}
    detail = {name: row for name, row in named.items() if row is not None}
    audit.record(session, actor, "start mask over", f"annotation {annotation.id}", start=start.value, **detail)
    return replace_draft(session, annotation, mask)


def _mask_of(session: Session, actor: Actor, document: Document, source: StartSource) -> tuple[Mask, int | None]:
    """The mask that a source names, at the size of the document's image, and the version that it is of."""
    if source.version_id is not None:
        version = _version_to_start_from(session, actor, document, source.version_id, source.start)
        return version.mask, version.id
    if source.image_id is not None:
        return _mask_of_other_image(session, document, source.image_id)
    if source.prediction_id is not None:
        return _proposed_mask(session, actor, document, source.prediction_id), None
    image = find_row(session, Image, document.image_id)
    return store_mask(session, empty_code(image.height_px, image.width_px), image.height_px, image.width_px), None


def _version_to_start_from(
    session: Session, actor: Actor, document: Document, version_id: int, start: Start
) -> AnnotationVersion:
    version = find_row(session, AnnotationVersion, version_id)
    annotation = version.annotation
    require_visible(session, actor, annotation)
    if (annotation.image_id, annotation.finding) != (document.image_id, document.finding):
        raise InputRejected("This version is of another image or of another finding. Choose one of this mask's.")
    is_mine = annotation.annotator_id == actor.person_id
    if is_mine != (start is Start.OWN_VERSION):
        raise InputRejected("This version is your own." if is_mine else "This version is another person's.")
    return version


def _mask_of_other_image(session: Session, document: Document, image_id: int) -> tuple[Mask, int | None]:
    image, other = find_row(session, Image, document.image_id), find_row(session, Image, image_id)
    if other.id == image.id or other.case_id != image.case_id:
        raise InputRejected("Choose another image of the same case to start from.")
    annotation = find_own(session, Document(other.id, document.annotator_id, document.finding))
    newest = newest_version(session, annotation.id) if annotation else None
    mask = session.get(Mask, shown_mask_id(annotation, newest)) if annotation else None
    if mask is None or mask.area_px == 0:
        raise InputRejected("You have not marked this finding on that image. Choose another one to start from.")
    pixels = resize_mask(mask_pixels(mask), height_px=image.height_px, width_px=image.width_px)
    return store_pixels(session, pixels), newest.id if newest and newest.mask_id == mask.id else None


def _proposed_mask(session: Session, actor: Actor, document: Document, prediction_id: int) -> Mask:
    refused = proposals_refusal(session, actor, document.image_id, document.finding)
    if refused:
        raise PermissionDenied(refused)
    prediction = session.get(Prediction, prediction_id)
    if prediction is None or prediction.image_id != document.image_id:
        raise NotFound("The model has no such prediction of this image. Open the image again.")
    row = _current_prediction(session, document.image_id)
    if row is None or row[0].id != prediction_id:
        raise Conflict("Another model has become the current one since. Open the image again to see its proposal.")
    return session.get_one(Mask, prediction.mask_id)


def _others(session: Session, actor: Actor, document: Document) -> list[AnnotationVersion]:
    rows = [
        row
        for state in (AnnotationState.SUBMITTED, AnnotationState.TO_CONFIRM)
        for row in newest_versions(session, image_id=document.image_id, state=state, finding=document.finding)
    ]
    theirs = [row for row in rows if row.annotation.annotator_id != actor.person_id]
    seen = [row for row in theirs if not is_hidden(session, actor, row.annotation)]
    return sorted(seen, key=lambda row: row.id, reverse=True)


def _other_images(session: Session, image: Image, document: Document) -> tuple[ImageStart, ...]:
    rows = session.scalars(select(Image).where(Image.case_id == image.case_id, Image.id != image.id)).all()
    options: list[ImageStart] = []
    for other in sorted(rows, key=lambda row: place_in_series(row.stage, row.seconds_after_acid, row.id)):
        annotation = find_own(session, Document(other.id, document.annotator_id, document.finding))
        if annotation is None:
            continue
        newest = newest_version(session, annotation.id)
        mask = session.get(Mask, shown_mask_id(annotation, newest))
        if mask is not None and mask.area_px > 0:
            share = mask.area_px / (mask.width_px * mask.height_px)
            is_submitted = newest is not None and newest.mask_id == mask.id
            options.append(ImageStart(image_record(other), share, is_submitted))
    return tuple(options)


def _proposal(session: Session, image_id: int) -> Proposal | None:
    row = _current_prediction(session, image_id)
    if row is None:
        return None
    prediction, name = row
    return Proposal(prediction.id, name, prediction.acetowhite_fraction, prediction.created_at)


def _current_prediction(session: Session, image_id: int) -> Row[Prediction, str] | None:
    return session.execute(
        select(Prediction, Checkpoint.name)
        .join(Checkpoint, Checkpoint.id == Prediction.checkpoint_id)
        .where(Prediction.image_id == image_id, Prediction.checkpoint_id == current_checkpoint_id())
    ).one_or_none()
