"""Tasks: my queues, and for administrators handing images out and watching how far everybody is."""

import streamlit as st

from colpo_core.records.tasks import TaskRecord
from colpo_core.services.tasks import tasks
from colpo_core.terms import Role
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import share
from pages._ui.shared.links import go
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import show_message
from pages._ui.shared.words import FINDINGS
from pages._ui.tasks.form import task_form
from pages._ui.tasks.progress import TOLD, back_to_tasks, show_task, task_badges
from pages._ui.tasks.queues import my_open_queues, show_queue_row

_WITH_CLOSED = "tasks_with_closed"


def render() -> None:
    """Draw the list, one task, or the form for a new one."""
    ctx = page_context()
    asked = st.query_params.get("task", "")
    is_drawn = False
    with showing_errors():
        if asked.isascii() and asked.isdecimal() and len(asked) < 10:
            show_task(ctx, int(asked))
        elif st.query_params.get("new"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.title("New task", width="stretch", anchor=False)
                back_to_tasks()
            task_form(ctx)
        else:
            _list(ctx)
        is_drawn = True
    if not is_drawn and asked:
        back_to_tasks()


def _list(ctx: PageContext) -> None:
    is_administrator = ctx.caller.actor.role is Role.ADMINISTRATOR
    title, action = st.columns([4, 1], vertical_alignment="bottom")
    title.title("Tasks", anchor=False)
    if is_administrator and action.button("New task", type="primary", icon=":material/add:", width="stretch"):
        go("tasks", new=1)
    show_message(TOLD)
    queues = my_open_queues(ctx)
    if queues or not is_administrator:
        st.subheader("My queues", anchor=False)
    for queue in queues:
        show_queue_row(queue)
    if not queues and not is_administrator:
        st.info(
            "No task is handed to you. You find one here, and on your home page, once an administrator makes it.",
            icon=":material/assignment:",
        )
    _watched(ctx, is_administrator=is_administrator)


def _watched(ctx: PageContext, *, is_administrator: bool) -> None:
    """The tasks whose progress this person may see."""
    with_closed = bool(st.session_state.get(_WITH_CLOSED))
    listed = tasks.list_tasks(ctx.caller, with_closed=with_closed)
    watched = [task for task in listed if is_administrator or task.adjudicator_id == ctx.caller.person_id]
    if not watched and not is_administrator:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("All tasks" if is_administrator else "Tasks that I adjudicate", anchor=False, width="content")
        st.space("stretch")
        st.toggle("Closed ones too", key=_WITH_CLOSED)
    if not watched:
        st.info(
            "No task yet. Make one to hand images to colleagues: each person gets a queue, and several can annotate "
            "the same image without seeing each other's masks."
        )
    for task in watched:
        _card(task)


def _card(task: TaskRecord) -> None:
    with st.container(border=True):
        name, badges, progress, action = st.columns([4, 2.2, 3, 1.2], vertical_alignment="center")
        name.markdown(f"**{plain(task.title)}**  \n:gray[{FINDINGS[task.finding]} · {task.n_images} images]")
        with badges, st.container(horizontal=True, gap="small"):
            task_badges(task)
        skipped = f", {task.n_skipped} skipped" if task.n_skipped else ""
        progress.progress(
            share(task.n_submitted + task.n_skipped, task.n_items),
            text=f"{task.n_submitted} of {task.n_items} masks{skipped}",
        )
        if action.button("Show", key=f"task_{task.id}", width="stretch"):
            go("tasks", task=task.id)
