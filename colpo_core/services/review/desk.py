"""What a clinician can do with predictions: look at them and agree or overrule."""

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from colpo_core.evaluation.evidence import image_evidence
from colpo_core.evaluation.intervals import exact_share
from colpo_core.images.biopsy_sites import propose_sites
from colpo_core.images.maps import MAP_NAMES, brightest_of_network, unpack_maps
from colpo_core.records.people import Actor
from colpo_core.records.review.reviews import (
    PredictionRecord,
    Reference,
    ReviewAgreement,
    ReviewDesk,
    ReviewNext,
    ReviewQueue,
)
from colpo_core.services.annotations.submitted_masks import AnnotatorMask, visible_masks
from colpo_core.services.common import exposures
from colpo_core.services.common.blinding import images_without_model, require_prediction_visible
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.counting import count_up_to
from colpo_core.services.common.current_model import current_id
from colpo_core.services.common.mask_rows import mask_pixels
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.review.rows import (
    SITES_MAP,
    clock_of,
    model_mask,
    prediction_record,
    prediction_rows,
    reviews_of,
    seen_of,
    unless_damaged,
    unreviewed,
    visible_prediction,
)
from colpo_core.services.review.series import review_series
from colpo_core.store.tables import CaseLabel, Checkpoint, Mask, Prediction, Review
from colpo_core.terms import ExposureKind, Finding, LabelSource, Verdict


@allowed(CLINICIANS)
def list_for_review(
    caller: Caller, *, checkpoint_id: int | None = None, after: int = 0, limit: int = 50
) -> ReviewQueue:
    """Predictions that wait for my verdict, in the order in which they came; those kept back from me are left out.

    Args:
        caller: An administrator or annotator.
        checkpoint_id: Whose predictions; the current model's when None.
        after: Row after which the page begins.
        limit: How many at most.
    """
    with caller.store.reading() as session:
        wanted = checkpoint_id or current_id(session)
        checkpoint = session.get(Checkpoint, wanted) if wanted else None
        if checkpoint is None:
            return ReviewQueue((), None, 0, None)
        waiting, kept_back = _waiting_for(caller.actor, checkpoint.id), _kept_back_from(caller.actor, checkpoint.id)
        page = prediction_rows().where(*waiting, Prediction.id > after).order_by(Prediction.id).limit(limit + 1)
        rows = tuple(prediction_record(row) for row in session.execute(page))
        more = rows[limit - 1].id if len(rows) > limit else None
        queue = ReviewQueue(
            rows[:limit],
            more,
            count_up_to(session, Prediction, *waiting),
            checkpoint.name,
            n_kept_back=count_up_to(session, Prediction, *kept_back),
        )
    exposures.note(caller, seen_of(*queue.rows))
    return queue


@allowed(CLINICIANS)
def next_for_review(caller: Caller) -> ReviewNext:
    """What of the current model waits for my verdict: which prediction is first, and how many; nothing is shown yet."""
    with caller.store.reading() as session:
        current = current_id(session)
        checkpoint = session.get(Checkpoint, current) if current else None
        if checkpoint is None:
            return ReviewNext(None, None, 0)
        waiting, kept_back = _waiting_for(caller.actor, checkpoint.id), _kept_back_from(caller.actor, checkpoint.id)
        return ReviewNext(
            session.scalar(select(func.min(Prediction.id)).where(*waiting)),
            checkpoint.name,
            count_up_to(session, Prediction, *kept_back),
        )


@allowed(CLINICIANS)
def get_prediction(caller: Caller, *, prediction_id: int) -> PredictionRecord:
    """One prediction.

    Raises:
        Blinding: It is kept back from the caller, who has yet to paint the image.
        NotFound: There is no such prediction.
    """
    with caller.store.reading() as session:
        record = prediction_record(visible_prediction(session, caller.actor, prediction_id))
    exposures.note(caller, seen_of(record))
    return record


@allowed(CLINICIANS)
def find_prediction(caller: Caller, *, image_id: int) -> PredictionRecord | None:
    """The current model's prediction of an image, else the newest of any checkpoint, else None.

    Raises:
        Blinding: Predictions of the image are kept back from the caller, who has yet to paint it.
    """
    with caller.store.reading() as session:
        require_prediction_visible(session, caller.actor, image_id)
        current = current_id(session)
        query = (
            prediction_rows()
            .where(Prediction.image_id == image_id)
            .order_by((Prediction.checkpoint_id == current).desc(), Prediction.id.desc())
        )
        row = session.execute(query.limit(1)).one_or_none()
        record = prediction_record(row) if row else None
    exposures.note(caller, seen_of(record) if record else [])
    return record


