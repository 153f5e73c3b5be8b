"""Annotate: paint findings on an image, in a task's queue or outside tasks, with the whole case at hand."""

from functools import partial

import streamlit as st

from colpo_core.records.annotations import AnnotationDesk, VersionComparison
from colpo_core.records.tasks import QueuePlace
from colpo_core.services.annotations.workbench import annotation_desk, next_image, next_image_to_confirm
from colpo_core.services.tasks.queue import queue_place
from colpo_core.terms import Finding
from pages._ui.annotations import (
    actions,
    biopsies,
    clearing,
    comparing,
    confirming,
    head,
    queue,
    stages,
    starts,
    versions,
)
from pages._ui.annotations.actions import BIOPSY, FORM, IMPORTED, MASKS, STAGES
from pages._ui.annotations.mask_questions import ask_questions
from pages._ui.components.mask_editor import mask_editor
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.links import asked_row, link
from pages._ui.shared.messages import show_message
from pages._ui.shared.theme import STAYS
from pages._ui.shared.words import FINDINGS

_AROUND_EDITOR_PX = 226
_QUEUE_PX = 52
_WIDTHS = {FORM: [1.5, 1.0]}
_FINDING_OF = "annotate_finding_of"


def render() -> None:
    """Draw the page."""
    ctx = page_context()
    is_drawn = False
    with showing_errors():
        _draw(ctx)
        is_drawn = True
    if not is_drawn:
        link("annotate", "Show the next image that waits", icon=":material/arrow_forward:")
        link("tasks", "My queues", icon=":material/assignment:")
        link("cases", "Choose an image from the cases", icon=":material/folder_shared:")


def _draw(ctx: PageContext) -> None:
    if "unmarked" in st.query_params:
        clearing.show_unmarked(ctx)
        return
    task_id, image_id = asked_row("task", choose_from="cases"), asked_row("image", choose_from="cases")
    if task_id is not None and image_id is None:
        image_id = queue.first_of_queue(ctx, task_id)
        if image_id is None:
            queue.show_all_done()
            return
    item = None
    if task_id is not None and image_id is not None:
        item = queue_place(ctx.caller, task_id=task_id, image_id=image_id)
    finding = _finding(item, image_id)
    if image_id is None:
        image_id = next_image(ctx.caller, finding=finding)
    if image_id is None:
        _show_nothing_to_do(ctx)
        return
    desk = annotation_desk(ctx.caller, image_id=image_id, finding=finding)
    st.query_params["image"] = str(image_id)
    if item is not None:
        queue.note_opened(ctx, item)
    _show_desk(ctx, desk, item, task_id)


def _finding(item: QueuePlace | None, image_id: int | None) -> Finding:
    """The finding that is painted: the task's when one of its images is opened, then the person's choice."""
    # Set in each run: Streamlit forgets a widget's value as soon as another mode does not show the widget.
    st.session_state[actions.FINDING] = st.session_state.get(actions.FINDING, Finding.ACETOWHITE)
    opened = (item.item_id, image_id) if item is not None else None
    if st.session_state.get(_FINDING_OF) != opened:
        st.session_state[_FINDING_OF] = opened
        if item is not None:
            st.session_state[actions.FINDING] = item.finding
    finding: Finding = st.session_state[actions.FINDING]
    return finding


def _show_nothing_to_do(ctx: PageContext) -> None:
    st.title("Annotate")
    show_message(actions.SAID)
    waiting = next_image_to_confirm(ctx.caller)
    with st.container(border=True):
        st.markdown("### :material/task_alt: No image waits for a mask")
        st.markdown("Every acetic-acid image has one, or none was imported yet.")
        if waiting is not None:
            st.button("Confirm imported masks", type="primary", on_click=actions.open_image, args=(waiting,))
        link("annotate", "Images without a lesion", icon=":material/select_all:", unmarked=1)
        link("cases", "Open a case or import images", icon=":material/folder_shared:")


