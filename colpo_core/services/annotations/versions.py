"""Versions of a mask: list them, compare two as overlays, restore an earlier one."""

import numpy as np
from numpy.typing import NDArray

from colpo_core.errors import Conflict, InputRejected, PermissionDenied
from colpo_core.evaluation.agreement import pair_figures
from colpo_core.images.comparison import comparison_png
from colpo_core.records.annotations import VersionComparison, VersionRecord
from colpo_core.services.annotations.drafts import submit_draft
from colpo_core.services.annotations.rows import (
    Document,
    newest_version,
    shown_mask_id,
    version_record,
    versions_of,
)
from colpo_core.services.annotations.starts import write_start
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.blinding import require_visible
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import mask_pixels
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Annotation, AnnotationVersion
from colpo_core.terms import Start

BOTH_RGB, FIRST_RGB, SECOND_RGB = (240, 228, 66), (0, 158, 255), (255, 94, 60)
_ALPHA = 170


@allowed(CLINICIANS)
def list_versions(caller: Caller, *, annotation_id: int) -> tuple[VersionRecord, ...]:
    """All versions of an annotation, newest first.

    Raises:
        Blinding: It is somebody else's, and the caller annotates the image in a blind task that is not done.
        NotFound: There is no such annotation.
    """
    with caller.store.reading() as session:
        annotation = find_row(session, Annotation, annotation_id)
        require_visible(session, caller.actor, annotation)
        versions = tuple(version_record(session, row) for row in versions_of(session, annotation.id))
    exposures.note_masks(caller, versions)
    return versions


@allowed(CLINICIANS)
def restore_version(caller: Caller, *, version_id: int, note: str = "") -> VersionRecord:
    """Make a new version with the mask of an earlier one; the versions in between stay.

    Raises:
        Blinding: It is somebody else's, and the caller annotates the image in a blind task that is not done.
        Conflict: The newest version shows the same mask, or something was painted and not submitted since.
        InputRejected: The note is too long.
        NotFound: There is no such version.
        PermissionDenied: The version is another person's, or the caller is a reader.
    """
    with caller.store.writing() as session:
        earlier = find_row(session, AnnotationVersion, version_id)
        annotation = earlier.annotation
        require_visible(session, caller.actor, annotation)
        if annotation.annotator_id != caller.person_id:
            raise PermissionDenied("You can restore versions of your own masks alone. Start your mask from this one.")
        newest = newest_version(session, annotation.id)
        if newest is None or shown_mask_id(annotation, newest) != newest.mask_id:
            raise Conflict("You have painted since the newest version. Submit that or undo it, then restore.")
        if earlier.mask_id == newest.mask_id:
            raise Conflict(f"Version {newest.number} is the newest and shows this very mask. Nothing was changed.")
        document = Document(annotation.image_id, annotation.annotator_id, annotation.finding)
        started = write_start(
            session, caller.actor, document, mask=earlier.mask, start=Start.OWN_VERSION, version_id=earlier.id
        )
        made = submit_draft(
            session, caller.actor, document, seq=started.seq, note=note, origin=earlier.origin,
            is_absent=bool(earlier.absence_confirmed),
        )  # fmt: skip
        audit.record(
            session,
            caller.actor,
            "restore version",
            f"annotation {annotation.id}",
            restored=earlier.number,
            version=made.number,
        )
        return version_record(session, made)


@allowed(CLINICIANS)
def compare_versions(caller: Caller, *, first_id: int, second_id: int) -> VersionComparison:
    """How far two versions on one image agree.

    Raises:
        Blinding: One of them is somebody else's, and the caller annotates the image in a blind task that is not done.
        InputRejected: They lie on different images.
        NotFound: There is no such version.
    """
    records, masks = _shown_pair(caller, first_id, second_id)
    figures = pair_figures(*masks)
    both_px = int(np.count_nonzero(masks[0] & masks[1]))
    return VersionComparison(
        first=records[0],
        second=records[1],
        dice=figures.dice,
        iou=figures.iou,
        hd95_px=figures.hd95_px,
        both_px=both_px,
        only_first_px=records[0].area_px - both_px,
        only_second_px=records[1].area_px - both_px,
    )


@allowed(CLINICIANS)
def comparison_overlay(caller: Caller, *, first_id: int, second_id: int) -> bytes:
    """Two versions on one image as a PNG: what both mark, the first alone, the second alone; transparent elsewhere.

    Raises:
        Blinding: One of them is somebody else's, and the caller annotates the image in a blind task that is not done.
        InputRejected: They lie on different images.
        NotFound: There is no such version.
    """
    _, masks = _shown_pair(caller, first_id, second_id)
    return comparison_png(
        *masks, both=(*BOTH_RGB, _ALPHA), first_alone=(*FIRST_RGB, _ALPHA), second_alone=(*SECOND_RGB, _ALPHA)
    )


def _shown_pair(
    caller: Caller, first_id: int, second_id: int
) -> tuple[tuple[VersionRecord, VersionRecord], tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Two versions on one image that the caller may see, and their masks; that they were shown is noted."""
    with caller.store.reading() as session:
        first, second = (find_row(session, AnnotationVersion, version_id) for version_id in (first_id, second_id))
        for version in (first, second):
            require_visible(session, caller.actor, version.annotation)
        if first.annotation.image_id != second.annotation.image_id:
            raise InputRejected("These versions lie on different images. Choose two of one image.")
        records = version_record(session, first), version_record(session, second)
        masks = mask_pixels(first.mask), mask_pixels(second.mask)
    exposures.note_masks(caller, records)
    return records, masks
