"""Home: what waits for the person, and the clinic's progress."""

import streamlit as st

from colpo_core.records.overview.worklist import Progress, WorkItem, WorkKind, Worklist
from colpo_core.services.overview.worklist import worklist
from colpo_core.terms import Role
from pages._ui.maintenance import show_back_up
from pages._ui.overview.figures_age import say_since_when
from pages._ui.shared.badges import simulated_badge
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import share
from pages._ui.shared.links import go, link
from pages._ui.shared.markdown import plain
from pages._ui.tasks.queues import my_open_queues, show_queue_row

_WORK = {
    WorkKind.FLAGGED: ("flag", "Flagged cases", "Invasive cancer or adenocarcinoma in situ", "Look"),
    WorkKind.DRAFTS: ("edit_note", "Drafts", "You painted and did not submit yet", "Go on"),
    WorkKind.TO_CONFIRM: ("rule", "Masks to confirm", "Closed by a guess; not trained on until then", "Confirm"),
    WorkKind.UNANNOTATED: ("brush", "Images to annotate", "After acetic acid, with no mask yet", "Annotate"),
    WorkKind.TO_ADJUDICATE: (
        "gavel",
        "Masks to decide between",
        "By several people, in tasks that you adjudicate",
        "Decide",
    ),
    WorkKind.TO_REVIEW: ("fact_check", "Predictions to review", "Of the current model, without your verdict", "Review"),
    WorkKind.UNLABELLED: ("biotech", "Cases without a label", "No histology, and not recorded as normal", "See why"),
    WorkKind.JOBS: ("model_training", "Jobs running", "In the background, also when you sign out", "Watch"),
}


def render() -> None:
    """Draw the page."""
    ctx = page_context()
    with showing_errors():
        my_work = worklist(ctx.caller)
        if my_work.progress is None:
            _reading(my_work)
        elif not my_work.progress.cases:
            _first_start(ctx)
        else:
            _clinic(ctx, my_work, my_work.progress)


def _clinic(ctx: PageContext, my_work: Worklist, progress: Progress) -> None:
    work, far = st.columns([2.6, 1], gap="large")
    with work:
        st.title("What waits for me")
        queues = [queue for queue in my_open_queues(ctx) if queue.next_image_id is not None]
        for queue in queues:
            show_queue_row(queue)
        if not my_work.items and not queues:
            st.success("Nothing waits. Well done.", icon=":material/task_alt:")
        for item in my_work.items:
            _row(item)
    with far:
        _how_far(ctx, progress)


def _row(item: WorkItem) -> None:
    icon, title, why, verb = _WORK[item.kind]
    with st.container(border=True):
        number, what, action = st.columns([0.8, 4, 1.6], vertical_alignment="center")
        number.markdown(f"## {item.number_text}", text_alignment="right")
        what.markdown(f":material/{icon}: **{title}**  \n:gray[{why}]")
        if action.button(verb, key=f"work_{item.kind}", width="stretch", icon=":material/arrow_forward:"):
            go(item.page, **dict(item.params))


def _how_far(ctx: PageContext, progress: Progress) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.markdown("### How far we are", width="content")
    _share("Cases labelled", progress.cases_labelled, progress.cases)
    _share("Images annotated", progress.images_annotated, progress.images_to_annotate)
    snapshots, checkpoints = st.columns(2)
    snapshots.metric("Snapshots", progress.snapshots)
    checkpoints.metric("Checkpoints", progress.checkpoints)
    model = progress.current_checkpoint
    st.markdown(f"Current model &nbsp; **{plain(model)}**" if model else "No model is promoted yet.")
    page, word = ("models", "Models") if model else ("train", "Train one")
    link(page, word, icon=":material/arrow_forward:")
    if progress.simulated_cases:
        simulated_badge()
        st.caption(f"{progress.simulated_cases} of {progress.cases} cases were drawn by the program.")
    say_since_when(ctx)
    show_back_up(ctx)


def _share(title: str, part: int, whole: int) -> None:
    st.progress(share(part, whole), text=f"{title} &nbsp; **{part}** of {whole}")


def _first_start(ctx: PageContext) -> None:
    st.title("Welcome to ColpoDesk")
    st.markdown("The store is empty. Three steps bring the clinic's first case in:")
    steps = (
        ("1", "Import", "Drop the images of one examination, with the patient's code, the day and each image's stage."),
        ("2", "Label", "Enter the histology of each specimen. The label follows by the rules, with its reason."),
        ("3", "Annotate", "Paint the acetowhite epithelium. With enough of both, train the clinic's own model."),
    )
    for column, (number, title, text) in zip(st.columns(3), steps, strict=True):
        with column, st.container(border=True, height=172):
            st.markdown(f"### {number} &nbsp; {title}")
            st.markdown(text)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Import the first images", type="primary", icon=":material/add_photo_alternate:"):
            go("cases", tab="import")
        if ctx.caller.actor.role is Role.ADMINISTRATOR:
            link("admin", "Make accounts for colleagues and readers", icon=":material/group_add:")


def _reading(my_work: Worklist) -> None:
    st.title("What waits for me")
    if not my_work.items:
        st.info("No study waits to be read. You will find one here when an administrator opens it for you.")
        return
    st.caption("You see one image after the other, in an order of your own. An answer is final.")
    for item in my_work.items:
        total = item.total or item.number
        done = total - item.number
        with st.container(border=True):
            name, progress, action = st.columns([4, 3, 2], vertical_alignment="center")
            name.markdown(f"**{plain(item.what)}**")
            progress.progress(done / total, text=f"{done} of {total} read")
            word = "Go on" if done else "Start"
            if action.button(word, key=f"work_{dict(item.params)['study']}", type="primary", width="stretch"):
                go(item.page, **dict(item.params))
