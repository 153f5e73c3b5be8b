"""What saving and submitting a mask means for the tasks that it belongs to."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.services.common.blinding import have_opened, model_has_opened
from colpo_core.store.tables import AnnotationTask, AnnotationVersion, TaskItem, utc_now
from colpo_core.terms import Finding, MaskOrigin, TaskItemState


def open_items(session: Session, *, image_id: int, annotator_id: int, finding: Finding) -> list[TaskItem]:
    """A person's items of open tasks on an image, whatever their state."""
    return list(
        session.scalars(
            select(TaskItem)
            .join(AnnotationTask, AnnotationTask.id == TaskItem.task_id)
            .where(
                TaskItem.image_id == image_id,
                TaskItem.annotator_id == annotator_id,
                AnnotationTask.finding == finding,
                AnnotationTask.closed_at.is_(None),
            )
        )
    )


def note_activity(session: Session, *, image_id: int, annotator_id: int, finding: Finding, active_ms: int) -> None:
    """Add painting time to the person's waiting items of an image."""
    for item in open_items(session, image_id=image_id, annotator_id=annotator_id, finding=finding):
        if item.state is TaskItemState.WAITING:
            item.opened_at = item.opened_at or utc_now()
            item.active_ms += active_ms


def settle_items(session: Session, version: AnnotationVersion, *, image_id: int, finding: Finding) -> None:
    """Mark the author's items of an image as done by a version, also one that was skipped before.

    In a blind task whose masks have opened, the item stays as it is: the version was made with the others in sight.
    Likewise in a task without proposals, once the model's output has opened to its annotator.
    What came of judging between others' masks settles nothing either: it is nobody's own reading.
    """
    if version.origin is not MaskOrigin.PAINTED:
        return
    for item in open_items(session, image_id=image_id, annotator_id=version.author_id, finding=finding):
        if have_opened(session, item) or model_has_opened(session, item):
            continue
        item.state = TaskItemState.SUBMITTED
        item.skip_reason = None
        item.version_id = version.id
        item.opened_at = item.opened_at or utc_now()
        item.finished_at = utc_now()
