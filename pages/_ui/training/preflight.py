"""The part of the page Train that looks ahead: what is missing, how long a training takes and what it needs."""

import streamlit as st

from colpo_core.records.training.estimates import ResourceEstimate
from colpo_core.records.training.preflight import Preflight
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.services.training.preflight import preflight, start_probe
from colpo_core.terms import JobState
from pages._ui.jobs.live import about_text
from pages._ui.jobs.stage_words import stage_text
from pages._ui.shared.context import page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import as_size

_LONGEST_STAGES = 3


def look_ahead(snapshot_id: int, settings: TrainingSettings) -> bool:
    """Draw what is known of a training before it begins, with a button that measures what is not.

    Args:
        snapshot_id: What it would learn from.
        settings: How.

    Returns:
        Whether it can begin.
    """
    report = preflight(page_context().caller, snapshot_id=snapshot_id, settings=settings)
    for sentence in report.problems:
        st.error(sentence, icon=":material/block:")
    for sentence in report.warnings:
        st.warning(sentence, icon=":material/warning:")
    is_measuring = report.probe is not None and not report.probe.state.is_over
    if report.outlook is not None:
        _draw_estimate(report, report.outlook)
    elif is_measuring:
        st.fragment(_follow, run_every=1.0)(snapshot_id, settings)
    if report.outlook is None and not is_measuring:
        st.button(
            "Look ahead",
            icon=":material/speed:",
            on_click=_start,
            args=(snapshot_id, settings),
            width="stretch",
            help="Makes a few steps of each network, in the background, and says how long the whole will take.",
        )
    return not report.problems


@showing_errors()
def _follow(snapshot_id: int, settings: TrainingSettings) -> None:
    probe = preflight(page_context().caller, snapshot_id=snapshot_id, settings=settings).probe
    if probe is None or probe.state.is_over:
        st.rerun()
    is_waiting = probe.state is JobState.QUEUED
    what = "it begins in a moment, or when a GPU is free" if is_waiting else "a few steps of each network"
    st.progress(probe.share, text=f"Looking ahead: {what}")


def _draw_estimate(report: Preflight, estimate: ResourceEstimate) -> None:
    device = "the GPU" if estimate.device == "cuda" else "the processor"
    memory = f"{as_size(estimate.memory_bytes)} of memory"
    if estimate.gpu_bytes is not None and estimate.gpu_total_bytes is not None:
        memory += f", {as_size(estimate.gpu_bytes)} of the GPU's {as_size(estimate.gpu_total_bytes)}"
    disk = f"{as_size(report.disk_needed_bytes)} of {as_size(report.disk_free_bytes)} on the disk"
    longest = sorted(estimate.stage_seconds.items(), key=lambda pair: -pair[1])[:_LONGEST_STAGES]
    stages = " · ".join(f"{stage_text(stage)}: {about_text(seconds)}" for stage, seconds in longest)
    st.info(
        f"**About {about_text(estimate.seconds)}** on {device} in {estimate.precision}, reading the "
        f"images and early stopping aside. Needs {memory} and {disk}.  \nLongest: {stages}",
        icon=":material/schedule:",
    )


@showing_errors()
def _start(snapshot_id: int, settings: TrainingSettings) -> None:
    start_probe(page_context().caller, snapshot_id=snapshot_id, settings=settings)
