"""A short notice, on any page, that a job has ended."""

import streamlit as st

from colpo_core.records.jobs.jobs import JobRecord
from colpo_core.services.jobs import control as jobs
from colpo_core.terms import JobKind, JobState
from pages._ui.shared.context import PageContext

_UNDER_WAY = "jobs_under_way"
_KINDS = {
    JobKind.TRAIN: "Training",
    JobKind.PREDICT: "Prediction",
    JobKind.EVALUATE: "Evaluation",
    JobKind.EXPLAIN: "Explanation",
    JobKind.PROBE: "Look ahead",
}
_ENDS = {
    JobState.DONE: ("is done", ":material/check_circle:"),
    JobState.FAILED: ("has failed", ":material/error:"),
    JobState.CANCELLED: ("was cancelled", ":material/stop_circle:"),
}


def tell_of_jobs(ctx: PageContext) -> None:
    """Say of each job that was under way when a page was last drawn, and is over now, how it ended."""
    watched: frozenset[int] = st.session_state.get(_UNDER_WAY, frozenset())
    now = jobs.jobs_under_way(ctx.caller)
    st.session_state[_UNDER_WAY] = now
    for job_id in sorted(watched - now):
        _tell(jobs.get_job(ctx.caller, job_id=job_id))


def _tell(job: JobRecord) -> None:
    word, icon = _ENDS[job.state]
    st.toast(f"{_KINDS[job.kind]} {job.id} {word}.", icon=icon, duration="long")
