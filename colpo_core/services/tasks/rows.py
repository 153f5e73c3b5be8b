"""What the services of tasks share: which items count, who may see a task, and turning rows into records."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from colpo_core.errors import NotFound
from colpo_core.records.copying import copied
from colpo_core.records.people import Actor
from colpo_core.records.tasks import TaskRecord
from colpo_core.store.tables import AnnotationTask, Image, Person, TaskItem
from colpo_core.terms import Role, TaskItemState


def counts() -> ColumnElement[bool]:
    """Whether an item counts: it is done, or its image still takes part.

    An image may be marked as not showing the cervix after a task was made. That is asked anew each time instead of
    being written to the items, so that correcting the mark brings the image back to every queue by itself.
    """
    return (TaskItem.state != TaskItemState.WAITING) | Image.is_readable


def find_task(session: Session, actor: Actor, task_id: int) -> AnnotationTask:
    """A task's row, for whoever may see it: administrators, its annotators and its adjudicator.

    Raises:
        NotFound: There is none, or the actor takes no part in it; both look the same from outside.
    """
    task = session.get(AnnotationTask, task_id)
    if task is None or not (actor.role is Role.ADMINISTRATOR or task_id in _tasks_of(session, actor)):
        raise NotFound("There is no such task among yours. Choose one from the list.")
    return task


def visible_tasks(session: Session, actor: Actor, *, with_closed: bool) -> list[AnnotationTask]:
    """The tasks that the actor may see, newest first."""
    query = select(AnnotationTask).order_by(AnnotationTask.id.desc())
    if not with_closed:
        query = query.where(AnnotationTask.closed_at.is_(None))
    if actor.role is not Role.ADMINISTRATOR:
        query = query.where(AnnotationTask.id.in_(_tasks_of(session, actor)))
    return list(session.scalars(query))


def task_records(session: Session, tasks: Collection[AnnotationTask]) -> tuple[TaskRecord, ...]:
    """The records of tasks, in the order given."""
    figures = _figures(session, [task.id for task in tasks])
    named = {task.created_by for task in tasks} | {task.adjudicator_id for task in tasks if task.adjudicator_id}
    names = dict(session.execute(select(Person.id, Person.display_name).where(Person.id.in_(named))).all())
    records = []
    for task in tasks:
        n_images, n_items, n_submitted, n_skipped, n_images_waiting, n_left_out = figures.get(task.id, (0,) * 6)
        records.append(
            copied(
                TaskRecord,
                task,
                adjudicator=names[task.adjudicator_id] if task.adjudicator_id else None,
                created_by=names[task.created_by],
                n_images=n_images,
                n_items=n_items,
                n_submitted=n_submitted,
                n_skipped=n_skipped,
                n_images_done=n_images - n_images_waiting,
                n_left_out=n_left_out,
            )
        )
    return tuple(records)


def _tasks_of(session: Session, actor: Actor) -> set[int]:
    annotates = select(TaskItem.task_id).where(TaskItem.annotator_id == actor.person_id).distinct()
    judges = select(AnnotationTask.id).where(AnnotationTask.adjudicator_id == actor.person_id)
    return {*session.scalars(annotates), *session.scalars(judges)}


def _figures(session: Session, task_ids: Collection[int]) -> dict[int, tuple[int, int, int, int, int, int]]:
    """Of each task: images, items, submitted, skipped, images that somebody still has to annotate, items left out."""
    waits = (TaskItem.state == TaskItemState.WAITING) & Image.is_readable
    rows = session.execute(
        select(
            TaskItem.task_id,
            func.count(case((counts(), TaskItem.image_id)).distinct()),
            func.count(case((counts(), TaskItem.id))),
            func.count(case((TaskItem.state == TaskItemState.SUBMITTED, TaskItem.id))),
            func.count(case((TaskItem.state == TaskItemState.SKIPPED, TaskItem.id))),
            func.count(case((waits, TaskItem.image_id)).distinct()),
            func.count(case((~counts(), TaskItem.id))),
        )
        .join(Image, Image.id == TaskItem.image_id)
        .where(TaskItem.task_id.in_(task_ids))
        .group_by(TaskItem.task_id)
    )
    return {row[0]: (row[1], row[2], row[3], row[4], row[5], row[6]) for row in rows}
