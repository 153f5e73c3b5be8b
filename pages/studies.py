"""Reading studies: design one, seal and open it, watch how far it is, close it and see what it found."""

from functools import partial
from typing import Literal

import streamlit as st

from colpo_core.records.studies.designs import CheckpointProgress, ReaderProgress, StudyDetail, StudyRecord
from colpo_core.records.studies.results import ReadingTable
from colpo_core.services.studies import designing
from colpo_core.services.studies import results as study_results
from colpo_core.services.studies import rows as study_records
from colpo_core.services.studies.exports import export_readings
from colpo_core.services.studies.missing_predictions import predict_missing
from colpo_core.terms import StudyState
from pages._ui.shared.badges import simulated_badge
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import as_when, share
from pages._ui.shared.links import go, row_or_none
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import keep_message, show_message
from pages._ui.studies.conduct import conduct_view, show_warnings
from pages._ui.studies.form import study_form
from pages._ui.studies.plan_form import plan_words
from pages._ui.studies.report import report_links
from pages._ui.studies.results import results_view
from pages._ui.studies.statistics import PREVALENCE, statistics_view

_TOLD = "studies_told"
_STATES: dict[StudyState, tuple[str, Literal["gray", "blue", "green"], str]] = {
    StudyState.DRAFT: ("draft", "gray", ":material/edit:"),
    StudyState.OPEN: ("open for reading", "blue", ":material/visibility:"),
    StudyState.CLOSED: ("closed", "green", ":material/lock:"),
}
_DOWNLOADS = {
    ReadingTable.CALLS: "Download every call (CSV)",
    ReadingTable.RATINGS: "Download the readers' ratings (CSV, for the command analyse)",
}


def render() -> None:
    """Draw the page."""
    ctx = page_context()
    study_id = row_or_none("study", digits=9)
    with showing_errors():
        if study_id is not None:
            _detail(ctx, study_id)
        elif st.query_params.get("new"):
            _back()
            st.title("New study", anchor=False)
            study_form(ctx)
        else:
            _list(ctx)


def _list(ctx: PageContext) -> None:
    title, action = st.columns([4, 1], vertical_alignment="bottom")
    title.title("Reading studies", anchor=False)
    if action.button("New study", type="primary", icon=":material/add:", width="stretch"):
        go("studies", new=1)
    show_message(_TOLD)
    listed = study_records.list_studies(ctx.caller)
    if not listed:
        st.info(
            "No study yet. Make one to let readers call cases without knowing what they are, "
            "and compare them with a checkpoint."
        )
        return
    for study in listed:
        _card(study)


def _card(study: StudyRecord) -> None:
    with st.container(border=True):
        name, state, cases, progress, action = st.columns([4, 2.2, 2, 3, 1.5], vertical_alignment="center")
        name.markdown(f"**{plain(study.name)}**")
        if study.question:
            name.caption(plain(study.question))
        with state:
            _state_badge(study)
        cases.markdown(f"{study.n_cases} cases")
        if study.state is StudyState.DRAFT:
            progress.caption("not opened yet")
        else:
            progress.progress(
                share(study.n_answered, study.n_expected), text=f"{study.n_answered} of {study.n_expected} read"
            )
        if action.button("Show", key=f"show_{study.id}", width="stretch"):
            go("studies", study=study.id)


def _state_badge(study: StudyRecord) -> None:
    word, colour, icon = _STATES[study.state]
    st.badge(word, color=colour, icon=icon)


def _detail(ctx: PageContext, study_id: int) -> None:
    detail = study_records.get_study(ctx.caller, study_id=study_id)
    study = detail.study
    _back()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(plain(study.name), width="content", anchor=False)
        _state_badge(study)
        if study.n_simulated:
            simulated_badge()
    if study.question:
        st.markdown(plain(study.question))
    show_message(_TOLD)
    if study.state is StudyState.CLOSED:
        _closed(ctx, detail)
        return
    _counts(study)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _readers(detail.readers, is_open=study.state is StudyState.OPEN)
        _checkpoints(ctx, study, detail.checkpoints)
    with right:
        if study.state is StudyState.DRAFT:
            _draft_actions(ctx, detail)
        else:
            _open_actions(ctx, study, interim=bool(detail.plan.interim_results))
        _design(detail)
    conduct_view(ctx, detail)
    if study.state is StudyState.OPEN and detail.plan.interim_results:
        _interim(ctx, study)


