"""The first line of the annotation page, and the small images of the case."""

import streamlit as st

from colpo_core.records.annotations import AnnotationDesk, StripImage
from pages._ui.annotations import actions
from pages._ui.annotations.actions import BIOPSY, FORM, IMPORTED, MASKS, STAGES
from pages._ui.annotations.words import MARKS
from pages._ui.components.viewer import StripItem, image_strip
from pages._ui.shared.badges import simulated_badge
from pages._ui.shared.words import stage_text


def show_head(desk: AnnotationDesk, *, is_in_task: bool) -> str:
    """Draw one line: which image this is, what to do with it, and, outside a task, where to go next.

    Returns:
        What to do with the image, one of the words of `actions`.
    """
    modes = [*([IMPORTED] if desk.to_confirm else []), MASKS, STAGES, FORM, BIOPSY]
    image = desk.annotation.image
    key = actions.mode_key(image.id)
    if st.session_state.get(key) not in modes:
        st.session_state[key] = MASKS if is_in_task else modes[0]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(f"{desk.patient_code} · {stage_text(image)}", anchor=False, width="content")
        if image.simulated:
            with st.container(width="content"):
                simulated_badge()
        st.space("stretch")
        mode = st.segmented_control(
            "What to do", modes, key=key, label_visibility="collapsed", required=True, width="content"
        )
        if not is_in_task:
            _show_onward(desk)
    return str(mode or modes[0])


def show_strip(desk: AnnotationDesk) -> None:
    """The images of the case; a click opens one."""
    items = [
        StripItem(item.image.id, f"/colpo/images/{item.image.id}/thumbnail", stage_text(item.image), _mark(item))
        for item in desk.strip
    ]

    image_strip("annotate_strip", items, desk.annotation.image.id, on_choose=actions.open_image)


def _show_onward(desk: AnnotationDesk) -> None:
    st.button(
        "",
        icon=":material/select_all:",
        help="Images without a mask: say of many at once that nothing acetowhite is on them",
        key="show_unmarked",
        on_click=actions.show_unmarked,
    )
    if desk.next_to_confirm_id is not None:
        st.button(
            f"To confirm: {desk.n_to_confirm}",
            icon=":material/rule:",
            help="The next imported mask that waits for a person",
            on_click=actions.open_image,
            args=(desk.next_to_confirm_id,),
        )
    if desk.next_image_id is not None:
        st.button(
            "Next image",
            icon=":material/arrow_forward:",
            shortcut="n",
            help="The next acetic-acid image without a mask",
            on_click=actions.open_image,
            args=(desk.next_image_id,),
        )


def _mark(item: StripImage) -> str:
    if item.to_confirm:
        return "to confirm"
    return MARKS[item.mine] if item.mine else ""
