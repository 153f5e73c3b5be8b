"""Annotation tasks: who annotates which images, and how far everybody is. A person's own queue is in `task_queue`."""

from colpo_core.records.people import Actor
from colpo_core.records.tasks import AnnotatorChoice, TaskDraft, TaskPreview, TaskProgress, TaskRecord
from colpo_core.store import Store


def annotator_choices(store: Store, *, actor: Actor) -> tuple[AnnotatorChoice, ...]:
    """Who may be given a task: active administrators and annotators, by name.

    Raises:
        PermissionDenied: The actor is no administrator.
    """
    raise NotImplementedError


def preview_task(store: Store, *, actor: Actor, draft: TaskDraft) -> TaskPreview:
    """Count what a draft would hand out, before anything is made.

    Raises:
        PermissionDenied: The actor is no administrator.
        InputRejected: Somebody cannot be given a task.
    """
    raise NotImplementedError


def create_task(store: Store, *, actor: Actor, draft: TaskDraft) -> TaskRecord:
    """Hand images out to people.

    Raises:
        PermissionDenied: The actor is no administrator.
        InputRejected: Somebody cannot be given a task, or there is no image to hand out.
        Conflict: Another task has this title.
    """
    raise NotImplementedError


def list_tasks(store: Store, *, actor: Actor, with_closed: bool = False) -> tuple[TaskRecord, ...]:
    """All tasks for an administrator; for an annotator those that the actor annotates or adjudicates; newest first.

    Raises:
        PermissionDenied: The actor is a reader.
    """
    raise NotImplementedError


def get_task(store: Store, *, actor: Actor, task_id: int) -> TaskRecord:
    """One task.

    Raises:
        PermissionDenied: The actor is a reader.
        NotFound: There is no such task, or the actor takes no part in it.
    """
    raise NotImplementedError


def close_task(store: Store, *, actor: Actor, task_id: int) -> TaskRecord:
    """End a task: nothing of it waits any more, and its masks are no longer hidden from anybody.

    Raises:
        PermissionDenied: The actor is no administrator.
        NotFound: There is no such task.
        Conflict: It is closed already.
    """
    raise NotImplementedError


def task_progress(store: Store, *, actor: Actor, task_id: int) -> TaskProgress:
    """How far everybody is with a task, how long it takes them, and what they skipped and why.

    Raises:
        PermissionDenied: The actor is neither an administrator nor the task's adjudicator.
        NotFound: There is no such task.
    """
    raise NotImplementedError
