"""Rows of predictions as other services need them. Whoever shows somebody what they say notes it: see `exposures`."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, exists, select
from sqlalchemy.orm import Session

from colpo_core.errors import ColpoError
from colpo_core.images.biopsy_sites import propose_sites
from colpo_core.images.clock_face import Clock, lay_clock
from colpo_core.images.maps import unpack_maps
from colpo_core.records.copying import copied
from colpo_core.records.models.cards import calibration_text
from colpo_core.records.models.marks import model_marks
from colpo_core.records.people import Actor
from colpo_core.records.review.explanations import ProposedSite
from colpo_core.records.review.reviews import PredictionRecord, ReviewRecord
from colpo_core.services.annotations.cervix import visible_cervix
from colpo_core.services.common.blinding import require_prediction_visible
from colpo_core.services.common.mask_rows import mask_pixels
from colpo_core.store import Store
from colpo_core.store.facts import find_one
from colpo_core.store.tables import Case, Checkpoint, Image, Mask, Patient, Person, Prediction, Review
from colpo_core.terms import ExposureKind

Result = TypeVar("Result")
PredictionRow = Row[Prediction, Image, Checkpoint, str]
SITES_MAP = "4ch-hsil"


def prediction_rows() -> Select[Prediction, Image, Checkpoint, str]:
    """Predictions with their image, checkpoint and the patient's code."""
    return (
        select(Prediction, Image, Checkpoint, Patient.code)
        .join(Image, Image.id == Prediction.image_id)
        .join(Case, Case.id == Image.case_id)
        .join(Patient, Patient.id == Case.patient_id)
        .join(Checkpoint, Checkpoint.id == Prediction.checkpoint_id)
    )


def visible_prediction(session: Session, actor: Actor, prediction_id: int) -> PredictionRow:
    """A prediction by its row, refused where it is kept back from the actor.

    Raises:
        Blinding: It is kept back from the actor, who has yet to paint the image.
        NotFound: There is no such prediction.
    """
    row = find_one(session, prediction_rows().where(Prediction.id == prediction_id), prediction_id)
    require_prediction_visible(session, actor, row[1].id)
    return row


def prediction_record(row: PredictionRow) -> PredictionRecord:
    """The record of a row of `prediction_rows`."""
    prediction, image, checkpoint, patient_code = row
    return copied(
        PredictionRecord,
        prediction,
        image_id=image.id,
        case_id=image.case_id,
        patient_code=patient_code,
        checkpoint_id=checkpoint.id,
        checkpoint_name=checkpoint.name,
        label_source=checkpoint.label_source,
        width_px=image.width_px,
        height_px=image.height_px,
        simulated=image.simulated,
        checkpoint_simulated=checkpoint.simulated,
        marks=model_marks(checkpoint.card, label_source=checkpoint.label_source, simulated=checkpoint.simulated),
        calibration=calibration_text(checkpoint.card),
    )


def seen_of(*predictions: PredictionRecord) -> list[tuple[int, ExposureKind]]:
    """What whoever is shown predictions has seen of their cases."""
    return [(record.case_id, ExposureKind.PREDICTION) for record in predictions]


def unreviewed(actor: Actor, checkpoint_id: int | ScalarSelect[int]) -> tuple[ColumnElement[bool], ...]:
    """The conditions of a checkpoint's predictions on which the actor has no verdict."""
    mine = exists().where(Review.prediction_id == Prediction.id, Review.reviewer_id == actor.person_id)
    return (Prediction.checkpoint_id == checkpoint_id, ~mine)


def reviews_of(session: Session, prediction_id: int) -> tuple[ReviewRecord, ...]:
    """The verdicts on a prediction, newest first."""
    query = (
        select(Review, Person.display_name)
        .join(Person, Person.id == Review.reviewer_id)
        .where(Review.prediction_id == prediction_id)
        .order_by(Review.id.desc())
    )
    return tuple(
        ReviewRecord(row.id, row.prediction_id, name, row.reviewer_id, row.verdict, row.reason, row.at, row.because)
        for row, name in session.execute(query)
    )


def model_mask(session: Session, prediction: Prediction) -> NDArray[np.bool_]:
    """The checkpoint's own mask, H x W bool.

    Raises:
        InputRejected: It is damaged.
    """
    return mask_pixels(session.get_one(Mask, prediction.mask_id))


def clock_of(session: Session, actor: Actor, image: Image) -> Clock:
    """The clock face over an image: about an outline of the cervix that the actor may see, else about the middle."""
    cervix, _ = visible_cervix(session, actor, image)
    return lay_clock(cervix, height_px=image.height_px, width_px=image.width_px)


def proposed_sites(store: Store, session: Session, actor: Actor, row: PredictionRow) -> tuple[ProposedSite, ...]:
    """The places of a prediction that are proposed for a biopsy.

    Raises:
        NotFound: Its maps are missing.
        InputRejected: Its maps or its mask are damaged.
    """
    maps = unpack_maps(store.blobs.get(row[0].maps_sha256))
    if SITES_MAP not in maps:
        return ()
    return propose_sites(maps[SITES_MAP], model_mask(session, row[0]), clock_of(session, actor, row[1]))


def unless_damaged(what: str, read: Callable[[], Result]) -> tuple[Result | None, str]:
    """What is read, or a sentence that says why it cannot be; whatever else is shown does without it."""
    try:
        return read(), ""
    except ColpoError as error:
        return None, f"{what} cannot be shown. {error}"
