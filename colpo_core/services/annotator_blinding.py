"""Who may see whose masks: in a blind task, annotators of one image see each other's only once all are done."""

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from colpo_core.errors import Blinding
from colpo_core.records.people import Actor
from colpo_core.store.tables import Annotation, AnnotationTask, TaskItem
from colpo_core.terms import Finding, TaskItemState


def hidden_annotators(session: Session, actor: Actor, *, image_id: int, finding: Finding) -> frozenset[int]:
    """Rows of the people whose masks of a finding on an image the actor must not see yet.

    They are the actor's fellow annotators in a blind task that is still open, while anybody of them has the image
    before him; skipping it counts as done, and closing the task opens it.

    Args:
        session: A reading or writing session.
        actor: Who looks.
        image_id: The image.
        finding: What the masks show.
    """
    mine, fellow = aliased(TaskItem), aliased(TaskItem)
    rows = session.execute(
        select(fellow.task_id, fellow.annotator_id, fellow.state)
        .join(AnnotationTask, AnnotationTask.id == fellow.task_id)
        .join(mine, (mine.task_id == fellow.task_id) & (mine.image_id == fellow.image_id))
        .where(
            mine.annotator_id == actor.person_id,
            fellow.image_id == image_id,
            AnnotationTask.finding == finding,
            AnnotationTask.blind,
            AnnotationTask.closed_at.is_(None),
        )
    ).all()
    waiting = {task_id for task_id, _, state in rows if state is TaskItemState.WAITING}
    return frozenset(person_id for task_id, person_id, _ in rows if task_id in waiting and person_id != actor.person_id)


def is_hidden(session: Session, actor: Actor, annotation: Annotation) -> bool:
    """Whether the actor must not see this mask yet."""
    if annotation.annotator_id == actor.person_id:
        return False
    return annotation.annotator_id in hidden_annotators(
        session, actor, image_id=annotation.image_id, finding=annotation.finding
    )


def require_visible(session: Session, actor: Actor, annotation: Annotation) -> None:
    """Refuse a mask that the actor must not see yet.

    Raises:
        Blinding: It is a fellow annotator's in a blind task that is not done.
    """
    if is_hidden(session, actor, annotation):
        raise Blinding(
            "This mask is another annotator's in a blind task. It opens once everybody has submitted or skipped the "
            "image."
        )
