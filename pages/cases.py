"""Cases: find them, bring images in, and open one with its images, findings, record, histology and label."""

import streamlit as st

from colpo_core.records.cases.cases import CaseRecord
from colpo_core.services.cases.case import get_case
from pages._ui.cases.chart import show_record
from pages._ui.cases.filters import last_words, leave_list
from pages._ui.cases.findings import show_findings
from pages._ui.cases.images import show_images
from pages._ui.cases.intake import show_intake
from pages._ui.cases.listing import show_list
from pages._ui.cases.messages import show_message
from pages._ui.cases.pdf_button import offer_page
from pages._ui.cases.specimens import show_label, show_specimens
from pages._ui.shared.badges import simulated_badge
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.links import asked_row
from pages._ui.shared.words import date_text

_TABS = (":material/list: All cases", ":material/add_photo_alternate: Import images")
_CASE_TABS = (":material/checklist: Findings", ":material/description: Record", ":material/biotech: Histology")

# The images stay in sight while the form beside them is scrolled.
_STAY_IN_SIGHT = """
<style>
@media (min-width: 641px) {
  [data-testid="stLayoutWrapper"]:has(> .st-key-case_images) { position: sticky; top: 3.25rem; }
}
</style>
"""


def render() -> None:
    """Draw the list with the import, or one case."""
    ctx = page_context()
    is_shown = False
    with showing_errors():
        case_id = asked_row("case", choose_from="list")
        if case_id is None:
            _show_all(ctx)
        else:
            leave_list()
            case = get_case(ctx.caller, case_id=case_id)
            # A link from this same page leaves the browser's address unchanged, and the next rerun would follow that.
            st.query_params.from_dict({"case": str(case.id)})
            _show_case(ctx, case)
        is_shown = True
    if not is_shown and "case" in st.query_params:
        _back()


def _show_all(ctx: PageContext) -> None:
    st.title("Cases")
    wanted = _TABS[1] if st.query_params.get("tab") == "import" else _TABS[0]
    listing, intake = st.tabs(_TABS, default=wanted, key="cases_tab", on_change="rerun")
    if listing.open:
        with listing:
            show_list(ctx)
    if intake.open:
        with intake, showing_errors():
            show_intake(ctx)


def _show_case(ctx: PageContext, case: CaseRecord) -> None:
    _head(ctx, case)
    show_message()
    st.html(_STAY_IN_SIGHT)
    images, side = st.columns([1.55, 1], gap="medium")
    with images, st.container(key="case_images"):
        show_images(case)
    with side:
        show_label(case)
        findings, record, histology = st.tabs(_CASE_TABS)
        with findings:
            show_findings(ctx, case.id)
        with record:
            show_record(case)
        with histology:
            show_specimens(case, can_place=True)


def _head(ctx: PageContext, case: CaseRecord) -> None:
    count = len(case.images)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"#### {case.patient_code} · {date_text(case.case_date)}", width="content")
        st.caption(f"case {case.id}, {count} image{'s' if count != 1 else ''}", width="content")
        if case.simulated:
            with st.container(width="content"):
                simulated_badge()
        st.space("stretch")
        offer_page(ctx, case.id)
        _back()


def _back() -> None:
    st.button("All cases", icon=":material/arrow_back:", on_click=lambda: st.query_params.from_dict(last_words()))
