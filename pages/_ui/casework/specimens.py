"""A case's label with its reason, and the histology that it follows from."""

import streamlit as st

from colpo_core.errors import InputRejected
from colpo_core.records.cases import CaseRecord, LabelRecord, SpecimenRecord
from colpo_core.services.histology import add_specimen, withdraw_specimen
from colpo_core.terms import Grade, Label, LabelSource, SpecimenKind
from pages._ui.casework.told import doing
from pages._ui.casework.words import LABELS, SPECIMENS, grade_text
from pages._ui.here import here
from pages._ui.plain import plain

_COLOURS = {Label.NORMAL: "green", Label.HSIL: "red", None: "gray"}


def show_label(case: CaseRecord) -> None:
    """Draw the label from histology prominently, and the one from an impression as what it is."""
    label = case.label()
    with st.container(border=True, key="case_label"):
        if label is None:
            st.markdown("**No label yet.** Enter histology, or record a normal colposcopy.")
            return
        colour = "orange" if label.flagged else _COLOURS[label.label]
        st.markdown(f"Label &nbsp; :{colour}-background[**{_word(label)}**]")
        st.markdown(f"{_sentence(label.reason)}")
        if label.flagged:
            st.warning("A clinician has to look at this case. It is never used as normal.", icon=":material/flag:")
        st.caption(f"By histology, rules {label.rules_version}, {label.decided_at:%Y-%m-%d}")
        impression = case.label(LabelSource.IMPRESSION)
        if impression is not None and impression.label is not None:
            st.caption(f"Beside it, as an impression and not histology: {LABELS[impression.label]} by {_score(case)}")


def show_specimens(case: CaseRecord) -> None:
    """Draw the specimens, and the form for another one."""
    if not case.specimens:
        st.caption("No specimen yet.")
    for specimen in case.specimens:
        _specimen(specimen)
    _new_specimen(case)


def _word(label: LabelRecord) -> str:
    return f"{LABELS[label.label]}, flagged" if label.flagged else LABELS[label.label]


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}."


def _score(case: CaseRecord) -> str:
    return f"Swede score {case.swede_total}"


def _specimen(specimen: SpecimenRecord) -> None:
    where = f" at {specimen.clock_hour} o'clock" if specimen.clock_hour else ""
    text = f"**{grade_text(specimen.grade)}** · {SPECIMENS[specimen.kind]}{where}"
    is_withdrawn = specimen.withdrawn_at is not None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"~~{text}~~ withdrawn" if is_withdrawn else text, width="stretch")
        if not is_withdrawn:
            with st.popover("", icon=":material/undo:", help="Withdraw this result"):
                st.markdown("The result stays to be seen and counts no more. The label follows.")
                st.button(
                    "Withdraw", type="primary", key=f"withdraw_{specimen.id}", on_click=_withdraw, args=(specimen.id,)
                )
    note = f" · {plain(specimen.note)}" if specimen.note else ""
    st.caption(f"{specimen.number} · {plain(specimen.entered_by)}, {specimen.created_at:%Y-%m-%d}{note}")


def _withdraw(specimen_id: int) -> None:
    person = here()

    def deed() -> str:
        withdraw_specimen(person.store, actor=person.actor, specimen_id=specimen_id)
        return "Withdrawn. The label was decided anew."

    doing(deed)


def _new_specimen(case: CaseRecord) -> None:
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
        st.text_input("Remark", key=f"{key}_note", placeholder="nothing that names the patient", max_chars=500)
        st.form_submit_button(
            "Add specimen", type="primary", icon=":material/add:", on_click=_add, args=(case.id, key), width="stretch"
        )


def _add(case_id: int, key: str) -> None:
    person = here()
    grade: Grade | None = st.session_state[f"{key}_grade"]
    kind: SpecimenKind = st.session_state[f"{key}_kind"]

    def deed() -> str:
        if grade is None:
            raise InputRejected("Choose the pathologist's grade first. Nothing was entered.")
        add_specimen(
            person.store,
            actor=person.actor,
            case_id=case_id,
            kind=kind,
            grade=grade,
            clock_hour=st.session_state[f"{key}_clock"],
            note=st.session_state[f"{key}_note"],
        )
        return "Entered. The label follows."

    doing(deed)