def _counts(study: StudyRecord) -> None:
    cases, normal, hsil, read = st.columns(4)
    cases.metric("Cases", study.n_cases, border=True)
    normal.metric("Normal", study.n_normal, border=True)
    hsil.metric("HSIL", study.n_hsil, border=True)
    read.metric("Readings", f"{study.n_answered} of {study.n_expected}", border=True)


def _readers(readers: tuple[ReaderProgress, ...], *, is_open: bool) -> None:
    st.subheader("Readers")
    for reader in readers:
        name = (
            plain(reader.display_name)
            + ("" if reader.active else " (deactivated)")
            + (" (taken off)" if reader.removed else "")
        )
        if is_open:
            st.progress(share(reader.answered, reader.total), text=f"{name}: {reader.answered} of {reader.total}")
        else:
            st.markdown(f":material/visibility: {name}")


def _checkpoints(ctx: PageContext, study: StudyRecord, checkpoints: tuple[CheckpointProgress, ...]) -> None:
    if not checkpoints:
        return
    st.subheader("Checkpoints")
    for checkpoint in checkpoints:
        st.markdown(f"**{plain(checkpoint.name)}**: {checkpoint.predicted} of {checkpoint.total} cases predicted")
        if checkpoint.seen_in_training:
            st.caption(f":material/warning: seen in training: {checkpoint.seen_in_training} of {checkpoint.total}")
        if study.state is not StudyState.DRAFT and checkpoint.predicted < checkpoint.total:
            _predict_button(ctx, study, checkpoint)


def _predict_button(ctx: PageContext, study: StudyRecord, checkpoint: CheckpointProgress) -> None:
    missing = checkpoint.total - checkpoint.predicted
    if st.button(
        f"Predict the missing {missing}", key=f"predict_{checkpoint.checkpoint_id}", icon=":material/neurology:"
    ):
        with showing_errors():
            job = predict_missing(ctx.caller, study_id=study.id, checkpoint_id=checkpoint.checkpoint_id)
            keep_message(
                _TOLD,
                "A job predicts them already; look again in a while." if job is None
                else f"Job {job.id} predicts {missing} cases in the background. Look again in a while."
            )  # fmt: skip
            st.rerun()


def _draft_actions(ctx: PageContext, detail: StudyDetail) -> None:
    with st.container(border=True):
        st.markdown("**Seal and open**")
        st.caption(
            "Opening fixes the cases, their images and reference standard, the readers, the checkpoints and the orders "
            "of reading, and takes their hash. After that nothing of it can change, and the readers may begin."
        )
        for problem in detail.problems:
            st.warning(problem, icon=":material/warning:")
        for checkpoint in detail.checkpoints:
            if checkpoint.checkpoint_id == detail.plan.aid_checkpoint_id and checkpoint.predicted < checkpoint.total:
                st.warning(
                    f"{plain(checkpoint.name)}, which aids the readers, has predicted {checkpoint.predicted} of "
                    f"{checkpoint.total} cases.",
                    icon=":material/warning:",
                )
                _predict_button(ctx, detail.study, checkpoint)
        with st.popover(
            "Open for reading",
            icon=":material/lock_open:",
            width="stretch",
            type="primary",
            disabled=bool(detail.problems),
        ):
            _ask_to_open(ctx, detail)
        if st.button("Discard draft", type="tertiary", icon=":material/delete:", width="stretch"):
            with showing_errors():
                designing.discard_study(ctx.caller, study_id=detail.study.id)
                keep_message(_TOLD, f"The draft {plain(detail.study.name)} is gone.")
                go("studies")


