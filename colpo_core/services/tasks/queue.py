"""A person's own queue: the images of a task in their order, one before me, the rest before and after it.

An image that was left out after the task was made (it does not show the cervix after all) stays in the queue's rows
and is passed over, unless the person has done it already; so it blocks nobody, and comes back when the mark is mended.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import Blinding, Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.records.copying import copied
from colpo_core.records.people import Actor
from colpo_core.records.tasks import MAX_SKIP_REASON, QueueItem, QueuePlace, QueueSummary
from colpo_core.services.common import audit
from colpo_core.services.common.blinding import have_opened, model_has_opened
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.tasks.rows import counts, find_task
from colpo_core.store.tables import AnnotationTask, Case, Image, Patient, TaskItem, utc_now
from colpo_core.terms import Role, TaskItemState


@allowed(CLINICIANS)
def my_queues(caller: Caller, *, with_closed: bool = False) -> tuple[QueueSummary, ...]:
    """My queues, the oldest task first; of closed tasks too where asked for."""
    query = (
        select(AnnotationTask)
        .where(AnnotationTask.id.in_(select(TaskItem.task_id).where(TaskItem.annotator_id == caller.person_id)))
        .order_by(AnnotationTask.id)
    )
    if not with_closed:
        query = query.where(AnnotationTask.closed_at.is_(None))
    with caller.store.reading() as session:
        return tuple(
            _summary(task, _Queue(_load(session, task, caller.person_id))) for task in session.scalars(query).all()
        )


@allowed(CLINICIANS)
def queue_items(caller: Caller, *, task_id: int, annotator_id: int | None = None) -> tuple[QueueItem, ...]:
    """The images of a queue in their order, those that it passes over included.

    Args:
        caller: Who asks.
        task_id: The task.
        annotator_id: Whose queue; the caller's own when None, another's for administrators and the adjudicator.

    Raises:
        PermissionDenied: The caller is a reader, or may not see another person's queue.
        NotFound: There is no such task, or the caller takes no part in it.
    """
    person_id = caller.person_id if annotator_id is None else annotator_id
    with caller.store.reading() as session:
        task = find_task(session, caller.actor, task_id)
        may = (
            person_id == caller.person_id
            or caller.actor.role is Role.ADMINISTRATOR
            or task.adjudicator_id == caller.person_id
        )
        if not may:
            raise PermissionDenied("Another person's queue is for administrators and the task's adjudicator.")
        return tuple(_load(session, task, person_id))


@allowed(CLINICIANS)
def queue_place(caller: Caller, *, task_id: int, image_id: int) -> QueuePlace | None:
    """Where an image stands in my queue; None where it is not in it."""
    with caller.store.reading() as session:
        task = session.get(AnnotationTask, task_id)
        items = _load(session, task, caller.person_id) if task else []
    here = next((item for item in items if item.image_id == image_id), None)
    if task is None or here is None:
        return None
    queue = _Queue(items)
    return copied(
        QueuePlace,
        here,
        position=sum(item.position < here.position for item in queue.counted) + 1,
        n_items=len(queue.counted),
        n_done=queue.n_done,
        n_cases=len({item.case_id for item in queue.counted}),
        n_cases_done=queue.n_cases_done,
        blind=task.blind,
        proposals=task.proposals,
        previous_image_id=queue.before(here),
        next_image_id=queue.after(here),
        next_waiting_image_id=None if task.closed_at else queue.waiting_after(here),
        case_active_ms=sum(item.active_ms for item in items if item.case_id == here.case_id),
        closed=task.closed_at is not None,
        note=task.note,
    )


@allowed(CLINICIANS)
def open_item(caller: Caller, *, item_id: int) -> None:
    """Keep when I first opened an image of my queue; later calls, and those of a closed task, change nothing.

    Raises:
        NotFound: There is no such item in the caller's queues.
    """
    with caller.store.reading() as session:
        item = _own_item(session, caller.actor, item_id)
        if item.opened_at is not None or item.task.closed_at is not None:
            return
    with caller.store.writing() as session:
        item = _own_item(session, caller.actor, item_id)
        item.opened_at = item.opened_at or utc_now()


@allowed(CLINICIANS)
def skip_item(caller: Caller, *, item_id: int, reason: str) -> QueueItem:
    """Pass over an image of my queue, and say why; in a blind task that counts as done. It can be resumed.

    An administrator may skip for another person, such as one who has left, so that the others need not wait.

    Args:
        caller: Whose item it is, or an administrator.
        item_id: Row of the item.
        reason: Why, 1 to 300 characters; it replaces the one given before.

    Raises:
        NotFound: There is no such item in the caller's queues.
        InputRejected: The reason is missing or too long.
        Conflict: The image is submitted already, or the task is closed.
    """
    why = " ".join(reason.split())
    if not why:
        raise InputRejected("Say in a few words why you skip the image; whoever looks after the task will need it.")
    if len(why) > MAX_SKIP_REASON:
        raise InputRejected(f"The reason is longer than {MAX_SKIP_REASON} characters. Shorten it.")
    with caller.store.writing() as session:
        item = _item_to_change(session, caller.actor, item_id)
        if item.state is TaskItemState.SUBMITTED:
            raise Conflict("This image is submitted already, so there is nothing to skip.")
        item.state, item.skip_reason = TaskItemState.SKIPPED, why
        item.finished_at = utc_now()
        _record_change(session, caller.actor, "skip task item", item, reason=why)
        session.flush()
        return _one(session, item)


@allowed(CLINICIANS)
def resume_item(caller: Caller, *, item_id: int) -> QueueItem:
    """Put a skipped image back into the queue, where it was; an administrator may do so for another person.

    Raises:
        NotFound: There is no such item in the caller's queues.
        Conflict: It was not skipped, or the task is closed.
        Blinding: The task is blind and the others' masks have opened since, or it is without proposals and the
            model's output has: a mask painted now would not be blind.
    """
    with caller.store.writing() as session:
        item = _item_to_change(session, caller.actor, item_id)
        if item.state is not TaskItemState.SKIPPED:
            raise Conflict("This image was not skipped (any more). Reload the queue.")
        if have_opened(session, item):
            raise Blinding(
                "The task is blind, and the other annotators' masks of this image have opened since it was skipped. "
                "A mask painted now would not be blind; paint it outside of the task."
            )
        if model_has_opened(session, item):
            raise Blinding(
                "The task is without the model's proposals, and the model's output on this image has opened since it "
                "was skipped. A mask painted now would not be free of it; paint it outside of the task."
            )
        item.state, item.skip_reason, item.finished_at = TaskItemState.WAITING, None, None
        _record_change(session, caller.actor, "resume task item", item)
        session.flush()
        return _one(session, item)


@dataclass(frozen=True)
class _Queue:
    """All items of one person in one task, in their order."""

    items: Sequence[QueueItem]

    @property
    def counted(self) -> list[QueueItem]:
        return [item for item in self.items if not item.left_out]

    @property
    def n_done(self) -> int:
        return sum(item.state is not TaskItemState.WAITING for item in self.counted)

    @property
    def n_cases_done(self) -> int:
        unfinished = {item.case_id for item in self.counted if item.state is TaskItemState.WAITING}
        return len({item.case_id for item in self.counted} - unfinished)

    def before(self, here: QueueItem) -> int | None:
        """The image before another one, or None."""
        return next((item.image_id for item in reversed(self.counted) if item.position < here.position), None)

    def after(self, here: QueueItem) -> int | None:
        """The image after another one, or None."""
        return next((item.image_id for item in self.counted if item.position > here.position), None)

    def waiting_after(self, here: QueueItem | None) -> int | None:
        """The next other image that waits, from the beginning again after the last, or None."""
        waits = [item for item in self.counted if item.state is TaskItemState.WAITING and item != here]
        later = [item for item in waits if here is None or item.position > here.position]
        return next((item.image_id for item in (*later, *waits)), None)


def _load(session: Session, task: AnnotationTask, person_id: int) -> list[QueueItem]:
    rows = session.execute(
        select(TaskItem, Image.case_id, Patient.code, counts())
        .join(Image, Image.id == TaskItem.image_id)
        .join(Case, Case.id == Image.case_id)
        .join(Patient, Patient.id == Case.patient_id)
        .where(TaskItem.task_id == task.id, TaskItem.annotator_id == person_id)
        .order_by(TaskItem.position)
    )
    return [
        copied(
            QueueItem,
            item,
            item_id=item.id,
            task_id=task.id,
            task_title=task.title,
            case_id=case_id,
            patient_code=patient_code,
            finding=task.finding,
            left_out=not is_counted,
        )
        for item, case_id, patient_code, is_counted in rows
    ]


def _summary(task: AnnotationTask, queue: _Queue) -> QueueSummary:
    return QueueSummary(
        task_id=task.id,
        title=task.title,
        finding=task.finding,
        n_items=len(queue.counted),
        n_done=queue.n_done,
        next_image_id=None if task.closed_at else queue.waiting_after(None),
        closed=task.closed_at is not None,
        note=task.note,
    )


def _own_item(session: Session, actor: Actor, item_id: int) -> TaskItem:
    item = session.get(TaskItem, item_id)
    if item is None or item.annotator_id != actor.person_id:
        raise _no_item()
    return item


def _item_to_change(session: Session, actor: Actor, item_id: int) -> TaskItem:
    item = session.get(TaskItem, item_id)
    if item is None or not (actor.role is Role.ADMINISTRATOR or item.annotator_id == actor.person_id):
        raise _no_item()
    if item.task.closed_at is not None:
        raise Conflict("This task is closed: nothing of it waits any more.")
    return item


def _record_change(session: Session, actor: Actor, action: str, item: TaskItem, **detail: object) -> None:
    audit.record(
        session,
        actor,
        action,
        f"task {item.task_id}",
        item_id=item.id,
        image_id=item.image_id,
        annotator_id=item.annotator_id,
        **detail,
    )


def _one(session: Session, item: TaskItem) -> QueueItem:
    return next(member for member in _load(session, item.task, item.annotator_id) if member.item_id == item.id)


def _no_item() -> NotFound:
    return NotFound("There is no such image in your queue. Open the queue again.")
