"""The annotator's own queues of tasks, with their progress."""

import streamlit as st

from colpo_core.records.tasks import QueueSummary
from colpo_core.services.tasks import queue as task_queue
from pages._ui.shared.context import PageContext
from pages._ui.shared.formats import share
from pages._ui.shared.links import go
from pages._ui.shared.markdown import plain
from pages._ui.shared.words import FINDINGS


def my_open_queues(ctx: PageContext) -> tuple[QueueSummary, ...]:
    """The caller's queues of open tasks, those with waiting images first."""
    queues = [my_queue for my_queue in task_queue.my_queues(ctx.caller) if not my_queue.closed]
    return tuple(sorted(queues, key=lambda queue: queue.next_image_id is None))


def show_queue_row(queue: QueueSummary) -> None:
    """One queue with its progress, and a button that opens its next image."""
    with st.container(border=True):
        what, progress, action = st.columns([4, 3, 1.6], vertical_alignment="center")
        note = f"  \n{plain(queue.note)}" if queue.note else ""
        what.markdown(f":material/assignment: **{plain(queue.title)}**  \n:gray[{FINDINGS[queue.finding]}]{note}")
        progress.progress(share(queue.n_done, queue.n_items), text=f"{queue.n_done} of {queue.n_items} images done")
        if queue.next_image_id is None:
            action.markdown(":green[:material/task_alt: All done]")
        elif action.button(
            "Continue" if queue.n_done else "Start",
            key=f"queue_{queue.task_id}",
            type="primary",
            width="stretch",
            icon=":material/arrow_forward:",
        ):
            go("annotate", task=queue.task_id, image=queue.next_image_id)
