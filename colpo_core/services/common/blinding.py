"""What an annotator must not see yet: others' masks in a blind task, the model's output in one without proposals."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from colpo_core.errors import Blinding
from colpo_core.records.people import Actor
from colpo_core.store.tables import Annotation, AnnotationTask, Prediction, TaskItem
from colpo_core.terms import Finding, TaskItemState


def hidden_annotators(session: Session, actor: Actor, *, image_id: int, finding: Finding) -> frozenset[int]:
    """Rows of the people whose masks of a finding on an image the actor must not see yet.

    They are everybody else, while the actor annotates the image in a blind task that is open and anybody of its
    annotators has it before him; skipping counts as done, and closing the task opens it. Masks from outside of the
    task, such as imported outlines, are hidden too: two people who have both seen a third mask agree through it.
    """
    mine, fellow = aliased(TaskItem), aliased(TaskItem)
    rows = session.execute(
        select(fellow.annotator_id, fellow.state)
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
    if all(state is not TaskItemState.WAITING for _, state in rows):
        return frozenset()
    painted = session.scalars(
        select(Annotation.annotator_id).where(Annotation.image_id == image_id, Annotation.finding == finding)
    )
    return frozenset({person_id for person_id, _ in rows} | set(painted)) - {actor.person_id}


def have_opened(session: Session, item: TaskItem) -> bool:
    """Whether the annotators of an item's image see each other's masks by now, though the task is blind.

    Then nobody of them has it before him any more, and another one has submitted a mask that can be seen: what the
    item's annotator paints from now on is not blind.
    """
    rows = session.execute(
        select(TaskItem.annotator_id, TaskItem.state)
        .join(AnnotationTask, AnnotationTask.id == TaskItem.task_id)
        .where(TaskItem.task_id == item.task_id, TaskItem.image_id == item.image_id, AnnotationTask.blind)
    ).all()
    states = {state for _, state in rows}
    theirs = {state for person_id, state in rows if person_id != item.annotator_id}
    return TaskItemState.WAITING not in states and TaskItemState.SUBMITTED in theirs


def model_has_opened(session: Session, item: TaskItem) -> bool:
    """Whether an item's annotator may see what a model says of its image by now, though the task is without proposals.

    What she paints from now on may have been seen on the model's output first.
    """
    if item.task.proposals or item.state is TaskItemState.WAITING:
        return False
    return session.scalar(select(Prediction.id).where(Prediction.image_id == item.image_id).limit(1)) is not None


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
        Blinding: It is somebody else's, and the actor annotates the image in a blind task that is not done.
    """
    if is_hidden(session, actor, annotation):
        raise Blinding(
            "You annotate this image in a blind task. Other people's masks of it open once all of its annotators have "
            "submitted or skipped it."
        )


def images_in_queues(actor: Actor) -> Select[int]:
    """Rows of the images that wait for the actor in open tasks."""
    return (
        select(TaskItem.image_id)
        .join(AnnotationTask, AnnotationTask.id == TaskItem.task_id)
        .where(
            TaskItem.annotator_id == actor.person_id,
            TaskItem.state == TaskItemState.WAITING,
            AnnotationTask.closed_at.is_(None),
        )
    )


def images_without_model(actor: Actor) -> Select[int]:
    """Rows of the images of which the actor must not see any model's output yet.

    They are those that wait for the actor in an open task without proposals, whatever its finding: whoever has seen
    what a model says of an image paints it with that in mind. What somebody else has before him hides nothing here.
    """
    return images_in_queues(actor).where(AnnotationTask.proposals.is_(False))


def prediction_is_hidden(session: Session, actor: Actor, image_id: int) -> bool:
    """Whether the actor must not see yet what any model says of an image."""
    return session.scalar(images_without_model(actor).where(TaskItem.image_id == image_id).limit(1)) is not None


def require_prediction_visible(session: Session, actor: Actor, image_id: int) -> None:
    """Refuse what a model says of an image, where the actor must not see it yet.

    Raises:
        Blinding: The image waits for the actor in an open task without proposals.
    """
    if prediction_is_hidden(session, actor, image_id):
        raise Blinding("Your task keeps the model's output back until you have submitted or skipped this image.")
