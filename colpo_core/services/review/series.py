"""The images of a case under review, with the layers that its reviewer may see by now."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.records.cases.images import place_in_series
from colpo_core.records.people import Actor
from colpo_core.records.review.reviews import ReviewImage, ReviewMask
from colpo_core.services.annotations.submitted_masks import visible_masks
from colpo_core.services.common.blinding import images_without_model
from colpo_core.services.common.stored_images import image_record
from colpo_core.store.tables import Image, Prediction, Review
from colpo_core.terms import Finding


def review_series(session: Session, actor: Actor, *, case_id: int, checkpoint_id: int) -> tuple[ReviewImage, ...]:
    """The images of a case by stage and time, each with its layers."""
    images = list(session.scalars(select(Image).where(Image.case_id == case_id)))
    ids = [image.id for image in images]
    kept_back = set(session.scalars(images_without_model(actor)))
    predictions = {
        row.image_id: row
        for row in session.scalars(
            select(Prediction).where(Prediction.image_id.in_(ids), Prediction.checkpoint_id == checkpoint_id)
        )
        if row.image_id not in kept_back
    }
    judged = _judged(session, actor, [row.id for row in predictions.values()])
    shown = []
    for image in sorted(images, key=lambda row: place_in_series(row.stage, row.seconds_after_acid, row.id)):
        prediction = predictions.get(image.id)
        is_open = image.id not in kept_back and (prediction is None or prediction.id in judged)
        shown.append(
            ReviewImage(
                image_record(image),
                prediction.id if prediction else None,
                prediction is not None and prediction.acetowhite_sha256 is not None,
                _masks(session, actor, image.id) if is_open else (),
            )
        )
    return tuple(shown)


def _judged(session: Session, actor: Actor, prediction_ids: Iterable[int]) -> set[int]:
    """Of some predictions, those that the actor has a verdict on."""
    mine = select(Review.prediction_id).where(
        Review.prediction_id.in_(list(prediction_ids)), Review.reviewer_id == actor.person_id
    )
    return set(session.scalars(mine))


def _masks(session: Session, actor: Actor, image_id: int) -> tuple[ReviewMask, ...]:
    return tuple(
        ReviewMask(mask.version_id, mask.annotator, mask.annotator_id, finding)
        for finding in Finding
        for mask in visible_masks(session, actor, finding=finding, image_id=image_id).get(image_id, ())
    )
