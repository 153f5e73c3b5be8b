"""Drift of the model's inputs, and the state of jobs and back-ups."""

import pandas as pd
import streamlit as st

from colpo_core.records.overview.cohort import DriftAlarm
from colpo_core.services.overview import cohort
from colpo_core.terms import JobState
from pages._ui.maintenance import show_back_up
from pages._ui.shared.context import PageContext
from pages._ui.shared.links import link

_ALARMS = {
    DriftAlarm.STEADY: "steady",
    DriftAlarm.WATCH: "watch",
    DriftAlarm.ALARM: "ALARM",
    DriftAlarm.TOO_FEW: "too few to say",
}
_UNDER_WAY = (JobState.QUEUED, JobState.RUNNING)


def show_watch(ctx: PageContext) -> None:
    """Draw the drift of scores, the queue, and when the store was backed up."""
    _drift(ctx)
    _queue(ctx)
    st.markdown("### Back-up")
    show_back_up(ctx)


def _drift(ctx: PageContext) -> None:
    st.markdown("### Drift since the model was trained")
    figures = cohort.model_drift(ctx.caller)
    if not figures:
        st.info("No model is promoted yet.", icon=":material/deployed_code:")
        link("train", "Train one", icon=":material/model_training:")
        return
    moved = [figure.name for figure in figures if figure.alarm is DriftAlarm.ALARM]
    if moved:
        st.warning(
            f"{' and '.join(moved)}: moved far. Look at new cases before you trust the model on them: another device, "
            "other patients or other light may be behind it.",
            icon=":material/warning:",
        )
        link("cases", "The newest cases, nearest to the threshold first", icon=":material/folder_shared:",
             sort="uncertainty")  # fmt: skip
    rows = [
        {
            "Figure": figure.name,
            "Stability index": "–" if figure.index is None else f"{figure.index:.3f}",
            "Says": _ALARMS[figure.alarm],
            "Images it was judged on": figure.n_reference,
            "Images since": figure.n_current,
        }
        for figure in figures
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="dashboard_drift")
    st.caption(
        "Population stability index between the acetic-acid images of the test side of its snapshot and those that "
        "came in since: below 0.1 steady, to 0.25 to be watched, above that an alarm. Fewer than 50 say too little."
    )


def _queue(ctx: PageContext) -> None:
    st.markdown("### Jobs")
    state = cohort.queue_state(ctx.caller)
    for column, job_state in zip(st.columns(len(JobState)), JobState, strict=True):
        column.metric(job_state.value.capitalize(), state.jobs.get(job_state, 0), border=True)
    if state.n_silent:
        st.warning(
            f"{state.n_silent} of those that run fell silent, and are taken up again by themselves.",
            icon=":material/sync_problem:",
        )
    if any(state.jobs.get(job_state, 0) for job_state in _UNDER_WAY):
        link("train", "Watch them", icon=":material/model_training:")
