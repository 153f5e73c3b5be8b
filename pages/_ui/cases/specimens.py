"""A case's label with its reason, and the histology behind it."""

import streamlit as st

from colpo_core.errors import InputRejected
from colpo_core.records.cases.cases import CaseRecord, SpecimenRecord
from colpo_core.services.cases.histology import add_specimen, withdraw_specimen
from colpo_core.terms import Grade, Label, LabelSource, SpecimenKind
from pages._ui.cases import sites
from pages._ui.cases.messages import button_action
from pages._ui.cases.words import SPECIMENS
from pages._ui.shared.context import page_context
from pages._ui.shared.markdown import plain
from pages._ui.shared.words import LABELS, grade_text, stage_text

_BY_CLICK = "Click on the image next"
_COLOURS = {Label.NORMAL: "green", Label.HSIL: "red", None: "gray"}


def show_label(case: CaseRecord) -> None:
    """Draw the label from histology prominently, and one from an impression marked as such."""
    label = case.label()
    with st.container(border=True, key="case_label"):
        if label is None:
            st.markdown("**No label yet.** Enter histology, or record a normal colposcopy.")
            return
        colour = "orange" if label.flagged else _COLOURS[label.label]
        st.markdown(
            f"Label &nbsp; :{colour}-background[**{LABELS[label.label]}{', flagged' if label.flagged else ''}**]"
        )
        st.markdown(f"{label.reason[0].upper()}{label.reason[1:]}.")
        if label.flagged:
            st.warning("A clinician has to look at this case. It is never used as normal.", icon=":material/flag:")
        st.caption(f"By histology, rules {label.rules_version}, {label.decided_at:%Y-%m-%d}")
        impression = case.label(LabelSource.IMPRESSION)
        if impression is not None and impression.label is not None:
            score = f"{LABELS[impression.label]} by Swede score {case.swede_total}"
            st.caption(f"Beside it, as an impression and not histology: {score}")


def show_specimens(case: CaseRecord, *, can_place: bool = False) -> None:
    """Draw the specimens, and the form for another one.

    Args:
        case: The case.
        can_place: Whether the page shows the case's viewer, on which a click can set a specimen's site.
    """
    choices = sites.site_choices(case)
    if not case.specimens:
        st.caption("No specimen yet.")
    for specimen in case.specimens:
        _specimen(case, specimen, choices, can_place=can_place)
    _new_specimen(case, choices, can_place=can_place)


def _specimen(
    case: CaseRecord, specimen: SpecimenRecord, choices: tuple[sites.SiteChoice, ...], *, can_place: bool
) -> None:
    where = f" at {specimen.clock_hour} o'clock" if specimen.clock_hour else ""
    text = f"{specimen.number} · **{grade_text(specimen.grade)}** · {SPECIMENS[specimen.kind]}{where}"
    is_withdrawn = specimen.withdrawn_at is not None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"~~{text}~~ withdrawn" if is_withdrawn else text, width="stretch")
        if not is_withdrawn:
            _site(case, specimen, choices, can_place=can_place)
            with st.popover("", icon=":material/undo:", help="Withdraw this result"):
                st.markdown("The result stays to be seen and counts no more. The label follows.")
                st.button(
                    "Withdraw", type="primary", key=f"withdraw_{specimen.id}", on_click=_withdraw, args=(specimen.id,)
                )
    note = f" · {plain(specimen.note)}" if specimen.note else ""
    st.caption(f"{_site_text(case, specimen)}{plain(specimen.entered_by)}, {specimen.created_at:%Y-%m-%d}{note}")
    hour = sites.proposed_hour(specimen)
    if hour is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"By its site it lies at **{hour} o'clock**.", width="stretch")
            st.button("Confirm", key=f"hour_{specimen.id}", on_click=sites.confirm_hour, args=(specimen.id, hour))


def _site_text(case: CaseRecord, specimen: SpecimenRecord) -> str:
    if specimen.site is None:
        return ""
    image = next(case_image.image for case_image in case.images if case_image.image.id == specimen.site.image_id)
    return f"site on {stage_text(image)} · "


