"""The newest mask that each annotator has submitted of a finding, and why one may not be used."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from colpo_core.records.people import Actor
from colpo_core.services.common.blinding import hidden_annotators
from colpo_core.store.tables import Annotation, AnnotationTask, AnnotationVersion, Mask, Person, TaskItem
from colpo_core.terms import AnnotationState, Finding, MaskOrigin, TaskItemState

_MASK_COLUMNS = (Person.display_name, Mask.sha256, Mask.width_px, Mask.height_px, Mask.area_px)


@dataclass(frozen=True)
class AnnotatorMask:
    """An annotator's newest submitted mask of one finding on one image.

    Attributes:
        annotation_id: Row of the annotation.
        image_id: Row of the image.
        annotator_id: Row of the person.
        annotator: Display name.
        version_id: Row of the version.
        mask_id: Row of the mask.
        sha256: Hash of its run-length code.
        width_px: Width of the mask.
        height_px: Height of the mask.
        origin: How it came to be.
        confirmed_clear: Whether it is empty because a person has confirmed that the finding is not there, or the
            program drew none; not merely because nothing was painted.
        is_adjudicated: Whether its annotator has decided between the others' masks of this image, so that it is not
            one annotator's among them.
    """

    annotation_id: int
    image_id: int
    annotator_id: int
    annotator: str
    version_id: int
    mask_id: int
    sha256: str
    width_px: int
    height_px: int
    origin: MaskOrigin
    confirmed_clear: bool
    is_adjudicated: bool


@dataclass(frozen=True)
class FoundMask:
    """An annotation and, where it may be used, its mask.

    Attributes:
        annotation_id: Row of the annotation.
        image_id: Row of the image.
        mask: The mask, or None.
        reason: Why it may not be used; empty where it may.
    """

    annotation_id: int
    image_id: int
    mask: AnnotatorMask | None
    reason: str = ""


def find_annotator_masks(
    session: Session, *, finding: Finding, image_ids: Collection[int] | None = None
) -> Iterator[FoundMask]:
    """Each annotation of a finding, on some images or on all (None), in the order of their newest versions.

    A draft painted over a submitted version leaves that version in use.
    """
    rows: Any = session.execute(_query(finding, image_ids))
    for annotation, version, *others, n_adjudicated in rows:
        reason = _why_not(annotation, version)
        mask = None if reason else _annotator_mask(annotation, version, *others, is_adjudicated=n_adjudicated > 0)
        yield FoundMask(annotation.id, annotation.image_id, mask, reason)


def independent_masks(
    session: Session, *, finding: Finding, image_ids: Collection[int] | None = None
) -> Iterator[AnnotatorMask]:
    """Of `find_annotator_masks` those that may be used, adjudicated ones apart, whoever may see them."""
    for candidate in find_annotator_masks(session, finding=finding, image_ids=image_ids):
        if candidate.mask is not None and not candidate.mask.is_adjudicated:
            yield candidate.mask


def visible_masks(
    session: Session, actor: Actor, *, finding: Finding, image_id: int | None = None
) -> dict[int, tuple[AnnotatorMask, ...]]:
    """By image, the masks of its annotators that the actor may see, adjudicated ones apart; the oldest first."""
    masks = independent_masks(session, finding=finding, image_ids=None if image_id is None else [image_id])
    return _unhidden(session, actor, finding, masks)


def _unhidden(
    session: Session, actor: Actor, finding: Finding, masks: Iterable[AnnotatorMask]
) -> dict[int, tuple[AnnotatorMask, ...]]:
    """By image, those of some masks that the actor may see by now."""
    by_image: dict[int, list[AnnotatorMask]] = {}
    hidden: dict[int, frozenset[int]] = {}
    for mask in masks:
        if mask.image_id not in hidden:
            hidden[mask.image_id] = hidden_annotators(session, actor, image_id=mask.image_id, finding=finding)
        if mask.annotator_id not in hidden[mask.image_id]:
            by_image.setdefault(mask.image_id, []).append(mask)
    return {image_id: tuple(of_image) for image_id, of_image in by_image.items()}


def masks_of_task(session: Session, actor: Actor, task: AnnotationTask) -> dict[int, tuple[AnnotatorMask, ...]]:
    """By image, the masks that a task's annotators have submitted for it and that the actor may see."""
    rows: Any = session.execute(
        select(TaskItem, AnnotationVersion, *_MASK_COLUMNS)
        .join(AnnotationVersion, AnnotationVersion.id == TaskItem.version_id)
        .join(Mask, Mask.id == AnnotationVersion.mask_id)
        .join(Person, Person.id == TaskItem.annotator_id)
        .where(TaskItem.task_id == task.id, TaskItem.state == TaskItemState.SUBMITTED)
        .order_by(AnnotationVersion.id)
    )
    masks = (_annotator_mask(item, version, *others, is_adjudicated=False) for item, version, *others in rows)
    return _unhidden(session, actor, task.finding, masks)


