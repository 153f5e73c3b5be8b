"""How the annotators of a case agree, kept a case, so that lists can be filtered and sorted by it.

What is kept of a case goes when one of its masks changes (`colpo_core.store.case_summaries`), and is made anew here
when a list asks for it: comparing two masks takes some milliseconds, so that no list could do it for all cases.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session, aliased

from colpo_core.records.people import Actor
from colpo_core.services.annotations.comparing import compare_masks
from colpo_core.services.annotations.submitted_masks import AnnotatorMask, independent_masks
from colpo_core.services.common.counting import count_rows
from colpo_core.store import Store
from colpo_core.store.tables import AnnotationTask, CaseAgreement, CaseSummary, Image, TaskItem
from colpo_core.terms import Finding, TaskItemState

_AT_ONCE = 500
"""So many cases at most, so that a list of a store that was just upgraded does not wait for all of them."""
_Masks = dict[int, list[AnnotatorMask]]


def complete(store: Store) -> None:
    """Compare the masks of cases that wait for it.

    Args:
        store: The open store; no session of the caller may be writing.
    """
    with store.reading() as session:
        case_ids = session.scalars(select(CaseSummary.case_id).where(*_waits()).limit(_AT_ONCE)).all()
        if not case_ids:
            return
        masks = _masks_of(session, case_ids)
        lowest = {case_id: _lowest_dice(session, masks.get(case_id, {})) for case_id in case_ids}
    with store.writing() as session:
        still = set(session.scalars(select(CaseSummary.case_id).where(CaseSummary.case_id.in_(case_ids), *_waits())))
        now = _masks_of(session, case_ids)
        session.add_all(
            CaseAgreement(case_id=case_id, lowest_dice=lowest[case_id])
            for case_id in case_ids
            if case_id in still and now.get(case_id) == masks.get(case_id)
        )


def differing(session: Session) -> list[int]:
    """Rows of cases of which something else is kept than comparing their masks anew gives."""
    kept = dict(session.execute(select(CaseAgreement.case_id, CaseAgreement.lowest_dice)).all())
    found, case_ids = [], sorted(kept)
    for first in range(0, len(case_ids), _AT_ONCE):
        portion = case_ids[first : first + _AT_ONCE]
        masks = _masks_of(session, portion)
        found += [case_id for case_id in portion if kept[case_id] != _lowest_dice(session, masks.get(case_id, {}))]
    return found


def count_uncompared(session: Session) -> int:
    """How many cases wait for a comparison."""
    return count_rows(session, CaseSummary, *_waits())


def cases_annotated_blind(actor: Actor) -> Select[int]:
    """Rows of the cases of which somebody must not learn how others' masks agree.

    They are those of the actor's open blind tasks in which anybody still has to annotate the image: there the masks of
    the others are hidden from the actor.
    """
    fellow = aliased(TaskItem)
    return (
        select(Image.case_id)
        .join(TaskItem, TaskItem.image_id == Image.id)
        .join(AnnotationTask, AnnotationTask.id == TaskItem.task_id)
        .where(
            TaskItem.annotator_id == actor.person_id,
            AnnotationTask.blind,
            AnnotationTask.closed_at.is_(None),
            exists().where(
                fellow.task_id == TaskItem.task_id,
                fellow.image_id == TaskItem.image_id,
                fellow.state == TaskItemState.WAITING,
            ),
        )
    )


def _waits() -> tuple[ColumnElement[bool], ...]:
    is_compared = exists().where(CaseAgreement.case_id == CaseSummary.case_id)
    return (CaseSummary.n_annotators > 1, ~is_compared)


def _masks_of(session: Session, case_ids: Collection[int]) -> dict[int, _Masks]:
    """By case and image the masks that count as one annotator's."""
    cases = dict(session.execute(select(Image.id, Image.case_id).where(Image.case_id.in_(case_ids))).all())
    masks: dict[int, _Masks] = {}
    for mask in independent_masks(session, finding=Finding.ACETOWHITE, image_ids=cases):
        masks.setdefault(cases[mask.image_id], {}).setdefault(mask.image_id, []).append(mask)
    return masks


def _lowest_dice(session: Session, masks: _Masks) -> float | None:
    pairs = (pair for of_image in masks.values() for pair in compare_masks(session, of_image))
    return min((figures.dice for _, _, figures in pairs), default=None)
