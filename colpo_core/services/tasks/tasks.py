"""Annotation tasks: who annotates which images, and how far everybody is. A person's own queue is in `task_queue`."""

from collections.abc import Iterable, Sequence
from statistics import median

from sqlalchemy import Row, exists, select
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected, PermissionDenied
from colpo_core.records.cases.lists import to_words
from colpo_core.records.people import Actor
from colpo_core.records.tasks import (
    AnnotatorChoice,
    PersonProgress,
    SkippedItem,
    TaskDraft,
    TaskPreview,
    TaskProgress,
    TaskRecord,
)
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, CLINICIANS, allowed
from colpo_core.services.tasks.planning import TaskPlan, assignable_people, plan_task, shown_name
from colpo_core.services.tasks.rows import counts, find_task, task_records, visible_tasks
from colpo_core.store.tables import (
    AnnotationTask,
    Case,
    Image,
    Patient,
    Person,
    TaskItem,
    utc_now,
)
from colpo_core.terms import Role, TaskItemState


@allowed(ADMINISTRATORS)
def annotator_choices(caller: Caller) -> tuple[AnnotatorChoice, ...]:
    """Who may be given a task: active administrators and annotators, by name."""
    with caller.store.reading() as session:
        people = session.scalars(assignable_people().order_by(Person.display_name, Person.username))
        return tuple(AnnotatorChoice(person.id, shown_name(person)) for person in people)


@allowed(ADMINISTRATORS)
def preview_task(caller: Caller, *, draft: TaskDraft) -> TaskPreview:
    """Count what a draft would hand out, before anything is made.

    Raises:
        InputRejected: Somebody cannot be given a task.
    """
    with caller.store.reading() as session:
        return plan_task(session, draft).preview()


@allowed(ADMINISTRATORS)
def create_task(caller: Caller, *, draft: TaskDraft) -> TaskRecord:
    """Hand images out to people. Of an image that an annotator has submitted before, that mask counts.

    Raises:
        InputRejected: Somebody cannot be given a task, or there is no image to hand out.
        Conflict: Another task has this title.
    """
    with caller.store.writing() as session:
        if session.scalar(select(exists().where(AnnotationTask.title == draft.title))):
            raise Conflict(f"There is a task of the title “{draft.title}” already. Choose another title.")
        plan = plan_task(session, draft)
        if not plan.images:
            raise InputRejected("No image would be in this task. Widen the filter, or allow more images.")
        task = AnnotationTask(
            title=draft.title,
            finding=draft.finding,
            n_annotators=draft.n_annotators,
            blind=draft.blind,
            proposals=draft.proposals,
            order=draft.order,
            seed=draft.seed,
            adjudicator_id=draft.adjudicator_id,
            note=draft.note,
            created_by=caller.person_id,
        )
        session.add(task)
        session.flush()
        session.add_all(_items(task, plan))
        _record_creation(session, caller.actor, task, draft, plan)
        session.flush()
        return task_records(session, [task])[0]


@allowed(CLINICIANS)
def list_tasks(caller: Caller, *, with_closed: bool = False) -> tuple[TaskRecord, ...]:
    """All tasks for an administrator; for an annotator those that the caller annotates or adjudicates; newest first."""
    with caller.store.reading() as session:
        return task_records(session, visible_tasks(session, caller.actor, with_closed=with_closed))


@allowed(ADMINISTRATORS)
def close_task(caller: Caller, *, task_id: int) -> TaskRecord:
    """End a task: nothing of it waits any more, and its masks are no longer hidden from anybody.

    Raises:
        NotFound: There is no such task.
        Conflict: It is closed already.
    """
    with caller.store.writing() as session:
        task = find_task(session, caller.actor, task_id)
        if task.closed_at is not None:
            raise Conflict("This task is closed already.")
        task.closed_at = utc_now()
        record = task_records(session, [task])[0]
        audit.record(session, caller.actor, "close task", f"task {task_id}", n_waiting=record.n_waiting)
        return record


