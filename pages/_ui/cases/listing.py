"""The list of cases: filters, an order, a page as table or gallery, and opening or selecting some."""

import pandas as pd
import streamlit as st

from colpo_core.records.cases.lists import MOST_FROM_HERE, CaseFilter, CasePage, CasePlace, CaseRow, CaseSort
from colpo_core.records.statistics.number_texts import percent_texts
from colpo_core.services.cases.lists import list_cases, list_choices
from colpo_core.terms import Label, Outcome, ReviewState
from pages._ui.cases.filters import case_filters, sort_choice
from pages._ui.cases.messages import show_message
from pages._ui.cases.selection import generation, select, selected, show_actions
from pages._ui.cases.views import show_views
from pages._ui.cases.words import OUTCOME_WORDS, states_text
from pages._ui.components.gallery import GalleryItem, case_gallery
from pages._ui.shared.badges import model_badges
from pages._ui.shared.context import PageContext
from pages._ui.shared.links import go
from pages._ui.shared.words import LABELS, date_text, grade_text

PAGE = 50
_TRAIL, _ASKED, _OPENED, _LAYOUT = "cases_trail", "cases_asked", "cases_opened", "cases_layout"
_LAYOUTS = {"Table": ":material/table_rows: Table", "Gallery": ":material/grid_view: Gallery"}
_REVIEWS = {
    None: "", ReviewState.WAITING: "waits", ReviewState.AGREED: "agreed", ReviewState.UNSURE: "unsure",
    ReviewState.OVERRULED: "overruled",
}  # fmt: skip
_WRONG = (Outcome.FALSE_POSITIVE, Outcome.FALSE_NEGATIVE)


def show_list(ctx: PageContext) -> None:
    """Draw the filters and one page of cases."""
    show_message()
    where, sort = case_filters(list_choices(ctx.caller))
    trail = _trail(where, sort)
    page = list_cases(ctx.caller, where=where, sort=sort, after=trail[-1], limit=PAGE)
    with st.container(horizontal=True, vertical_alignment="center"):
        sort_choice()
        layout = st.segmented_control(
            "Layout", list(_LAYOUTS), format_func=_LAYOUTS.__getitem__, default="Table", required=True, key=_LAYOUT,
            persist_state="session",
            label_visibility="collapsed", width="content",
        )  # fmt: skip
        show_views(ctx, where, sort)
        st.space("stretch")
        if page.rows:
            st.caption(_count(page, sort, PAGE * (len(trail) - 1)), width="content")
    if page.model_marks:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("The current model:", width="content")
            model_badges(page.model_marks)
    show_actions(ctx, where)
    if not page.rows:
        _nothing(where, sort)
        return
    key = f"{generation()}_{st.session_state.get(_OPENED, 0)}_{len(trail)}_{hash((where, sort))}"
    if layout == "Gallery":
        _gallery(page, f"cases_gallery_{key}")
    else:
        _table(page, f"cases_table_{key}")
    _pager(page, trail)


def _trail(where: CaseFilter, sort: CaseSort) -> list[CasePlace | None]:
    """Where each page up to this one begins; with another filter or order it starts again at the first."""
    trail: list[CasePlace | None] = st.session_state.setdefault(_TRAIL, [None])
    if st.session_state.get(_ASKED) != (where, sort):
        st.session_state[_ASKED] = (where, sort)
        trail[:] = [None]
    return trail


def _count(page: CasePage, sort: CaseSort, n_before: int) -> str:
    n = n_before + page.n_from_here
    more = "+" if page.n_from_here == MOST_FROM_HERE else ""
    cases = f"{n:,}{more} case{'' if n == 1 else 's'}"
    if page.n_uncompared:
        return f"{cases}; {page.n_uncompared:,} more are compared as you look again"
    return cases if sort.has_all else f"{cases}; those without such a figure are not in this order"


def _nothing(where: CaseFilter, sort: CaseSort) -> None:
    if where == CaseFilter() and sort.has_all:
        with st.container(border=True):
            st.markdown("### :material/add_photo_alternate: No case yet")
            st.markdown("Open the tab **Import images** to bring in the first photographs of an examination.")
        return
    st.info("No case fits these filters. Clear one of them.", icon=":material/filter_alt_off:")


