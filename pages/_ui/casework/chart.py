"""A case's record: what the clinician enters, with the Swede score summed at once."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from colpo_core.records.cases import CYTOLOGIES, CaseForm, CaseRecord, SwedeRows
from colpo_core.services.cases import update_case
from pages._ui.casework.told import doing
from pages._ui.casework.words import COLPOSCOPIES, SWEDE, score_text
from pages._ui.here import here

_SAVED = "case_record_saved"


def show_record(case: CaseRecord) -> None:
    """Draw the record; only this part reruns while somebody fills it in."""
    st.session_state.pop(_SAVED, None)
    _show_fields(case)


@st.fragment
def _show_fields(case: CaseRecord) -> None:
    if st.session_state.pop(_SAVED, False):
        st.rerun()  # saved within this part alone: the label above has to follow
    # The version is part of the keys: after a save, or somebody else's, the fields start from what is stored.
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
    age.number_input("Age", 10, 110, form.age_years, key=f"{key}_age", placeholder="years")
    cytology.selectbox(
        "Cytology",
        CYTOLOGIES,
        index=CYTOLOGIES.index(form.cytology) if form.cytology else None,
        key=f"{key}_cytology",
        placeholder="–",
    )
    hpv, device = st.columns(2)
    hpv.text_input("HPV", form.hpv_result or "", key=f"{key}_hpv", max_chars=80, placeholder="result and types")
    device.text_input("Colposcope", form.device or "", key=f"{key}_device", max_chars=80)
    st.text_input("Indication", form.indication or "", key=f"{key}_indication", max_chars=200)


def _swede(case: CaseRecord, key: str) -> SwedeRows:
    stored = case.form.swede
    values: dict[str, int | None] = {}
    places = (*st.columns(2), *st.columns(2), st.container())
    for (name, (title, words)), place in zip(SWEDE.items(), places, strict=True):
        value: int | None = getattr(stored, name)
        values[name] = place.selectbox(
            title,
            [0, 1, 2],
            index=value,
            format_func=partial(_points_text, words),
            key=f"{key}_{name}",
            placeholder="not assessed",
        )
    return SwedeRows(**values)


def _points_text(words: Sequence[str], points: int) -> str:
    return f"{points} · {words[points]}"


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
        colposcopy=state[f"{key}_colposcopy"],
        age_years=state[f"{key}_age"],
        hpv_result=state[f"{key}_hpv"],
        cytology=state[f"{key}_cytology"],
        indication=state[f"{key}_indication"],
        device=state[f"{key}_device"],
        swede=SwedeRows(**{name: state[f"{key}_{name}"] for name in SWEDE}),
    )


def _save(case_id: int, version: int, key: str) -> None:
    person = here()

    def deed() -> str:
        update_case(person.store, actor=person.actor, case_id=case_id, base_version=version, form=_form(key))
        return "Record saved"

    doing(deed)
    st.session_state[_SAVED] = True