@allowed(CLINICIANS)
def open_review(caller: Caller, *, prediction_id: int) -> ReviewDesk:
    """All that a reviewer needs of one prediction.

    Raises:
        Blinding: It is kept back from the caller, who has yet to paint the image.
        NotFound: There is no such prediction.
    """
    with caller.store.reading() as session:
        row = visible_prediction(session, caller.actor, prediction_id)
        prediction, record = row[0], prediction_record(row)
        reviews = reviews_of(session, prediction_id)
        reference = _reference(session, record.case_id)
        waiting = _waiting_for(caller.actor, record.checkpoint_id)
        others = select(func.min(Prediction.id)).where(*waiting, Prediction.id != prediction_id)
        following = session.scalar(others.where(Prediction.id > prediction_id)) or session.scalar(others)
        count = count_up_to(session, Prediction, *waiting)
        maps_sha256 = prediction.maps_sha256
        own, no_mask = unless_damaged("The model's mask", lambda: model_mask(session, prediction))
        is_judged = any(review.reviewer_id == caller.person_id for review in reviews)
        annotated, no_expert = unless_damaged(
            "The annotated mask", lambda: _annotated(session, caller.actor, record.image_id) if is_judged else None
        )
        clock = clock_of(session, caller.actor, row[1])
        series = review_series(session, caller.actor, case_id=record.case_id, checkpoint_id=record.checkpoint_id)
        thresholds = row[2].card.get("thresholds", {})
    exposures.note(caller, seen_of(record))
    shown = {mask.annotator_id for image in series for mask in image.masks}
    if annotated is not None:
        shown.add(annotated[0].annotator_id)
    if shown - {caller.person_id}:
        exposures.note(caller, [(record.case_id, ExposureKind.MASK)])
    if reference.label is not None:
        exposures.note(
            caller,
            [(record.case_id, kind) for kind in (ExposureKind.LABEL, ExposureKind.HISTOLOGY)],
        )
    read_maps, no_maps = unless_damaged("The Grad-CAM maps", lambda: unpack_maps(caller.store.blobs.get(maps_sha256)))
    maps = read_maps or {}
    names = () if read_maps is None else MAP_NAMES
    peaks = {name: float(maps[name].max()) if name in maps else 0.0 for name in names}
    strengths = {name: peak / brightest_of_network(maps, name) if peak > 0 else 0.0 for name, peak in peaks.items()}
    return ReviewDesk(
        record,
        strengths,
        reviews,
        reference,
        following,
        count,
        in_model_mask=None if own is None or read_maps is None else image_evidence(maps, own),
        in_expert_mask=None if annotated is None or read_maps is None else image_evidence(maps, annotated[1]),
        expert="" if annotated is None else annotated[0].annotator,
        sites=() if own is None or SITES_MAP not in maps else propose_sites(maps[SITES_MAP], own, clock),
        has_cervix=clock.is_cervix,
        problems=tuple(filter(None, (no_mask, no_maps, no_expert))),
        series=series,
        mask_threshold=float(thresholds.get("mask", 0.5)),
    )


@allowed(CLINICIANS)
def agreement(caller: Caller, *, checkpoint_id: int | None = None) -> ReviewAgreement:
    """How often reviewers agreed with a checkpoint: the newest verdict of each reviewer on each prediction.

    Of those that agreed or overruled; whoever was unsure is counted apart.

    Args:
        caller: An administrator or annotator.
        checkpoint_id: Which checkpoint; the current model when None.
    """
    with caller.store.reading() as session:
        wanted = checkpoint_id or current_id(session)
        newest = (
            select(func.max(Review.id))
            .join(Prediction, Prediction.id == Review.prediction_id)
            .where(Prediction.checkpoint_id == wanted)
            .group_by(Review.prediction_id, Review.reviewer_id)
        )
        counted = select(Review.verdict, func.count()).where(Review.id.in_(newest)).group_by(Review.verdict)
        counts = dict(session.execute(counted).all())
    agreed, overruled = counts.get(Verdict.AGREE, 0), counts.get(Verdict.OVERRULE, 0)
    return ReviewAgreement(exact_share(agreed, agreed + overruled), counts.get(Verdict.UNSURE, 0))


def _annotated(session: Session, actor: Actor, image_id: int) -> tuple[AnnotatorMask, NDArray[np.bool_]] | None:
    """The newest annotated mask of acetowhite epithelium that the actor may see, and its pixels."""
    masks = visible_masks(session, actor, finding=Finding.ACETOWHITE, image_id=image_id).get(image_id, ())
    if not masks:
        return None
    return masks[-1], mask_pixels(session.get_one(Mask, masks[-1].mask_id))


def _waiting_for(actor: Actor, checkpoint_id: int) -> tuple[ColumnElement[bool], ...]:
    return (*unreviewed(actor, checkpoint_id), Prediction.image_id.not_in(images_without_model(actor)))


def _kept_back_from(actor: Actor, checkpoint_id: int) -> tuple[ColumnElement[bool], ...]:
    return (*unreviewed(actor, checkpoint_id), Prediction.image_id.in_(images_without_model(actor)))


def _reference(session: Session, case_id: int) -> Reference:
    label = session.scalar(
        select(CaseLabel).where(CaseLabel.case_id == case_id, CaseLabel.source == LabelSource.HISTOLOGY)
    )
    if label is None:
        return Reference(None, None, "no histology yet", flagged=False)
    return Reference(label.label, label.grade, label.reason, label.flagged)
