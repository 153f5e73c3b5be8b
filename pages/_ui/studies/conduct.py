"""The conduct of a study: its readers' exposures, amendments with their forms, and refusals."""

from collections.abc import Callable
from operator import attrgetter

import pandas as pd
import streamlit as st

from colpo_core.records.studies.conduct import StudyConduct
from colpo_core.records.studies.designs import Option, StudyDetail
from colpo_core.services.studies import amendments as study_amendments
from colpo_core.services.studies import conduct as study_conduct
from colpo_core.services.studies import designing
from colpo_core.terms import ExposureRule, StudyState
from pages._ui.shared.context import PageContext
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import as_when
from pages._ui.shared.markdown import plain

_NAME = attrgetter("name")
_RULES = {
    ExposureRule.EXCLUDE: "Whoever was exposed to a case is not given it.",
    ExposureRule.FLAG: "Whoever was exposed to a case is given it all the same; the reading is flagged.",
}


def show_warnings(ctx: PageContext, study_id: int) -> StudyConduct:
    """Draw the warnings that come before the results; returns the conduct that they come from."""
    conduct = study_conduct.study_conduct(ctx.caller, study_id=study_id)
    for sentence in conduct.warnings:
        st.warning(plain(sentence), icon=":material/warning:")
    return conduct


def conduct_view(ctx: PageContext, detail: StudyDetail, shown: StudyConduct | None = None) -> None:
    """Draw exposures, amendments and refusals; while the study is open, with the forms of amendments.

    Args:
        ctx: The page's context.
        detail: The study.
        shown: Its conduct, where `show_warnings` has drawn the warnings already.
    """
    study = detail.study
    conduct = shown or show_warnings(ctx, study.id)
    _exposures(conduct)
    if study.state is StudyState.DRAFT:
        return
    _amendments(conduct)
    if study.state is StudyState.OPEN:
        with st.popover("Amend the study", icon=":material/edit_note:"):
            _amendment_form(ctx, detail)
    _refusals(conduct)
    st.download_button(
        "Download the study's record (JSON)",
        lambda: study_conduct.export_record(ctx.caller, study_id=study.id),
        file_name=f"study-{study.id}-record.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
    )


def _exposures(conduct: StudyConduct) -> None:
    st.subheader("Exposures")
    st.caption(
        "Who has seen the label, histology, prediction or somebody's mask of these cases elsewhere, has annotated them "
        f"or was shown them in another study. {_RULES[conduct.rule]}"
    )
    rows = pd.DataFrame(
        {
            "Reader": [exposure.display_name for exposure in conduct.exposures],
            "Exposed to": [f"{exposure.n_exposed} of {exposure.n_cases} cases" for exposure in conduct.exposures],
            "How": [exposure.text for exposure in conduct.exposures],
            "Not given": [exposure.n_withheld for exposure in conduct.exposures],
            "Read and flagged": [exposure.n_flagged for exposure in conduct.exposures],
        }
    )
    st.dataframe(rows, hide_index=True, width="stretch", key="study_exposures")


def _amendments(conduct: StudyConduct) -> None:
    st.subheader("Amendments")
    if not conduct.amendments:
        st.caption("None since the seal.")
    for amendment in conduct.amendments:
        st.markdown(
            f"{as_when(amendment.at)} UTC, {plain(amendment.by)}: {plain(amendment.text)}. "
            f"Reason: {plain(amendment.reason)}"
        )


def _refusals(conduct: StudyConduct) -> None:
    st.subheader("Refused to readers")
    if not conduct.refusals:
        st.caption("No reader has asked for what is not theirs to see.")
        return
    rows = pd.DataFrame(
        {
            "Reader": [refusal.display_name for refusal in conduct.refusals],
            "Asked for": [refusal.what for refusal in conduct.refusals],
            "Times": [refusal.times for refusal in conduct.refusals],
            "Last (UTC)": [as_when(refusal.last_at) for refusal in conduct.refusals],
        }
    )
    st.dataframe(rows, hide_index=True, width="stretch", key="study_refusals")


def _amendment_form(ctx: PageContext, detail: StudyDetail) -> None:
    study_id = detail.study.id
    st.caption("Cases, labels, checkpoints, seed and plan never change. An amendment is printed with the results.")
    reason = st.text_input("Reason", key="amend_reason", max_chars=study_amendments.MAX_REASON)
    reading = {reader.reader_id for reader in detail.readers}
    options = designing.study_options(ctx.caller).readers
    fresh = [option for option in options if option.id not in reading]
    added = st.selectbox("Add a reader", fresh, index=None, format_func=_NAME, key="amend_add", placeholder="nobody")
    if added is not None and st.button("Add", key="amend_add_now"):
        _do(lambda: study_amendments.add_reader(ctx.caller, study_id=study_id, reader_id=added.id, reason=reason))
    left = [Option(reader.reader_id, reader.display_name) for reader in detail.readers if not reader.removed]
    gone = st.selectbox(
        "Take a reader off", left, index=None, format_func=_NAME, key="amend_remove", placeholder="nobody"
    )
    if gone is not None and st.button("Take off", key="amend_remove_now"):
        _do(lambda: study_amendments.remove_reader(ctx.caller, study_id=study_id, reader_id=gone.id, reason=reason))
    question = st.text_input("Wording of the question", detail.study.question, key="amend_question")
    if not question.strip():
        st.caption("The wording can be corrected; the question cannot be taken away.")
    elif question.strip() != detail.study.question and st.button("Correct the wording", key="amend_question_now"):
        _do(lambda: study_amendments.correct_question(ctx.caller, study_id=study_id, question=question, reason=reason))


@showing_errors()
def _do(action: Callable[[], object]) -> None:
    action()
    st.rerun()
