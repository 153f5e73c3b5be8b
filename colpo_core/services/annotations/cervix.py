"""The region of the cervix that a person may see on an image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from colpo_core.images.masks import decode_rle
from colpo_core.records.people import Actor
from colpo_core.services.annotations.rows import (
    Document,
    find_own,
    newest_version,
    newest_versions,
    open_record,
)
from colpo_core.services.common.blinding import is_hidden
from colpo_core.services.common.mask_rows import mask_pixels
from colpo_core.store.tables import AnnotationVersion, Image, Person
from colpo_core.terms import AnnotationState, Finding


@dataclass(frozen=True)
class _OwnMask:
    """The actor's newest mask: a submitted version, or the draft that was painted since."""

    pixels: NDArray[np.bool_]
    version: AnnotationVersion | None


def _own_mask(session: Session, actor: Actor, image: Image, finding: Finding) -> _OwnMask | None:
    document = Document(image.id, actor.person_id, finding)
    annotation = find_own(session, document)
    if annotation is None:
        return None
    opened = open_record(session, document, image)
    version = newest_version(session, annotation.id)
    if not opened.changed and version is None:
        return None
    pixels = decode_rle(opened.rle, height_px=image.height_px, width_px=image.width_px)
    return _OwnMask(pixels, None if opened.changed else version)


def visible_cervix(session: Session, actor: Actor, image: Image) -> tuple[NDArray[np.bool_] | None, str]:
    """The outline to lay the clock on, and a sentence where it is not the actor's own."""
    own = _own_mask(session, actor, image, Finding.CERVIX)
    if own is not None and own.pixels.any():
        return own.pixels, ""
    rows = newest_versions(session, image_id=image.id, state=AnnotationState.SUBMITTED, finding=Finding.CERVIX)
    for version in rows:
        if version.author_id == actor.person_id or is_hidden(session, actor, version.annotation):
            continue
        pixels = mask_pixels(version.mask)
        if pixels.any():
            author = session.get_one(Person, version.author_id).display_name
            return pixels, f"The outline of the cervix is by {author}, version {version.number}."
    return None, ""