def _show_desk(ctx: PageContext, desk: AnnotationDesk, item: QueuePlace | None, task_id: int | None) -> None:
    image = desk.annotation.image
    mode = head.show_head(desk, is_in_task=task_id is not None)
    around_px = _AROUND_EDITOR_PX
    if item is not None:
        queue.show_queue(ctx, item, image.id)
        around_px += _QUEUE_PX
    elif task_id is not None:
        queue.show_beside_queue(queue.first_of_queue(ctx, task_id))
        around_px += _QUEUE_PX
    if mode != BIOPSY:
        biopsies.forget_canvas(image.id)
    if mode == STAGES:
        show_message(actions.SAID)
        stages.show_stages(desk)
        return
    comparison = comparing.find_comparison(ctx, desk) if mode == MASKS else None
    main, side = st.columns(_WIDTHS.get(mode, [3.3, 1.0]), gap="medium")
    with main, st.container(key=STAYS):
        _show_main(ctx, desk, mode, comparison, around_px)
    with side:
        head.show_strip(desk)
        show_message(actions.SAID)
        _show_side(ctx, desk, mode, comparison, item)


def _show_main(
    ctx: PageContext, desk: AnnotationDesk, mode: str, comparison: VersionComparison | None, around_px: int
) -> None:
    if mode == IMPORTED:
        confirming.show_imported(desk, around_px=around_px)
    elif mode == BIOPSY:
        biopsies.show_canvas(ctx, desk)
    elif mode == FORM:
        stages.show_photograph(ctx, desk, around_px=around_px)
    elif comparison is not None:
        comparing.show_comparison(comparison, around_px=around_px)
    else:
        names = {layer.document_id: FINDINGS[layer.finding] for layer in desk.layers}
        mask_editor(
            "mask_editor",
            desk.layers,
            active=desk.annotation.finding,
            on_submit=partial(actions.submit, ctx, names=names),
            on_active=actions.choose_finding,
            references=versions.references(desk),
            load=actions.counter("load"),
            answer=actions.counter("answer"),
            around_px=around_px,
        )


def _show_side(
    ctx: PageContext, desk: AnnotationDesk, mode: str, comparison: VersionComparison | None, item: QueuePlace | None
) -> None:
    if mode == IMPORTED:
        confirming.ask_about(ctx, desk, is_in_task=item is not None)
    elif mode == BIOPSY:
        biopsies.list_points(desk.biopsy_points)
    elif mode == FORM:
        stages.show_form(ctx, desk)
    elif mode == MASKS:
        if comparison is not None:
            comparing.show_agreement(comparison)
        else:
            ask_questions(
                actions.QUESTIONS,
                {layer.document_id for layer in desk.layers},
                on_sure=partial(actions.submit_as_it_is, ctx),
                on_fill=partial(actions.fill, ctx),
            )
            starts.choose_start(ctx, desk.annotation)
            _offer_nothing_there(ctx, desk, item)
        versions.list_versions(ctx, desk)
        versions.list_others(desk)


def _offer_nothing_there(ctx: PageContext, desk: AnnotationDesk, item: QueuePlace | None) -> None:
    """Draw the button for an image on which nothing acetowhite can be seen."""
    mine = desk.annotation
    if mine.finding is not Finding.ACETOWHITE:
        return
    is_said = bool(desk.versions) and desk.versions[0].absence_confirmed
    onward = queue.onward(item) if item is not None else desk.next_image_id
    st.button(
        "Confirmed: nothing acetowhite" if is_said else "Nothing acetowhite here",
        icon=":material/check_circle:" if is_said else ":material/hide_source:",
        help="Where you see none: a version whose mask is empty. It counts as annotated, and a model learns from it "
        "that there is nothing to mark. To take it back, paint and submit.",
        shortcut="q",
        width="stretch",
        disabled=is_said and not mine.changed,
        key="nothing_there",
        on_click=actions.say_nothing_there,
        args=(ctx, mine.document_id, onward),
    )