@allowed(CLINICIANS)
def task_progress(caller: Caller, *, task_id: int) -> TaskProgress:
    """How far everybody is with a task, how long it takes them, and what they skipped and why.

    Raises:
        PermissionDenied: The caller is neither an administrator nor the task's adjudicator.
        NotFound: There is no such task, or the caller takes no part in it.
    """
    with caller.store.reading() as session:
        task = find_task(session, caller.actor, task_id)
        if caller.actor.role is not Role.ADMINISTRATOR and task.adjudicator_id != caller.person_id:
            raise PermissionDenied("Everybody's progress is for administrators and the task's adjudicator.")
        items = _counted_items(session, task_id)
        names = dict(
            session.execute(
                select(Person.id, Person.display_name)
                .where(Person.id.in_(select(TaskItem.annotator_id).where(TaskItem.task_id == task_id)))
                .order_by(Person.display_name, Person.id)
            ).all()
        )
        people = tuple(
            _person_progress(person_id, name, [item for item in items if item.annotator_id == person_id])
            for person_id, name in names.items()
        )
        return TaskProgress(task_records(session, [task])[0], people, _skipped(session, task_id))


_Counted = Sequence[Row[int, int, TaskItemState, int]]


def _items(task: AnnotationTask, plan: TaskPlan) -> Iterable[TaskItem]:
    for person_id, queue in plan.queues.items():
        for position, image in enumerate(queue, start=1):
            version_id, at = plan.done.get((image.image_id, person_id), (None, None))
            yield TaskItem(
                task_id=task.id,
                image_id=image.image_id,
                annotator_id=person_id,
                position=position,
                state=TaskItemState.WAITING if version_id is None else TaskItemState.SUBMITTED,
                version_id=version_id,
                finished_at=at,
            )


def _record_creation(session: Session, actor: Actor, task: AnnotationTask, draft: TaskDraft, plan: TaskPlan) -> None:
    where: dict[str, object] = {**to_words(draft.where)}
    if "code" in where:
        where["code"] = "narrowed"
    if draft.where.case_ids is not None:
        where["selected_cases"] = len(draft.where.case_ids)
    audit.record(
        session,
        actor,
        "create task",
        f"task {task.id}",
        finding=draft.finding.value,
        where=where,
        annotators=sorted(draft.annotator_ids),
        n_annotators=draft.n_annotators,
        blind=draft.blind,
        proposals=draft.proposals,
        order=draft.order.value,
        seed=draft.seed,
        adjudicator_id=draft.adjudicator_id,
        n_images=len(plan.images),
        n_left_out=plan.left_out,
    )


def _counted_items(session: Session, task_id: int) -> _Counted:
    return session.execute(
        select(TaskItem.annotator_id, Image.case_id, TaskItem.state, TaskItem.active_ms)
        .join(Image, Image.id == TaskItem.image_id)
        .where(TaskItem.task_id == task_id, counts())
    ).all()


def _person_progress(person_id: int, name: str, items: _Counted) -> PersonProgress:
    submitted = [item for item in items if item.state is TaskItemState.SUBMITTED]
    n_skipped = sum(item.state is TaskItemState.SKIPPED for item in items)
    unfinished = {item.case_id for item in items if item.state is TaskItemState.WAITING}
    by_case: dict[int, int] = {}
    for item in items:
        if item.case_id not in unfinished:
            by_case[item.case_id] = by_case.get(item.case_id, 0) + item.active_ms
    return PersonProgress(
        person_id=person_id,
        name=name,
        n_items=len(items),
        n_submitted=len(submitted),
        n_skipped=n_skipped,
        n_waiting=len(items) - len(submitted) - n_skipped,
        seconds_per_image_median=_median_seconds(item.active_ms for item in submitted),
        seconds_per_case_median=_median_seconds(by_case.values()),
    )


def _median_seconds(times_ms: Iterable[int]) -> float | None:
    """Median of the times that are known, in seconds: a mask from before the task took none in it."""
    known = [time_ms for time_ms in times_ms if time_ms > 0]
    return median(known) / 1000 if known else None


def _skipped(session: Session, task_id: int) -> tuple[SkippedItem, ...]:
    rows = session.execute(
        select(TaskItem, Patient.code, Person.display_name)
        .join(Image, Image.id == TaskItem.image_id)
        .join(Case, Case.id == Image.case_id)
        .join(Patient, Patient.id == Case.patient_id)
        .join(Person, Person.id == TaskItem.annotator_id)
        .where(TaskItem.task_id == task_id, TaskItem.state == TaskItemState.SKIPPED)
        .order_by(TaskItem.finished_at.desc(), TaskItem.id.desc())
    )
    return tuple(
        SkippedItem(item.image_id, code, name, item.skip_reason or "", item.finished_at, item.id)
        for item, code, name in rows
        if item.finished_at is not None
    )
