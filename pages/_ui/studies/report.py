"""A closed study's report: to open, to keep, and to be reproduced by somebody else."""

import streamlit as st

from colpo_core.records.studies.designs import StudyRecord
from colpo_core.services.studies import report as study_report
from pages._ui.shared.context import PageContext


@st.fragment
def report_links(ctx: PageContext, study: StudyRecord) -> None:
    """Draw the links; the files are made when they are asked for."""
    by_number = st.toggle(
        "Number the readers in place of naming them", key=f"report_by_number_{study.id}",
        help="In the report and in every file of the archive, each reader by the same number in all of them.",
    )  # fmt: skip
    named, asked = ("-by-number", "?readers=by-number") if by_number else ("", "")
    with st.container(horizontal=True):
        st.link_button(
            "Open the report", f"/colpo/studies/{study.id}/report{asked}", icon=":material/article:", type="primary",
            help="Design, seal, flow of cases, tables, curves, agreement, amendments and exposures; prints to PDF.",
        )  # fmt: skip
        st.download_button(
            "Report (HTML)",
            lambda: study_report.report_html(ctx.caller, study_id=study.id, by_number=by_number),
            file_name=f"study-{study.id}-report{named}.html",
            mime="text/html",
            icon=":material/description:",
            on_click="ignore",
        )
        st.download_button(
            "All of it with readings and R script (ZIP)",
            lambda: study_report.report_archive(ctx.caller, study_id=study.id, by_number=by_number),
            file_name=f"study-{study.id}{named}.zip",
            mime="application/zip",
            icon=":material/folder_zip:",
            on_click="ignore",
            help="The locked readings as CSV, every figure, and a script that computes them anew (base R and pROC).",
        )
