"""A case as one page of PDF for the record."""

import cv2
import numpy as np
from numpy.typing import NDArray

from colpo_core import __version__
from colpo_core.errors import ColpoError
from colpo_core.images.decoding import read_rgb
from colpo_core.records.cases.cases import CaseImage
from colpo_core.records.exports import CaseReport, ReportedImage
from colpo_core.services.cases.case import read_case, seen_in
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import mask_pixels
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.review.rows import (
    clock_of,
    prediction_record,
    proposed_sites,
    reviews_of,
    unless_damaged,
    visible_prediction,
)
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, Mask, Prediction, utc_now
from colpo_core.terms import Stage

_ORDER = (Stage.ACETIC_ACID, Stage.NATIVE, Stage.GREEN_FILTER, Stage.LUGOL)
_SIDE_PX = 700


@allowed(CLINICIANS)
def case_report_pdf(caller: Caller, *, case_id: int) -> bytes:
    """The page. What a task keeps back from the caller is not on it, and a missing file is said in its place.

    Args:
        caller: Who takes it; the log says so.
        case_id: Row of the case.

    Raises:
        NotFound: There is no such case.
    """
    # Only here: matplotlib takes a second to import, and few visits ask for a page.
    from colpo_core.exchange.case_pdf import MOST_IMAGES, case_pdf

    case = read_case(caller.store, caller.actor, case_id)
    chosen = sorted(case.images, key=lambda image: (_ORDER.index(image.image.stage), image.image.id))[:MOST_IMAGES]
    images = tuple(_reported(caller, image) for image in chosen)
    report = CaseReport(
        case=case,
        images=images,
        n_images=len(case.images),
        model_sha256=_model_sha256(caller.store, images),
        made_by=caller.actor.display_name,
        made_at=utc_now(),
        code_version=__version__,
    )
    exposures.note(caller, seen_in(case))
    page = case_pdf(report, _photographs(caller.store, images), _masks(caller.store, images))
    with caller.store.writing() as session:
        audit.record(session, caller.actor, "make page of case", f"case {case.id}")
    return page


def _reported(caller: Caller, shown: CaseImage) -> ReportedImage:
    if shown.prediction_id is None or shown.prob_hsil is None:
        return ReportedImage(shown.image)
    with caller.store.reading() as session:
        row = visible_prediction(session, caller.actor, shown.prediction_id)
        sites, _ = unless_damaged("The maps", lambda: proposed_sites(caller.store, session, caller.actor, row))
        has_cervix = clock_of(session, caller.actor, row[1]).is_cervix
        reviews = reviews_of(session, shown.prediction_id)
        return ReportedImage(shown.image, prediction_record(row), reviews, sites or (), has_cervix)


def _model_sha256(store: Store, images: tuple[ReportedImage, ...]) -> str:
    first = next((image.prediction for image in images if image.prediction is not None), None)
    if first is None:
        return ""
    with store.reading() as session:
        return session.get_one(Checkpoint, first.checkpoint_id).sha256


def _photographs(store: Store, images: tuple[ReportedImage, ...]) -> dict[int, NDArray[np.uint8]]:
    photographs = {}
    for reported in images:
        try:
            photographs[reported.image.id] = _smaller(read_rgb(store.blobs.get(reported.image.sha256)))
        except ColpoError:
            continue  # the page says in its place that the image is missing
    return photographs


def _masks(store: Store, images: tuple[ReportedImage, ...]) -> dict[int, NDArray[np.bool_]]:
    masks = {}
    with store.reading() as session:
        for reported in images:
            if reported.prediction is not None:
                mask = session.get_one(Mask, session.get_one(Prediction, reported.prediction.id).mask_id)
                masks[reported.image.id] = _smaller(mask_pixels(mask).astype(np.uint8)) > 0
    return masks


def _smaller(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    shrink = min(1.0, _SIDE_PX / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * shrink)), max(1, round(pixels.shape[0] * shrink)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
