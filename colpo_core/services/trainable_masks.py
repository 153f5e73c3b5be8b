"""Which masks training may use: submitted ones of acetowhite epithelium, the newest of an image."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.datasets.manifest import LeftOut
from colpo_core.store.tables import Annotation, AnnotationVersion, Mask
from colpo_core.terms import AnnotationState, Finding, MaskOrigin


@dataclass(frozen=True)
class TrainableMask:
    """A mask that training may use.

    Attributes:
        version_id: The submitted version that it belongs to.
        sha256: Hash of its run-length code.
        origin: How it came to be.
    """

    version_id: int
    sha256: str
    origin: MaskOrigin


def find_masks(
    session: Session, sizes: Mapping[int, tuple[int, int]]
) -> tuple[dict[int, TrainableMask], list[LeftOut]]:
    """The newest submitted mask of acetowhite epithelium of each image, whoever painted it.

    Args:
        session: A reading session.
        sizes: Height and width in pixels of each image that takes part.

    Returns:
        Mask by image, and the annotations left out with their reason. A draft painted over a submitted version
        leaves that version in use.
    """
    newest = (
        select(AnnotationVersion.annotation_id, func.max(AnnotationVersion.number).label("number"))
        .group_by(AnnotationVersion.annotation_id)
        .subquery()
    )
    query = (
        select(Annotation, AnnotationVersion, Mask.sha256, Mask.height_px, Mask.width_px)
        .outerjoin(newest, newest.c.annotation_id == Annotation.id)
        .outerjoin(
            AnnotationVersion,
            (AnnotationVersion.annotation_id == Annotation.id) & (AnnotationVersion.number == newest.c.number),
        )
        .outerjoin(Mask, Mask.id == AnnotationVersion.mask_id)
        .where(Annotation.finding == Finding.ACETOWHITE)
        .order_by(AnnotationVersion.id)
    )
    masks: dict[int, TrainableMask] = {}
    left_out: list[LeftOut] = []
    for annotation, version, sha256, height_px, width_px in session.execute(query):
        if annotation.image_id not in sizes:
            continue
        reason = _why_not(annotation, version)
        if reason is None and (height_px, width_px) != sizes[annotation.image_id]:
            reason = "the mask's size is not its image's"
        if reason is not None:
            left_out.append(LeftOut("annotation", annotation.id, reason))
        else:
            masks[annotation.image_id] = TrainableMask(version.id, sha256, version.origin)
    return masks, left_out


def _why_not(annotation: Annotation, version: AnnotationVersion | None) -> str | None:
    if annotation.state is AnnotationState.REJECTED:
        return "the mask was rejected"
    if annotation.state is AnnotationState.TO_CONFIRM:
        how = f": its outline was closed by guess ({version.origin.value})" if version else ""
        return f"the mask waits for confirmation{how}"
    if version is None:
        return "the mask is a draft"
    if annotation.state is AnnotationState.DRAFT and version.origin.is_guess:
        return "the mask is a draft over an outline that nobody confirmed"
    return None
