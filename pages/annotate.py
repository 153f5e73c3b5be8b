"""Annotate: paint a finding, confirm imported masks, set biopsy points."""

from functools import partial

import streamlit as st

from colpo_core.errors import InputRejected
from colpo_core.records.annotations import AnnotationDesk, StripImage
from colpo_core.services.annotation_desk import annotation_desk, next_image, next_image_to_confirm
from colpo_core.terms import Finding
from pages._ui.annotating import biopsies, confirming, deeds, versions
from pages._ui.annotating.deeds import BIOPSY, IMPORTED, MINE
from pages._ui.annotating.words import FINDINGS, MARKS, stage_text
from pages._ui.badges import simulated_badge
from pages._ui.errors import showing_errors
from pages._ui.here import Here, here
from pages._ui.links import link
from pages._ui.mask_editor import mask_editor
from pages._ui.viewer import StripItem, image_strip

_FINDING = "annotate_finding"
_AROUND_EDITOR_PX = 226


def render() -> None:
    """Draw the page."""
    person = here()
    finding = st.session_state.setdefault(_FINDING, Finding.ACETOWHITE)
    is_drawn = False
    with showing_errors():
        _draw(person, finding)
        is_drawn = True
    if not is_drawn:
        link("annotate", "Show the next image that waits", icon=":material/arrow_forward:")
        link("cases", "Choose an image from the cases", icon=":material/folder_shared:")


def _draw(person: Here, finding: Finding) -> None:
    image_id = _asked_image()
    if image_id is None:
        image_id = next_image(person.store, actor=person.actor, finding=finding)
    if image_id is None:
        _show_nothing_to_do(person)
        return
    desk = annotation_desk(person.store, actor=person.actor, image_id=image_id, finding=finding)
    st.query_params["image"] = str(image_id)
    _show_desk(person, desk)


def _asked_image() -> int | None:
    asked = st.query_params.get("image")
    if asked is None:
        return None
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 16):
        raise InputRejected("This address names no image. Choose one from the cases.")
    return int(asked)


def _show_nothing_to_do(person: Here) -> None:
    st.title("Annotate")
    deeds.say_what_happened()
    waiting = next_image_to_confirm(person.store, actor=person.actor)
    with st.container(border=True):
        st.markdown("### :material/task_alt: No image waits for a mask")
        st.markdown("Every acetic-acid image has one, or none was imported yet.")
        if waiting is not None:
            st.button("Confirm imported masks", type="primary", on_click=deeds.open_image, args=(waiting,))
        link("cases", "Open a case or import images", icon=":material/folder_shared:")


def _show_desk(person: Here, desk: AnnotationDesk) -> None:
    image = desk.annotation.image
    modes = [MINE, BIOPSY] if not desk.to_confirm else [IMPORTED, MINE, BIOPSY]
    mode = _show_head(desk, modes)
    main, side = st.columns([3.3, 1], gap="medium")
    if mode != BIOPSY:
        biopsies.forget_canvas(image.id)
    with main:
        if mode == IMPORTED:
            confirming.show_imported(desk)
        elif mode == BIOPSY:
            biopsies.show_canvas(person, desk)
        else:
            mask_editor(
                "mask_editor",
                desk.annotation,
                on_submit=partial(deeds.submit, person),
                load=deeds.counter("load"),
                answer=deeds.counter("answer"),
                around_px=_AROUND_EDITOR_PX,
            )
    with side:
        _show_strip(desk)
        deeds.say_what_happened()
        if mode == IMPORTED:
            confirming.ask_about(person, desk)
        elif mode == BIOPSY:
            biopsies.list_points(desk.biopsy_points)
        else:
            _choose_finding()
            versions.list_versions(desk)
            versions.list_others(person, desk)


def _show_head(desk: AnnotationDesk, modes: list[str]) -> str:
    """One line: what this is, what to do with it, and where to go next."""
    image = desk.annotation.image
    key = deeds.mode_key(image.id)
    if st.session_state.get(key) not in modes:
        st.session_state[key] = modes[0]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(f"{desk.patient_code} · {stage_text(image)}", anchor=False, width="content")
        if image.simulated:
            with st.container(width="content"):
                simulated_badge()
        st.space("stretch")
        mode = st.segmented_control(
            "What to do", modes, key=key, label_visibility="collapsed", required=True, width="content"
        )
        if desk.next_to_confirm_id is not None:
            st.button(
                f"To confirm: {desk.n_to_confirm}",
                icon=":material/rule:",
                help="The next imported mask that waits for a person",
                on_click=deeds.open_image,
                args=(desk.next_to_confirm_id,),
            )
        if desk.next_image_id is not None:
            st.button(
                "Next image",
                icon=":material/arrow_forward:",
                shortcut="n",
                help="The next acetic-acid image without a mask",
                on_click=deeds.open_image,
                args=(desk.next_image_id,),
            )
    return str(mode or modes[0])


def _show_strip(desk: AnnotationDesk) -> None:
    items = [
        StripItem(item.image.id, f"/colpo/images/{item.image.id}/thumbnail", stage_text(item.image), _mark(item))
        for item in desk.strip
    ]

    def choose() -> None:
        chosen = st.session_state["annotate_strip"].get("chosen")
        if chosen is not None:
            deeds.open_image(int(chosen))

    image_strip("annotate_strip", items, desk.annotation.image.id, on_choose=choose)


def _mark(item: StripImage) -> str:
    if item.to_confirm:
        return "to confirm"
    return MARKS[item.mine] if item.mine else ""


def _choose_finding() -> None:
    st.selectbox("Finding", list(Finding), key=_FINDING, format_func=FINDINGS.__getitem__)
