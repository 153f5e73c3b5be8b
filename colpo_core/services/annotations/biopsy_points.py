"""Where biopsies were taken or are proposed: points on an image, each annotator's own."""

from collections.abc import Sequence
from math import isfinite

from sqlalchemy import delete

from colpo_core.errors import InputRejected
from colpo_core.records.annotations import BiopsyPointRecord
from colpo_core.services.annotations.rows import own_biopsy_points
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store.facts import find_row
from colpo_core.store.tables import BiopsyPoint, Image
from colpo_core.terms import ExposureKind

MAX_BIOPSY_POINTS = 24


@allowed(CLINICIANS)
def save_biopsy_points(
    caller: Caller, *, image_id: int, points: Sequence[tuple[float, float]]
) -> tuple[BiopsyPointRecord, ...]:
    """Keep where biopsies were taken or are proposed, in place of what the caller had saved before.

    Args:
        caller: Whose points they are.
        image_id: The image.
        points: (x, y) in pixels of the image, in the order of their numbers.

    Raises:
        InputRejected: A point lies outside the image, or there are too many.
        NotFound: There is no such image.
    """
    if len(points) > MAX_BIOPSY_POINTS:
        raise InputRejected(f"An image takes up to {MAX_BIOPSY_POINTS} biopsy points, not {len(points)}.")
    with caller.store.writing() as session:
        image = find_row(session, Image, image_id)
        for x_px, y_px in points:
            if not (isfinite(x_px) and isfinite(y_px) and 0 <= x_px <= image.width_px and 0 <= y_px <= image.height_px):
                raise InputRejected("A biopsy point lies outside the image. Set it again; nothing was changed.")
        session.execute(
            delete(BiopsyPoint).where(BiopsyPoint.image_id == image_id, BiopsyPoint.annotator_id == caller.person_id)
        )
        session.add_all(
            BiopsyPoint(image_id=image_id, annotator_id=caller.person_id, position=position, x_px=x_px, y_px=y_px)
            for position, (x_px, y_px) in enumerate(points, start=1)
        )
        exposures.note_within(session, caller.actor, [(image.case_id, ExposureKind.ANNOTATED)])
        audit.record(session, caller.actor, "save biopsy points", f"image {image_id}", n_points=len(points))
    return tuple(BiopsyPointRecord(i, float(x), float(y)) for i, (x, y) in enumerate(points, start=1))


@allowed(CLINICIANS)
def biopsy_points(caller: Caller, *, image_id: int) -> tuple[BiopsyPointRecord, ...]:
    """The caller's own biopsy points on an image, in order.

    Raises:
        NotFound: There is no such image.
    """
    with caller.store.reading() as session:
        find_row(session, Image, image_id)
        return own_biopsy_points(session, caller.actor, image_id)
