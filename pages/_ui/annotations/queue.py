"""The current image's place in a task's queue, and the way to the next image."""

from functools import partial

import streamlit as st

from colpo_core.records.tasks import MAX_SKIP_REASON, QueuePlace
from colpo_core.services.tasks import queue as task_queue
from colpo_core.terms import TaskItemState
from pages._ui.annotations import actions
from pages._ui.shared.context import PageContext
from pages._ui.shared.formats import share
from pages._ui.shared.links import go, link
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import show_message
from pages._ui.shared.words import time_text

_REASON = "annotate_skip_reason"
_OPENED = "annotate_opened_item"
_TIME_AGAIN_S = 20
_PROGRESS_PX = 372
_TITLE = 24
_REASONS = (
    "Blurred or out of focus",
    "Blood, mucus or glare hides it",
    "The cervix is not in sight",
    "Not an image after acetic acid",
    "I am not sure: somebody senior should look",
)


def first_of_queue(ctx: PageContext, task_id: int) -> int | None:
    """The image of a task that waits for me first, or None where none does."""
    queues = task_queue.my_queues(ctx.caller)
    return next((queue.next_image_id for queue in queues if queue.task_id == task_id), None)


def note_opened(ctx: PageContext, item: QueuePlace) -> None:
    """Record when the annotator first opened this image."""
    if item.state is TaskItemState.WAITING and not item.closed and st.session_state.get(_OPENED) != item.item_id:
        task_queue.open_item(ctx.caller, item_id=item.item_id)
        st.session_state[_OPENED] = item.item_id


def show_queue(ctx: PageContext, item: QueuePlace, image_id: int) -> None:
    """One line: the task, how far I am, and the buttons to the images around this one."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.progress(share(item.n_done, item.n_items), text=_place_text(item), width=_PROGRESS_PX)
        if item.blind:
            st.badge(
                "BLIND",
                icon=":material/visibility_off:",
                color="violet",
                help="The masks of the others stay hidden until everybody has submitted or skipped this image.",
            )
        _show_state(item)
        with st.container(width="content"):
            _show_time(ctx, item.task_id, image_id)
        st.space("stretch")
        _show_buttons(ctx, item)


def show_beside_queue(waiting: int | None) -> None:
    """Draw the line above an image outside the queue, such as another image of the same case."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(":gray[This image is not in your queue of the task.]", width="content")
        st.space("stretch")
        if waiting is not None:
            st.button(
                "Back to my queue",
                icon=":material/undo:",
                shortcut="n",
                type="primary",
                on_click=actions.open_image,
                args=(waiting,),
            )
        else:
            link("tasks", "My queues", icon=":material/assignment:")


def show_all_done() -> None:
    """Draw the page when nothing in the task waits for the annotator."""
    st.title("Annotate")
    show_message(actions.SAID)
    with st.container(border=True):
        st.markdown("### :material/task_alt: Nothing of this task waits for you")
        st.markdown("Every image of your queue is submitted or skipped, or the task was closed.")
        link("tasks", "My queues", icon=":material/assignment:")
        link("annotate", "Images outside of tasks", icon=":material/brush:")


def onward(item: QueuePlace) -> int | None:
    """The image that comes next: the next that waits, else simply the next."""
    return item.next_waiting_image_id or item.next_image_id


def _place_text(item: QueuePlace) -> str:
    """Such as `Spring cases · image 6 of 40 · 5 done · 3 of 20 cases`; a long title is cut to keep one line."""
    title = item.task_title if len(item.task_title) <= _TITLE else item.task_title[: _TITLE - 1].rstrip() + "…"
    return (
        f"**{plain(title)}** · image {item.position} of {item.n_items} · {item.n_done} done · "
        f"{item.n_cases_done} of {item.n_cases} cases"
    )


def _show_state(item: QueuePlace) -> None:
    if item.left_out:
        st.badge(
            "left out since", icon=":material/block:", color="gray", help="It does not count in this task any more."
        )
    elif item.state is TaskItemState.SUBMITTED:
        st.badge("submitted", icon=":material/check:", color="green")
    elif item.state is TaskItemState.SKIPPED:
        st.badge("skipped", icon=":material/skip_next:", color="gray", help=item.skip_reason)
    if item.closed:
        st.badge("task closed", icon=":material/lock:", color="gray", help="What you submit now counts outside of it.")


@st.fragment(run_every=_TIME_AGAIN_S)
def _show_time(ctx: PageContext, task_id: int, image_id: int) -> None:
    """Draw the time, which grows with every stroke saved; strokes do not rerun the page, so this part reruns itself."""
    item = task_queue.queue_place(ctx.caller, task_id=task_id, image_id=image_id)
    if item is not None and item.case_active_ms >= 1000:
        st.caption(
            f":material/timer: {time_text(item.case_active_ms)}",
            help="Your painting time on this case in this task. Looking without painting is not counted.",
        )


def _show_buttons(ctx: PageContext, item: QueuePlace) -> None:
    if item.state is TaskItemState.SKIPPED and not item.closed:
        st.button(
            "Take up", icon=":material/replay:", help="Put it back into the queue", on_click=actions.resume,
            args=(ctx, item.item_id),
        )  # fmt: skip
    may_skip = item.state is TaskItemState.WAITING and not item.closed
    if may_skip and st.button(
        "Skip", icon=":material/skip_next:", shortcut="k", help="Leave this image out, with a reason"
    ):
        _ask_why(ctx, item)
    st.button(
        "Previous",
        icon=":material/arrow_back:",
        shortcut="shift+n",
        help="The image before this one in your queue",
        disabled=item.previous_image_id is None,
        on_click=partial(_open, item.previous_image_id),
    )
    following = onward(item)
    is_over = item.n_done == item.n_items
    # Also for annotators who took images out of order: wherever they are, they see that nothing is left.
    if is_over and st.button(
        "All done: my queues" if following is None else "All done",
        icon=":material/task_alt:",
        shortcut="n" if following is None else None,
        type="primary",
        help=None if following is None else "Nothing of this task waits for you. Opens your queues.",
    ):
        go("tasks")
    if is_over and following is None:
        return
    st.button(
        "Next",
        icon=":material/arrow_forward:",
        shortcut="n",
        type="secondary" if is_over or item.state is TaskItemState.WAITING else "primary",
        help="The next image of your queue that waits",
        disabled=following is None,
        on_click=partial(_open, following),
    )


def _open(image_id: int | None) -> None:
    if image_id is not None:
        actions.open_image(image_id)


@st.dialog("Skip this image")
def _ask_why(ctx: PageContext, item: QueuePlace) -> None:
    reason = st.selectbox(
        "Why?",
        _REASONS,
        index=None,
        key=_REASON,
        accept_new_options=True,
        placeholder="Choose a reason, or type your own",
    )
    st.caption(
        f"The administrator sees the reason (up to {MAX_SKIP_REASON} characters; nothing that names the patient). "
        "What you painted stays a draft."
    )
    pressed = st.button(
        "Skip this image",
        type="primary",
        icon=":material/skip_next:",
        width="stretch",
        disabled=not reason,
        help=None if reason else "Choose a reason first.",
        on_click=actions.skip,
        args=(ctx, item.item_id, onward(item), _REASON),
    )
    if pressed:
        st.rerun()  # a dialog reruns by itself alone; the page has to follow to the next image
