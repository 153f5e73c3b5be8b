"""The button that gives a case as one page of PDF."""

import streamlit as st

from colpo_core.services.exports import case_pdf
from pages._ui.shared.context import PageContext


def offer_page(ctx: PageContext, case_id: int) -> None:
    """Draw the button; the page is made when it is pressed."""
    st.download_button(
        "PDF",
        lambda: case_pdf.case_report_pdf(ctx.caller, case_id=case_id),
        file_name=f"case-{case_id}.pdf",
        mime="application/pdf",
        icon=":material/picture_as_pdf:",
        on_click="ignore",
        key=f"case_pdf_{case_id}",
        help="The case on one page, for the record: images, histology, what the model says, verdicts.",
    )
