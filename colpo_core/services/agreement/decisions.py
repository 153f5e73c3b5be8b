"""What the services of agreement and adjudication share: who may decide on an image, and decisions as records."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.errors import ColpoError, Conflict, PermissionDenied
from colpo_core.records.agreement import AdjudicationRecord
from colpo_core.records.copying import copied
from colpo_core.records.people import Actor
from colpo_core.services.annotations.submitted_masks import AnnotatorMask, independent_masks
from colpo_core.services.common.blinding import is_hidden
from colpo_core.store.tables import (
    Adjudication,
    AnnotationTask,
    AnnotationVersion,
    Case,
    Image,
    Patient,
    Person,
    TaskItem,
)
from colpo_core.terms import Finding, Role, TaskItemState


def refusals(
    session: Session, actor: Actor, *, finding: Finding, masks: Mapping[int, Sequence[AnnotatorMask]]
) -> dict[int, ColpoError]:
    """Why the actor may not adjudicate images; those on which they may are not among them.

    Administrators may, and the adjudicator of a task that holds the image. Nobody decides between their own mask
    and others', nor before a blind task is done with the image, nor where they still have to annotate it.

    Args:
        session: A reading or writing session.
        actor: Who wants to decide.
        finding: What the masks show.
        masks: By image, the annotators' masks that the actor may see.
    """
    may = _adjudicates(session, actor, finding)
    waiting, blind = _waiting(session, actor, finding)
    refused: dict[int, ColpoError] = {}
    for image_id, shown in masks.items():
        if actor.role is not Role.ADMINISTRATOR and image_id not in may:
            refused[image_id] = PermissionDenied(
                "Which mask counts is decided by an administrator, or by the adjudicator of a task with this image."
            )
        elif any(mask.annotator_id == actor.person_id for mask in shown):
            refused[image_id] = Conflict(
                "You have submitted a mask of your own here, so somebody else has to decide between yours and the "
                "others'."
            )
        elif image_id in waiting:
            refused[image_id] = Conflict(
                "A task asks you to annotate this image yourself, and whoever submits a mask cannot decide. Skip it "
                "there first."
            )
        elif blind.get(image_id):
            refused[image_id] = Conflict(
                f"This image waits for {blind[image_id]} more of a blind task's annotators. Decide once they have "
                "submitted or skipped it, or close the task."
            )
        elif not shown:
            refused[image_id] = Conflict(
                "Nobody has submitted a mask of this finding yet, so there is nothing to decide on."
            )
    return refused


def newest_decisions(session: Session, *, finding: Finding, image_id: int | None = None) -> dict[int, Adjudication]:
    """By image, or of one, the decision that counts: the newest."""
    query = select(Adjudication).where(Adjudication.finding == finding).order_by(Adjudication.id)
    if image_id is not None:
        query = query.where(Adjudication.image_id == image_id)
    return {row.image_id: row for row in session.scalars(query)}


def decision_record(session: Session, actor: Actor, decision: Adjudication) -> AdjudicationRecord | None:
    """The record of a decision; None where its mask is one that the actor must not see yet."""
    version = session.get_one(AnnotationVersion, decision.version_id)
    if is_hidden(session, actor, version.annotation):
        return None
    code = session.scalars(
        select(Patient.code)
        .join(Case, Case.patient_id == Patient.id)
        .join(Image, Image.case_id == Case.id)
        .where(Image.id == decision.image_id)
    ).one()
    now = annotators_versions(session, image_id=decision.image_id, finding=decision.finding)
    return copied(
        AdjudicationRecord,
        decision,
        patient_code=code,
        version_id=version.id,
        author=session.get_one(Person, version.author_id).display_name,
        sources=tuple(decision.sources),
        decided_by=session.get_one(Person, decision.decided_by).display_name,
        is_current=set(now) <= set(decision.sources),
    )


def annotators_versions(session: Session, *, image_id: int, finding: Finding) -> tuple[int, ...]:
    """Rows of the newest version of each annotator of an image, whoever may see them; adjudicated ones apart."""
    return tuple(mask.version_id for mask in independent_masks(session, finding=finding, image_ids=[image_id]))


def _adjudicates(session: Session, actor: Actor, finding: Finding) -> set[int]:
    """Images of the tasks whose adjudicator the actor is, closed ones too."""
    return set(
        session.scalars(
            select(TaskItem.image_id)
            .join(AnnotationTask, AnnotationTask.id == TaskItem.task_id)
            .where(AnnotationTask.adjudicator_id == actor.person_id, AnnotationTask.finding == finding)
        )
    )


def _waiting(session: Session, actor: Actor, finding: Finding) -> tuple[set[int], dict[int, int]]:
    """Images that wait for the actor, and by image how many annotators of blind tasks it waits for."""
    waits = (
        select(TaskItem.image_id, func.count(TaskItem.id))
        .join(AnnotationTask, AnnotationTask.id == TaskItem.task_id)
        .where(
            AnnotationTask.finding == finding,
            AnnotationTask.closed_at.is_(None),
            TaskItem.state == TaskItemState.WAITING,
        )
        .group_by(TaskItem.image_id)
    )
    own = session.execute(waits.where(TaskItem.annotator_id == actor.person_id)).all()
    blind = session.execute(waits.where(AnnotationTask.blind)).all()
    return {image_id for image_id, _ in own}, dict(blind)