def _ask_to_open(ctx: PageContext, detail: StudyDetail) -> None:
    study = detail.study
    st.markdown(
        f"**{study.n_cases} cases ({study.n_hsil} HSIL), {study.n_readers} "
        f"reader{'' if study.n_readers == 1 else 's'}.** After this neither cases, labels, checkpoints nor plan can be "
        "changed, and the draft cannot be taken back."
    )
    for sentence in detail.plan.cautions:
        st.warning(sentence, icon=":material/warning:")
    if not study.question:
        st.warning("No question is written down, and the report will say so.", icon=":material/warning:")
    if st.button("Seal and open", type="primary", icon=":material/lock:", width="stretch", key="seal_and_open"):
        with showing_errors():
            opened = designing.open_study(ctx.caller, study_id=study.id)
            keep_message(_TOLD, f"{plain(opened.name)} is sealed and open. Its readers find it on their page.")
            st.rerun()


def _open_actions(ctx: PageContext, study: StudyRecord, *, interim: bool) -> None:
    missing = study.n_expected - study.n_answered
    with st.container(border=True):
        if interim:
            st.markdown("**The design lets results be seen before the study is closed**")
            st.caption("Each look is recorded, counted, and printed with the results.")
        else:
            st.markdown("**Results are hidden until the study is closed**")
            st.caption(
                "Nobody, you included, sees a call or a figure before that, so that nobody reads with them in mind."
            )
        with st.popover("Close study", icon=":material/lock:", width="stretch"):
            if missing:
                st.warning(
                    f"{missing} of {study.n_expected} readings are still missing. Whoever has not read everything "
                    "stays in the table with what was read.",
                    icon=":material/warning:",
                )
            st.markdown("Closing ends the reading for good and shows the results.")
            reason = ""
            if missing:
                reason = st.text_input("Reason for closing early", key="close_reason")
                st.caption("It is recorded as an amendment and printed with the results.")
            if st.button("Close now", type="primary", width="stretch"):
                with showing_errors():
                    designing.close_study(ctx.caller, study_id=study.id, reason=reason)
                    st.rerun()


def _interim(ctx: PageContext, study: StudyRecord) -> None:
    st.subheader("Interim results")
    if st.toggle("Look now (this is recorded)", key=f"interim_{study.id}"):
        st.warning("Interim: the study is still open.", icon=":material/warning:")
        results_view(study_results.study_results(ctx.caller, study_id=study.id))


def _design(detail: StudyDetail) -> None:
    study = detail.study
    with st.expander("Design", icon=":material/description:"):
        st.markdown(f"Cases: {plain(detail.chosen_by)}")
        for reason, count in detail.left_out:
            st.caption(f"Left out: {count} ({reason})")
        plan_words(detail.plan, study.n_practice)
        st.caption(f"Made {as_when(study.created_at)} UTC")
        if study.opened_at:
            st.caption(f"Sealed and opened {as_when(study.opened_at)} UTC")
        if study.closed_at:
            st.caption(f"Closed {as_when(study.closed_at)} UTC")
        if study.seal_sha256:
            st.caption("Seal (SHA-256 of the design)")
            st.code(study.seal_sha256, language=None, wrap_lines=True)


def _closed(ctx: PageContext, detail: StudyDetail) -> None:
    study = detail.study
    with st.spinner("Judging the readings…"):
        findings = study_results.study_findings(
            ctx.caller, study_id=study.id, prevalence=st.session_state.get(PREVALENCE)
        )
    report_links(ctx, study)
    conduct = show_warnings(ctx, study.id)
    results_view(findings.results)
    statistics_view(findings.analysis)
    conduct_view(ctx, detail, conduct)
    for checkpoint in detail.checkpoints:
        if checkpoint.predicted < checkpoint.total:
            st.warning(
                f"{plain(checkpoint.name)}: {checkpoint.predicted} of {checkpoint.total} cases predicted",
                icon=":material/warning:",
            )
            _predict_button(ctx, study, checkpoint)
    for table, label in _DOWNLOADS.items():
        st.download_button(
            label,
            partial(export_readings, ctx.caller, study_id=study.id, table=table),
            file_name=f"study-{study.id}-{table}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    _design(detail)


def _back() -> None:
    if st.button("All studies", type="tertiary", icon=":material/arrow_back:"):
        go("studies")