def _annotator_mask(
    owner: Annotation | TaskItem,
    version: AnnotationVersion,
    annotator: str,
    sha256: str,
    width_px: int,
    height_px: int,
    area_px: int,
    *,
    is_adjudicated: bool,
) -> AnnotatorMask:
    return AnnotatorMask(
        annotation_id=version.annotation_id,
        image_id=owner.image_id,
        annotator_id=owner.annotator_id,
        annotator=annotator,
        version_id=version.id,
        mask_id=version.mask_id,
        sha256=sha256,
        width_px=width_px,
        height_px=height_px,
        origin=version.origin,
        confirmed_clear=is_confirmed_clear(version, area_px),
        is_adjudicated=is_adjudicated,
    )


def is_confirmed_clear(version: AnnotationVersion, area_px: int) -> bool:
    """Whether a version that may be used says that the finding is not there, and does not merely mark nothing.

    What was painted was asked about since; what was imported empty waited for a person's confirmation; and what the
    program drew it drew on purpose.

    Args:
        version: The version.
        area_px: How many pixels its mask marks.
    """
    was_asked = version.origin not in (MaskOrigin.PAINTED, MaskOrigin.ADJUDICATED)
    return area_px == 0 and (was_asked or bool(version.absence_confirmed))


def _query(finding: Finding, image_ids: Collection[int] | None) -> Select[*tuple[Any, ...]]:
    numbers = select(AnnotationVersion.annotation_id, func.max(AnnotationVersion.number).label("number"))
    if image_ids is not None:
        wanted = select(Annotation.id).where(Annotation.image_id.in_(image_ids))
        numbers = numbers.where(AnnotationVersion.annotation_id.in_(wanted))
    newest = numbers.group_by(AnnotationVersion.annotation_id).subquery()
    any_version = aliased(AnnotationVersion)
    n_adjudicated = (
        select(func.count())
        .where(any_version.annotation_id == Annotation.id, any_version.origin == MaskOrigin.ADJUDICATED)
        .scalar_subquery()
    )
    query = (
        select(Annotation, AnnotationVersion, *_MASK_COLUMNS, n_adjudicated)
        .join(Person, Person.id == Annotation.annotator_id)
        .outerjoin(newest, newest.c.annotation_id == Annotation.id)
        .outerjoin(
            AnnotationVersion,
            (AnnotationVersion.annotation_id == Annotation.id) & (AnnotationVersion.number == newest.c.number),
        )
        .outerjoin(Mask, Mask.id == AnnotationVersion.mask_id)
        .where(Annotation.finding == finding)
        .order_by(AnnotationVersion.id)
    )
    return query if image_ids is None else query.where(Annotation.image_id.in_(image_ids))


def _why_not(annotation: Annotation, version: AnnotationVersion | None) -> str:
    if annotation.state is AnnotationState.REJECTED:
        return "the mask was rejected"
    if annotation.state is AnnotationState.TO_CONFIRM:
        is_guess = version is not None and version.origin.is_guess
        how = f": its outline was closed by guess ({version.origin.value})" if version and is_guess else ""
        return f"the mask waits for confirmation{how}"
    if version is None:
        return "the mask is a draft"
    if annotation.state is AnnotationState.DRAFT and version.origin.is_guess:
        return "the mask is a draft over an outline that nobody confirmed"
    return ""
