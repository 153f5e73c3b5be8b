"""Stored images: their record, their file, a small version, and corrections."""

import logging

from colpo_core.errors import InputRejected
from colpo_core.images.decoding import thumbnail_jpeg
from colpo_core.records.cases.images import ImageRecord
from colpo_core.records.copying import copied
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.machine_errors import disk_error
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store.blobs import write_file
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Image
from colpo_core.terms import Stage

_logger = logging.getLogger(__name__)


@allowed(CLINICIANS)
def mark_image(
    caller: Caller,
    *,
    image_id: int,
    stage: Stage | None = None,
    shows_cervix: bool | None = None,
    seconds_after_acid: int | None = None,
) -> ImageRecord:
    """Correct what is recorded of an image; what is None stays.

    Args:
        caller: Who corrects it.
        image_id: Row of the image.
        stage: When it was taken; away from acetic acid, the seconds are forgotten.
        shows_cervix: Whether it shows the cervix; where not, learning leaves it out.
        seconds_after_acid: Seconds after acetic acid, 0 to 3600.

    Raises:
        NotFound: There is no such image.
        InputRejected: The seconds are out of range.
    """
    with caller.store.writing() as session:
        image = find_row(session, Image, image_id)
        before = (image.stage, image.shows_cervix, image.seconds_after_acid)
        image.stage = stage or image.stage
        image.shows_cervix = image.shows_cervix if shows_cervix is None else shows_cervix
        if image.stage is not Stage.ACETIC_ACID:
            image.seconds_after_acid = None
        elif seconds_after_acid is not None:
            image.seconds_after_acid = checked_seconds(seconds_after_acid)
        image.stage_guessed = image.stage_guessed and stage is None
        if before != (image.stage, image.shows_cervix, image.seconds_after_acid):
            detail = {"stage": image.stage.value, "shows_cervix": image.shows_cervix}
            audit.record(session, caller.actor, "mark image", f"image {image_id}", **detail)
        return image_record(image)


@allowed(CLINICIANS)
def get_image(caller: Caller, *, image_id: int) -> ImageRecord:
    """The record of one image.

    Raises:
        PermissionDenied: The caller is a reader: a reader sees images through a study alone.
        NotFound: There is no such image.
    """
    with caller.store.reading() as session:
        return image_record(find_row(session, Image, image_id))


@allowed(CLINICIANS)
def image_bytes(caller: Caller, *, image_id: int) -> tuple[bytes, ImageRecord]:
    """The clean file of one image, and its record.

    Raises:
        NotFound: There is no such image, or its file is missing or damaged.
    """
    image = get_image(caller, image_id=image_id)
    return caller.store.blobs.get(image.sha256), image


@allowed(CLINICIANS)
def image_thumbnail(caller: Caller, *, image_id: int) -> tuple[bytes, ImageRecord]:
    """A small JPEG of one image, and the image's record. It is made once and kept beside the store's files.

    Raises:
        NotFound: There is no such image, or its file is missing or damaged.
    """
    image = get_image(caller, image_id=image_id)
    path = caller.store.settings.data_dir / "thumbnails" / image.sha256[:2] / f"{image.sha256}.jpg"
    try:
        return path.read_bytes(), image
    except FileNotFoundError:
        thumbnail = thumbnail_jpeg(caller.store.blobs.get(image.sha256))
        try:
            write_file(path, thumbnail)
        except OSError as error:
            if disk_error(error) is None:
                raise
            _logger.warning("a thumbnail could not be kept: %s", type(error).__name__)  # it is made again next time
        return thumbnail, image


def image_record(image: Image) -> ImageRecord:
    """The record of an image's row."""
    return copied(ImageRecord, image)


def checked_seconds(seconds: int) -> int:
    """Seconds after acetic acid, if they can be.

    Raises:
        InputRejected: They lie outside 0 to 3600.
    """
    if not 0 <= seconds <= 3600:
        raise InputRejected("The seconds after acetic acid lie between 0 and 3600.")
    return seconds
