"""A person's own queue: the images of a task in their order, one before me, the rest before and after it."""

from colpo_core.records.people import Actor
from colpo_core.records.tasks import QueueItem, QueuePlace, QueueSummary
from colpo_core.store import Store


def my_queues(store: Store, *, actor: Actor, with_closed: bool = False) -> tuple[QueueSummary, ...]:
    """My queues, the oldest task first; of closed tasks too where asked for.

    Raises:
        PermissionDenied: The actor is a reader.
    """
    raise NotImplementedError


def queue_items(store: Store, *, actor: Actor, task_id: int, annotator_id: int | None = None) -> tuple[QueueItem, ...]:
    """The images of a queue in their order.

    Args:
        store: The open store.
        actor: Who asks.
        task_id: The task.
        annotator_id: Whose queue; the actor's own when None, another's for administrators and the adjudicator.

    Raises:
        PermissionDenied: The actor is a reader, or may not see another person's queue.
        NotFound: There is no such task.
    """
    raise NotImplementedError


def queue_place(store: Store, *, actor: Actor, task_id: int, image_id: int) -> QueuePlace | None:
    """Where an image stands in my queue; None where it is not in it.

    Raises:
        PermissionDenied: The actor is a reader.
    """
    raise NotImplementedError


def open_item(store: Store, *, actor: Actor, item_id: int) -> None:
    """Keep when I first opened an image of my queue; later calls change nothing.

    Raises:
        PermissionDenied: The actor is a reader.
        NotFound: There is no such item in the actor's queues.
    """
    raise NotImplementedError


def skip_item(store: Store, *, actor: Actor, item_id: int, reason: str) -> QueueItem:
    """Pass over an image of my queue, and say why; in a blind task that counts as done. It can be resumed.

    An administrator may skip for another person, such as one who has left, so that the others need not wait.

    Raises:
        PermissionDenied: The actor is a reader.
        NotFound: There is no such item in the actor's queues.
        InputRejected: The reason is missing or longer than 300 characters.
        Conflict: The image is submitted already, or the task is closed.
    """
    raise NotImplementedError


def resume_item(store: Store, *, actor: Actor, item_id: int) -> QueueItem:
    """Put a skipped image back into the queue, where it was.

    Raises:
        PermissionDenied: The actor is a reader.
        NotFound: There is no such item in the actor's queues.
        Conflict: It was not skipped, or the task is closed.
        Blinding: The task is blind and the others' masks have opened since: a mask painted now would not be blind.
    """
    raise NotImplementedError
