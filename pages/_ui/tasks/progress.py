"""One task: how far everybody is, what was skipped and why, and closing it."""

import pandas as pd
import streamlit as st

from colpo_core.records.tasks import PersonProgress, SkippedItem, TaskProgress, TaskRecord
from colpo_core.services.tasks import tasks
from colpo_core.terms import Role
from pages._ui.shared.context import PageContext
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import as_when, count_text, share
from pages._ui.shared.links import go, link, may_open
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import keep_message, show_message
from pages._ui.shared.words import FINDINGS, time_text
from pages._ui.tasks.words import ORDERS

TOLD = "tasks_told"


def show_task(ctx: PageContext, task_id: int) -> None:
    """Draw the page of one task."""
    progress = tasks.task_progress(ctx.caller, task_id=task_id)
    task = progress.task
    _head(task)
    show_message(TOLD)
    _counts(task)
    people, side = st.columns([3, 1.4], gap="large")
    with people:
        st.subheader("Annotators", anchor=False)
        _people(progress.people)
        st.subheader("Skipped", anchor=False)
        _skipped(progress)
    with side:
        _design(task)
        if may_open("agreement"):
            link("agreement", "Agreement of the annotators", icon=":material/difference:", task=task.id)
        if task.closed_at is None and ctx.caller.actor.role is Role.ADMINISTRATOR:
            _offer_to_close(ctx, task)


def back_to_tasks() -> None:
    """A button to the list."""
    if st.button("All tasks", icon=":material/arrow_back:", key="tasks_back"):
        go("tasks")


def task_badges(task: TaskRecord) -> None:
    """Draw whether a task is blind, without proposals, or closed."""
    if task.blind:
        st.badge(
            "BLIND", icon=":material/visibility_off:", color="violet",
            help="Annotators see each other's masks of an image once all of them are done with it.",
        )  # fmt: skip
    if not task.proposals:
        st.badge("no proposals", icon=":material/neurology:", color="gray", help="Nobody starts from the model's mask.")
    if task.closed_at is not None:
        st.badge("closed", icon=":material/lock:", color="gray")


def _head(task: TaskRecord) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(plain(task.title), width="content", anchor=False)
        task_badges(task)
        st.space("stretch")
        back_to_tasks()
    if task.note:
        st.markdown(plain(task.note))


def _counts(task: TaskRecord) -> None:
    images, done, masks, skipped = st.columns(4)
    images.metric("Images", task.n_images, border=True)
    done.metric("Images done by all", f"{task.n_images_done} of {task.n_images}", border=True)
    masks.metric("Masks submitted", f"{task.n_submitted} of {task.n_items}", border=True)
    skipped.metric("Skipped", task.n_skipped, border=True)


def _people(people: tuple[PersonProgress, ...]) -> None:
    if not people:
        st.info("Nobody has images of this task.", icon=":material/info:")
        return
    rows = pd.DataFrame(
        {
            "Annotator": [person.name for person in people],
            "Done": [100 * share(person.n_submitted + person.n_skipped, person.n_items) for person in people],
            "Images": [person.n_items for person in people],
            "Submitted": [person.n_submitted for person in people],
            "Skipped": [person.n_skipped for person in people],
            "Waiting": [person.n_waiting for person in people],
            "Per image": [_median(person.seconds_per_image_median) for person in people],
            "Per case": [_median(person.seconds_per_case_median) for person in people],
        }
    )
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        height="content",
        column_config={
            "Done": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%.0f %%"),
            "Per image": st.column_config.TextColumn(help="Median painting time of the images submitted"),
            "Per case": st.column_config.TextColumn(help="Median painting time of the cases that are done"),
        },
    )


def _median(seconds: float | None) -> str:
    return "–" if seconds is None else time_text(seconds * 1000)


def _skipped(progress: TaskProgress) -> None:
    if not progress.skipped:
        st.caption("Nothing was skipped.")
        return
    for item in progress.skipped:
        _skipped_row(item, is_open=progress.task.closed_at is None)


def _skipped_row(item: SkippedItem, *, is_open: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"**{plain(item.reason)}**  \n:gray[{plain(item.patient_code)} · {plain(item.annotator)} · "
            f"{as_when(item.at)} UTC]",
            width="stretch",
        )
        link("annotate", "Look", icon=":material/image:", image=item.image_id)


def _design(task: TaskRecord) -> None:
    with st.container(border=True):
        st.markdown(f"**{FINDINGS[task.finding]}**")
        lines = [
            count_text(task.n_annotators, "annotator") + " an image",
            ORDERS[task.order],
            f"Adjudicator: {plain(task.adjudicator)}" if task.adjudicator else "No adjudicator",
            f"Made by {plain(task.created_by)}, {as_when(task.created_at)} UTC",
        ]
        if task.closed_at is not None:
            lines.append(f"Closed {as_when(task.closed_at)} UTC")
        if task.n_left_out:
            lines.append(f"{task.n_left_out} left out since, because the image's stage or cervix was corrected")
        st.caption("  \n".join(lines))


def _offer_to_close(ctx: PageContext, task: TaskRecord) -> None:
    with st.popover("Close task", icon=":material/lock:", width="stretch"):
        if task.n_waiting:
            st.warning(
                f"{task.n_waiting} of {task.n_items} masks are still missing. Their queues end with it.",
                icon=":material/warning:",
            )
        st.markdown("Closing ends the queues for good and opens the masks of a blind task. Every mask stays.")
        if st.button("Close now", type="primary", width="stretch"):
            with showing_errors():
                tasks.close_task(ctx.caller, task_id=task.id)
                keep_message(TOLD, "The task is closed.")
                st.rerun()
