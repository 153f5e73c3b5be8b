"""Commands of annotation tasks and of the queues that they make."""

from typing import Any

import click

from colpo_core.cli.case_filters import filter_of, filter_options
from colpo_core.cli.option_types import WordType, options, take_fields
from colpo_core.cli.output import Answer, action, answer, listing, print_lines, print_table, query
from colpo_core.records.tasks import MAX_SEED, QueueItem, TaskDraft, TaskPreview, TaskProgress, TaskRecord
from colpo_core.services.common.callers import Caller
from colpo_core.services.tasks import queue as task_queue
from colpo_core.services.tasks import tasks as service
from colpo_core.terms import Finding, TaskOrder

_draft_options = options(
    click.option("--annotator", "annotator_ids", type=int, multiple=True, required=True, help="Number; repeat it."),
    click.option(
        "--per-image",
        "n_annotators",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Annotators an image.",
    ),
    click.option("--finding", type=WordType(Finding), default=Finding.ACETOWHITE.value, show_default=True),
    click.option("--blind/--open", default=False, show_default=True, help="Hide others' masks until all are done."),
    click.option("--proposals/--no-proposals", default=True, show_default=True, help="Offer the model's proposal."),
    click.option("--order", type=WordType(TaskOrder), default=TaskOrder.DATE.value, show_default=True),
    click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True),
    click.option("--adjudicator", "adjudicator_id", type=int, help="Number of who decides between the masks."),
    click.option("--max-images", type=click.IntRange(1), help="Images at most, in whole cases."),
    click.option("--note", default="", help="What the annotators read before they begin."),
)


def _draft(title: str, wishes: dict[str, Any]) -> TaskDraft:
    return TaskDraft(title=title, **take_fields(TaskDraft, {**wishes, "where": filter_of(wishes)}))


@click.group()
def tasks() -> None:
    """Tasks: hand images out to annotators, and see how far they are."""


@query("preview", tasks)
@filter_options
@_draft_options
def preview(caller: Caller, **wishes: Any) -> Answer:  # noqa: ANN401 - click hands every option over by name
    """Show what a task would hand out, without making it."""
    return answer(service.preview_task(caller, draft=_draft("preview", wishes)), _print_preview)


@query("create", tasks)
@click.argument("title")
@filter_options
@_draft_options
def create(caller: Caller, title: str, **wishes: Any) -> Answer:  # noqa: ANN401 - click hands every option over by name
    """Hand images out to annotators; all images of a patient go to the same people."""
    return answer(
        service.create_task(caller, draft=_draft(title, wishes)),
        lambda made: click.echo(
            f"task {made.id}: {made.n_images} images, {made.n_annotators} annotators an image, {made.n_waiting} wait"
        ),
    )


@query("list", tasks)
@click.option("--all", "with_closed", is_flag=True, help="Closed tasks too.")
def list_tasks(caller: Caller, with_closed: bool) -> Answer:
    """Show the tasks with how far they are, newest first."""
    return listing(
        service.list_tasks(caller, with_closed=with_closed),
        ("task", "title", "finding", "images", "done", "waiting", "skipped", ""),
        _task_row,
    )


@query("show", tasks, "task_id")
def show(caller: Caller, task_id: int) -> Answer:
    """Show one task: everybody's progress and time, and what was skipped and why."""
    return answer(service.task_progress(caller, task_id=task_id), _print_progress)


@action("close", tasks, "task_id")
def close(caller: Caller, task_id: int) -> None:
    """End a task: nothing of it waits any more, and no mask of it is hidden any more."""
    closed = service.close_task(caller, task_id=task_id)
    click.echo(f"task {closed.id} is closed with {closed.n_submitted} of {closed.n_items} masks submitted")


@query("queue", tasks, "task_id", "annotator_id")
def queue(caller: Caller, task_id: int, annotator_id: int) -> Answer:
    """Show the images of one annotator in a task, in the order in which they come."""
    return listing(
        task_queue.queue_items(caller, task_id=task_id, annotator_id=annotator_id),
        ("place", "item", "image", "patient", "state", "seconds"),
        lambda i: (i.position, i.item_id, i.image_id, i.patient_code, _state(i), f"{i.active_ms / 1000:.0f}"),
    )


@action("skip", tasks, "item_id")
@click.option("--reason", required=True, help="Why, for whoever looks after the task.")
def skip(caller: Caller, item_id: int, reason: str) -> None:
    """Pass over an image of somebody's queue, so that the image's other annotators need not wait."""
    item = task_queue.skip_item(caller, item_id=item_id, reason=reason)
    click.echo(f"image {item.image_id} is skipped in task {item.task_id}")


@action("resume", tasks, "item_id")
def resume(caller: Caller, item_id: int) -> None:
    """Put a skipped image back into the queue."""
    item = task_queue.resume_item(caller, item_id=item_id)
    click.echo(f"image {item.image_id} waits again in task {item.task_id}")


def _print_preview(preview: TaskPreview) -> None:
    click.echo(f"{preview.n_images} images of {preview.n_cases} cases")
    print_lines(f"left out, {reason}: {n_images}" for reason, n_images in preview.n_left_out.items())
    click.echo(f"not predicted by the current model: {preview.n_without_prediction}")
    click.echo(f"submitted before, done from the start: {preview.n_done_already}\n")
    print_table(("annotator", "images"), list(preview.per_person.items()))


def _task_row(task: TaskRecord) -> tuple[object, ...]:
    state = "closed" if task.closed_at else "blind" if task.blind else ""
    done = f"{task.n_images_done}/{task.n_images}"
    return (task.id, task.title, task.finding.value, task.n_images, done, task.n_waiting, task.n_skipped, state)


def _print_progress(progress: TaskProgress) -> None:
    task = progress.task
    words = [task.finding.value, f"{task.n_annotators} annotators an image", f"order by {task.order.value}"]
    words.append("blind" if task.blind else "not blind")
    words.append("with proposals" if task.proposals else "without proposals")
    if task.adjudicator:
        words.append(f"judged by {task.adjudicator}")
    click.echo(f"task {task.id}, {task.title}: {', '.join(words)}")
    left_out = f", {task.n_left_out} left out since" if task.n_left_out else ""
    click.echo(f"{task.n_images_done} of {task.n_images} images done{left_out}{', closed' if task.closed_at else ''}\n")
    rows = [
        (
            *(person.person_id, person.name, person.n_submitted, person.n_skipped, person.n_waiting),
            *(_seconds(person.seconds_per_image_median), _seconds(person.seconds_per_case_median)),
        )
        for person in progress.people
    ]
    headings = ("person", "name", "submitted", "skipped", "waiting", "median s an image", "median s a case")
    print_table(headings, rows)
    if progress.skipped:
        click.echo()
        skipped = [(item.item_id, item.image_id, item.annotator, item.reason) for item in progress.skipped]
        print_table(("item", "image", "skipped by", "because"), skipped)


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.0f}"


def _state(item: QueueItem) -> str:
    if item.left_out:
        return "left out"
    return f"{item.state.value}: {item.skip_reason}" if item.skip_reason else item.state.value
