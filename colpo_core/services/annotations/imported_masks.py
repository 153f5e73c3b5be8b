"""Masks that were not painted here: outlines of other programs, and those of simulated cases."""

import numpy as np
from numpy.typing import NDArray

from colpo_core.errors import Conflict, InputRejected
from colpo_core.services.annotations.drafts import begin_after, begin_annotation, checked_note
from colpo_core.services.annotations.mask_doubts import find_doubt
from colpo_core.services.annotations.rows import Document, find_own, newest_version
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import store_pixels
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store.facts import find_row
from colpo_core.store.tables import AnnotationVersion, Image
from colpo_core.terms import AnnotationState, Finding, MaskOrigin


@allowed(CLINICIANS)
def import_annotation(
    caller: Caller,
    *,
    image_id: int,
    mask: NDArray[np.bool_],
    origin: MaskOrigin,
    finding: Finding = Finding.ACETOWHITE,
    note: str = "",
) -> int:
    """Store a mask that was not painted here.

    One that was closed by guess, or that looks like something that was not meant (empty, an outline that was not
    filled, inside out, most of the image), waits for a person's confirmation; a true mask of a simulated image never
    does.
    Importing the same mask again changes nothing.

    Args:
        caller: The program that brings it: `importer` or `simulator`.
        image_id: The image that it lies on.
        mask: H x W bool of the image's size.
        origin: How it came to be.
        finding: What it shows.
        note: A remark, such as how many gaps were closed.

    Returns:
        The row of the annotation.

    Raises:
        Conflict: Another mask of this source is there already; it is not replaced.
        InputRejected: The mask is of another size than the image, or the note too long.
        NotFound: There is no such image.
    """
    note = checked_note(note)
    with caller.store.writing() as session:
        image = find_row(session, Image, image_id)
        if mask.shape != (image.height_px, image.width_px):
            raise InputRejected(
                f"The mask is {mask.shape[1]} x {mask.shape[0]} pixels, its image {image.width_px} x "
                f"{image.height_px}. Bring a mask of the image's own size."
            )
        document = Document(image.id, caller.person_id, finding)
        annotation = find_own(session, document)
        row = store_pixels(session, mask)
        if annotation is not None:
            last = newest_version(session, annotation.id)
            if last is not None and last.mask_id == row.id:
                return annotation.id
            raise Conflict("This image has another mask of the same source already. It was not replaced.")
        annotation = begin_annotation(session, caller.actor, document)
        waits = origin.is_guess or (origin is not MaskOrigin.SIMULATED and find_doubt(mask, finding) is not None)
        annotation.state = AnnotationState.TO_CONFIRM if waits else AnnotationState.SUBMITTED
        version = AnnotationVersion(
            annotation=annotation, number=1, author_id=caller.person_id, mask_id=row.id, origin=origin, note=note
        )
        session.add(version)
        session.flush()
        begin_after(session, annotation, version)
        audit.record(session, caller.actor, "import annotation", f"annotation {annotation.id}", origin=origin.value)
        return annotation.id
