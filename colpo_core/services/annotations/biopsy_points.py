"""Where biopsies were taken or are proposed: points on an image, each annotator's own."""

from collections.abc import Sequence
from math import isfinite

from sqlalchemy import delete

from colpo_core.errors import InputRejected
from colpo_core.records.annotations import BiopsyPointRecord
from colpo_core.records.people import Actor
from colpo_core.services.annotations.rows import own_biopsy_points
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.permissions import CLINICIANS, require
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import BiopsyPoint, Image
from colpo_core.terms import ExposureKind

MAX_BIOPSY_POINTS = 24


def save_biopsy_points(
    store: Store, *, actor: Actor, image_id: int, points: Sequence[tuple[float, float]]
) -> tuple[BiopsyPointRecord, ...]:
    """Keep where biopsies were taken or are proposed, in place of what the actor had saved before.

    Args:
        store: The open store.
        actor: Whose points they are.
        image_id: The image.
        points: (x, y) in pixels of the image, in the order of their numbers.

    Raises:
        InputRejected: A point lies outside the image, or there are too many.
        NotFound: There is no such image.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    if len(points) > MAX_BIOPSY_POINTS:
        raise InputRejected(f"An image takes up to {MAX_BIOPSY_POINTS} biopsy points, not {len(points)}.")
    with store.writing() as session:
        image = find_row(session, Image, image_id)
        for x_px, y_px in points:
            if not (isfinite(x_px) and isfinite(y_px) and 0 <= x_px <= image.width_px and 0 <= y_px <= image.height_px):
                raise InputRejected("A biopsy point lies outside the image. Set it again; nothing was changed.")
        session.execute(
            delete(BiopsyPoint).where(BiopsyPoint.image_id == image_id, BiopsyPoint.annotator_id == actor.person_id)
        )
        session.add_all(
            BiopsyPoint(image_id=image_id, annotator_id=actor.person_id, position=position, x_px=x_px, y_px=y_px)
            for position, (x_px, y_px) in enumerate(points, start=1)
        )
        exposures.note_within(session, actor, [(image.case_id, ExposureKind.ANNOTATED)])
        audit.record(session, actor, "save biopsy points", f"image {image_id}", n_points=len(points))
    return tuple(BiopsyPointRecord(i, float(x), float(y)) for i, (x, y) in enumerate(points, start=1))


def biopsy_points(store: Store, *, actor: Actor, image_id: int) -> tuple[BiopsyPointRecord, ...]:
    """The actor's own biopsy points on an image, in order.

    Raises:
        NotFound: There is no such image.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        find_row(session, Image, image_id)
        return own_biopsy_points(session, actor, image_id)