def _open(case_id: int) -> None:
    st.session_state[_OPENED] = st.session_state.get(_OPENED, 0) + 1  # a new key: nothing is opened on return
    go("cases", case=case_id)


def _table(page: CasePage, key: str) -> None:
    ids = [row.id for row in page.rows]
    chosen = [index for index, case_id in enumerate(ids) if case_id in selected()]
    shown = st.dataframe(
        pd.DataFrame([_line(row) for row in page.rows]),
        key=key,
        hide_index=True,
        width="stretch",
        height=min(558, 38 + 52 * len(page.rows)),
        row_height=52,
        on_select=lambda: select(ids, (ids[index] for index in st.session_state[key]["selection"]["rows"])),
        selection_mode=["multi-row", "single-cell"],
        selection_default={"selection": {"rows": chosen}},
        column_config={
            "Image": st.column_config.ImageColumn("", width=70),
            "Case": st.column_config.NumberColumn(width=52, format="%d"),
            "Patient": st.column_config.TextColumn(width=112),
            "Date": st.column_config.TextColumn(width=90),
            "Images": st.column_config.NumberColumn(width=60),
            "Annotations": st.column_config.TextColumn(width=116),
            "Grade": st.column_config.TextColumn(width=152),
            "Label": st.column_config.TextColumn(width=76),
            "Model": st.column_config.TextColumn(width=124, help="Mean probability of HSIL, by the current model"),
            "Review": st.column_config.TextColumn(width=80),
            "": st.column_config.TextColumn(width=144),
        },
    )
    cells = shown["selection"]["cells"]
    if cells:
        _open(ids[int(cells[0][0])])


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
        "Model": _model(row),
        "Review": _REVIEWS[row.review],
        "": " ".join(marks),
    }


def _model(row: CaseRow) -> str:
    if row.prob_hsil_4ch is None:
        return "–"
    outcome = OUTCOME_WORDS[row.outcome]
    return f"{percent_texts(row.prob_hsil_4ch)[0]}{f' · {outcome}' if outcome else ''}"


def _gallery(page: CasePage, key: str) -> None:
    ids = [row.id for row in page.rows]
    case_gallery(
        key,
        [_item(row) for row in page.rows],
        selected() & set(ids),
        on_select=lambda: select(ids, st.session_state[key]["selected"]),
        on_open=lambda: None,
    )
    opened = st.session_state[key].get("opened")
    if opened is not None:
        _open(int(opened))


def _item(row: CaseRow) -> GalleryItem:
    annotations = states_text(row.n_unannotated, row.annotation_states)
    model = "no prediction" if row.prob_hsil_4ch is None else f"HSIL {percent_texts(row.prob_hsil_4ch)[0]} by the model"
    marks = [
        (LABELS[row.label], "red" if row.label is Label.HSIL else "teal"),
        *([(OUTCOME_WORDS[row.outcome], "red")] if row.outcome in _WRONG else []),
        *([("networks differ", "amber")] if row.networks_differ else []),
        *([("overruled", "amber")] if row.review is ReviewState.OVERRULED else []),
        *([("flagged", "amber")] if row.flagged else []),
        *([("SIMULATED", "grey")] if row.simulated else []),
    ]
    url = None if row.first_image_id is None else f"/colpo/images/{row.first_image_id}/thumbnail"
    lines = (f"case {row.id} · {date_text(row.case_date)}", grade_text(row.grade), model, annotations)
    return GalleryItem(row.id, url, row.patient_code, lines, tuple(marks if row.label is not None else marks[1:]))


def _pager(page: CasePage, trail: list[CasePlace | None]) -> None:
    first = PAGE * (len(trail) - 1) + 1
    more = "+" if page.next_after else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"Cases {first} to {first + len(page.rows) - 1}{more}. Click a row to open it, its box to select it.",
            width="content",
        )
        st.space("stretch")
        st.button(
            "Before",
            icon=":material/chevron_left:",
            disabled=len(trail) == 1,
            on_click=trail.__delitem__,
            args=(-1,),
            key="cases_newer",
            shortcut="P",
            help="The page before",
        )
        st.button(
            "Next",
            icon=":material/chevron_right:",
            disabled=page.next_after is None,
            on_click=trail.append,
            args=(page.next_after,),
            key="cases_older",
            shortcut="N",
            help="The next page",
        )
