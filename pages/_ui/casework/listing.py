"""The list of cases: filters, a page of fifty, and opening one."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import pandas as pd
import streamlit as st

from colpo_core.records.cases import CaseFilter, CasePage, CaseRow
from colpo_core.services.cases import list_cases
from colpo_core.terms import Grade
from pages._ui.casework.words import ANNOTATION_NEEDS, LABEL_CHOICES, LABELS, date_text, grade_text, states_text
from pages._ui.here import Here
from pages._ui.links import go

PAGE = 50
_TRAIL, _ASKED, _OPENED = "cases_trail", "cases_asked", "cases_opened"
Word = TypeVar("Word", bound=StrEnum)


def show_list(person: Here) -> None:
    """Draw the filters and one page of cases."""
    where = _filters()
    trail = _trail(where)
    page = list_cases(person.store, actor=person.actor, where=where, after=trail[-1], limit=PAGE)
    if not page.rows:
        _nothing(where)
        return
    _table(page)
    _pager(page, trail)


def _filters() -> CaseFilter:
    code, grade, label, annotation = st.columns([1.2, 1, 1, 1])
    return CaseFilter(
        patient_code=code.text_input(
            "Patient code", placeholder="begins with …", key="cases_code", icon=":material/search:"
        ),
        grade=_choice(grade, "Grade", {one: grade_text(one) for one in Grade}, "grade"),
        label=_choice(label, "Label", LABEL_CHOICES, "label"),
        annotation=_choice(annotation, "Annotations", ANNOTATION_NEEDS, "annotation"),
    )


def _choice(place: st.delta_generator.DeltaGenerator, title: str, words: Mapping[Word, str], name: str) -> Word | None:
    """A filter that can be asked for in the address, such as `?label=flagged`."""
    key = f"cases_{name}"
    if key not in st.session_state:
        asked = st.query_params.get(name)
        st.session_state[key] = next((word for word in words if word.value == asked), None)
    chosen: Word | None = place.selectbox(title, list(words), format_func=words.__getitem__, key=key, placeholder="All")
    return chosen


def _trail(where: CaseFilter) -> list[tuple[datetime, int] | None]:
    """Where each page up to this one begins; another filter starts again at the first."""
    trail: list[tuple[datetime, int] | None] = st.session_state.setdefault(_TRAIL, [None])
    if st.session_state.get(_ASKED) != where:
        st.session_state[_ASKED] = where
        trail[:] = [None]
    return trail


def _nothing(where: CaseFilter) -> None:
    if where == CaseFilter():
        with st.container(border=True):
            st.markdown("### :material/add_photo_alternate: No case yet")
            st.markdown("Open the tab **Import images** to bring in the first photographs of an examination.")
        return
    st.info("No case fits these filters. Clear one of them.", icon=":material/filter_alt_off:")


def _table(page: CasePage) -> None:
    rows = pd.DataFrame([_line(row) for row in page.rows])
    shown = st.dataframe(
        rows,
        key=f"cases_table_{st.session_state.get(_OPENED, 0)}",
        hide_index=True,
        width="stretch",
        height=min(434, 38 + 52 * len(page.rows)),
        row_height=52,
        on_select="rerun",
        selection_mode="single-cell",
        column_config={
            "Image": st.column_config.ImageColumn("", width=70),
            "Case": st.column_config.NumberColumn(width=52, format="%d"),
            "Patient": st.column_config.TextColumn(width=116),
            "Date": st.column_config.TextColumn(width=94),
            "Images": st.column_config.NumberColumn(width=62),
            "Annotations": st.column_config.TextColumn(width=128),
            "Grade": st.column_config.TextColumn(width=150),
            "Label": st.column_config.TextColumn(width=84),
            "": st.column_config.TextColumn(width=150),
        },
    )
    cells = shown["selection"]["cells"]
    if cells:
        st.session_state[_OPENED] = st.session_state.get(_OPENED, 0) + 1  # a new key: nothing is selected on return
        go("cases", case=page.rows[int(cells[0][0])].id)


def _line(row: CaseRow) -> dict[str, object]:
    marks = [word for word, holds in (("FLAGGED", row.flagged), ("SIMULATED", row.simulated)) if holds]
    return {
        "Image": None if row.first_image_id is None else f"/colpo/images/{row.first_image_id}/thumbnail",
        "Case": row.id,
        "Patient": row.patient_code,
        "Date": date_text(row.case_date),
        "Images": row.n_images,
        "Annotations": states_text(row.n_unannotated, row.annotation_states),
        "Grade": grade_text(row.grade),
        "Label": LABELS[row.label],
        "": " ".join(marks),
    }


def _pager(page: CasePage, trail: list[tuple[datetime, int] | None]) -> None:
    first = PAGE * (len(trail) - 1) + 1
    more = "+" if page.next_after else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Cases {first} to {first + len(page.rows) - 1}{more}. Click a row to open it.", width="content")
        st.space("stretch")
        st.button("Newer", icon=":material/chevron_left:", disabled=len(trail) == 1, on_click=_newer, key="cases_newer")
        st.button(
            "Older",
            icon=":material/chevron_right:",
            disabled=page.next_after is None,
            on_click=trail.append,
            args=(page.next_after,),
            key="cases_older",
        )


def _newer() -> None:
    st.session_state[_TRAIL].pop()
