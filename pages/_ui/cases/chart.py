"""A case's record: what the clinician enters, with the Swede score added up as it is entered."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from colpo_core.records.cases.cases import CYTOLOGIES, CaseForm, CaseRecord, SwedeRows
from colpo_core.services.cases.case import update_case
from pages._ui.cases.messages import button_action
from pages._ui.cases.words import COLPOSCOPIES, HIV_STATUSES, MENOPAUSAL_STATES, SWEDE, YES_OR_NO, score_text
from pages._ui.shared.context import page_context

_SAVED = "case_record_saved"
Word = TypeVar("Word")


def show_record(case: CaseRecord) -> None:
    """Draw the record; only this part reruns while somebody fills it in."""
    st.session_state.pop(_SAVED, None)
    _show_fields(case)


def propose_lesion_size(case: CaseRecord, points: int) -> None:
    """Fill in the Swede score's lesion size when the record is drawn next, for the clinician to look at and save.

    Args:
        case: The case, as it is stored now.
        points: 0, 1 or 2.
    """
    st.session_state[_proposed_name(case)] = points


def _proposed_name(case: CaseRecord) -> str:
    return f"record_proposed_{case.id}_{case.version}"


@st.fragment
def _show_fields(case: CaseRecord) -> None:
    if st.session_state.pop(_SAVED, False):
        st.rerun()  # saved within this part alone: the label above has to follow
    # The version is part of the keys: after anybody's save the fields start from what is stored.
    key = f"record_{case.id}_{case.version}"
    _findings(case, key)
    st.markdown("**Swede score**")
    _score(case, _swede(case, key))
    st.button(
        "Save record",
        type="primary",
        icon=":material/save:",
        width="stretch",
        key=f"{key}_save",
        on_click=_save,
        args=(case.id, case.version, key),
    )


def _findings(case: CaseRecord, key: str) -> None:
    form = case.form
    st.segmented_control(
        "Colposcopy as a whole",
        list(COLPOSCOPIES),
        default=form.colposcopy,
        format_func=COLPOSCOPIES.__getitem__,
        key=f"{key}_colposcopy",
        required=True,
        help="Without a biopsy, the case is labelled normal only where this says normal.",
    )
    age, cytology = st.columns(2)
    age.number_input("Age", 10, 110, form.age_years, key=f"{key}_age_years", placeholder="years")
    cytology.selectbox(
        "Cytology",
        CYTOLOGIES,
        index=CYTOLOGIES.index(form.cytology) if form.cytology else None,
        key=f"{key}_cytology",
        placeholder="–",
    )
    hpv, vaccinated = st.columns(2)
    hpv.text_input("HPV", form.hpv_result or "", key=f"{key}_hpv_result", max_chars=80, placeholder="result and types")
    _choice(vaccinated, "HPV vaccination", YES_OR_NO, form.hpv_vaccinated, f"{key}_hpv_vaccinated")
    menopause, pregnant = st.columns(2)
    _choice(menopause, "Menopausal state", MENOPAUSAL_STATES, form.menopausal_state, f"{key}_menopausal_state")
    _choice(pregnant, "Pregnant", YES_OR_NO, form.pregnant, f"{key}_pregnant")
    hiv, device = st.columns(2)
    _choice(hiv, "HIV", HIV_STATUSES, form.hiv_status, f"{key}_hiv_status")
    device.text_input("Colposcope", form.device or "", key=f"{key}_device", max_chars=80)
    st.text_input("Indication", form.indication or "", key=f"{key}_indication", max_chars=200)
    st.text_input(
        "Earlier treatment", form.earlier_treatment or "", key=f"{key}_earlier_treatment", max_chars=200,
        placeholder="LEEP 2021",
    )  # fmt: skip


def _choice(column: DeltaGenerator, title: str, words: Mapping[Word, str], value: Word | None, key: str) -> None:
    """A choice that may be left open."""
    index = list(words).index(value) if value is not None else None
    column.selectbox(title, list(words), index=index, format_func=words.__getitem__, key=key, placeholder="–")


def _swede(case: CaseRecord, key: str) -> SwedeRows:
    stored = case.form.swede
    values: dict[str, int | None] = {}
    proposed = st.session_state.pop(_proposed_name(case), None)
    if proposed is not None:
        st.session_state[f"{key}_lesion_size"] = proposed
    for name, (title, words) in SWEDE.items():
        st.session_state.setdefault(f"{key}_{name}", getattr(stored, name))
        values[name] = st.selectbox(
            title,
            [0, 1, 2],
            index=None,
            format_func=[f"{points} · {meaning}" for points, meaning in enumerate(words)].__getitem__,
            key=f"{key}_{name}",
            placeholder="not assessed",
        )
    return SwedeRows(**values)


def _score(case: CaseRecord, rows: SwedeRows) -> None:
    total = rows.total if not rows.is_empty else case.swede_total
    text = score_text(total, is_empty=rows.is_empty)
    if total is not None and rows.is_empty:
        text += ", as imported without its rows"
    missing = [SWEDE[name][0].lower() for name in SWEDE if getattr(rows, name) is None]
    if total is None and not rows.is_empty:
        text += f": {', '.join(missing)} missing"
    suspicious = " · suspicious (5 or more)" if total is not None and total >= 5 else ""
    st.markdown(f"Score &nbsp; **{text}**{suspicious}")
    st.caption("An impression, not histology. 8 or more was 90% specific for high grade (Strander 2005).")


def _form(key: str) -> CaseForm:
    state = st.session_state
    return CaseForm(
        **{field.name: state[f"{key}_{field.name}"] for field in fields(CaseForm) if field.name != "swede"},
        swede=SwedeRows(**{name: state[f"{key}_{name}"] for name in SWEDE}),
    )


@button_action
def _save(case_id: int, version: int, key: str) -> str:
    st.session_state[_SAVED] = True
    update_case(page_context().caller, case_id=case_id, base_version=version, form=_form(key))
    return "Record saved"