def _site(
    case: CaseRecord, specimen: SpecimenRecord, choices: tuple[sites.SiteChoice, ...], *, can_place: bool
) -> None:
    """Where it was taken, and how to say it."""
    key = f"site_{specimen.id}"
    with st.popover(
        "",
        icon=":material/location_on:",
        help="Where it was taken: its site on the image",
        key=sites.popover_key(specimen.id),
        on_change="rerun",
    ):
        if can_place and case.images:
            st.button(
                "Click on the image", icon=":material/ads_click:", key=f"{key}_click", width="stretch",
                on_click=sites.start_placing, args=(specimen.id,),
            )  # fmt: skip
        for number, choice in enumerate(choices):
            st.button(
                choice.title, icon=":material/colorize:", key=f"{key}_point_{number}", width="stretch",
                on_click=sites.put, args=(specimen.id, choice.site),
            )  # fmt: skip
        if not choices:
            st.caption("Biopsy points that you set on an image of this case can be taken here too.")
        if specimen.site is not None:
            st.button(
                "Show it", icon=":material/visibility:", key=f"{key}_show", width="stretch",
                on_click=st.session_state.update,
                args=({sites.shown_image_key(case.id): specimen.site.image_id},),
            )  # fmt: skip
            st.button(
                "Remove the site", icon=":material/close:", key=f"{key}_remove", width="stretch",
                on_click=sites.put, args=(specimen.id, None),
            )  # fmt: skip


@button_action
def _withdraw(specimen_id: int) -> str:
    withdraw_specimen(page_context().caller, specimen_id=specimen_id)
    return "Withdrawn. The label was decided anew."


def _new_specimen(case: CaseRecord, choices: tuple[sites.SiteChoice, ...], *, can_place: bool) -> None:
    key = f"specimen_{case.id}_{len(case.specimens)}"
    with st.form(key, border=True):
        kind, clock = st.columns(2)
        kind.selectbox("Specimen", list(SPECIMENS), format_func=SPECIMENS.__getitem__, key=f"{key}_kind")
        clock.selectbox(
            "Clock position", [None, *range(1, 13)], format_func=lambda hour: "–" if hour is None else f"{hour}",
            key=f"{key}_clock",
        )  # fmt: skip
        st.selectbox(
            "Grade by the pathologist", list(Grade), index=None, format_func=grade_text, key=f"{key}_grade",
            placeholder="Choose a grade",
        )  # fmt: skip
        ways = [None, *([_BY_CLICK] if can_place and case.images else []), *choices]
        st.selectbox("Site", ways, format_func=_way_text, key=f"{key}_site")
        st.text_input("Remark", key=f"{key}_note", placeholder="nothing that names the patient", max_chars=500)
        st.form_submit_button(
            "Add specimen", type="primary", icon=":material/add:", on_click=_add, args=(case.id, key), width="stretch"
        )


def _way_text(way: sites.SiteChoice | str | None) -> str:
    if isinstance(way, sites.SiteChoice):
        return way.title
    return way or "–"


@button_action
def _add(case_id: int, key: str) -> str:
    grade: Grade | None = st.session_state[f"{key}_grade"]
    kind: SpecimenKind = st.session_state[f"{key}_kind"]
    way: sites.SiteChoice | str | None = st.session_state[f"{key}_site"]
    if grade is None:
        raise InputRejected("Choose the pathologist's grade first. Nothing was entered.")
    specimen_id = add_specimen(
        page_context().caller,
        case_id=case_id,
        kind=kind,
        grade=grade,
        clock_hour=st.session_state[f"{key}_clock"],
        note=st.session_state[f"{key}_note"],
        site=way.site if isinstance(way, sites.SiteChoice) else None,
    )
    if way == _BY_CLICK:
        sites.start_placing(specimen_id)
        return "Entered. The label follows. Now click on the site."
    return "Entered. The label follows."
