"""Train: freeze a snapshot, start a training, watch it."""

import pandas as pd
import streamlit as st

from colpo_core.records.jobs.jobs import JobRecord
from colpo_core.records.snapshots.snapshots import SnapshotRecord, label_source_text, mask_policy_text
from colpo_core.records.training.settings import PRESETS, TrainingSettings
from colpo_core.services.jobs import control as jobs
from colpo_core.services.snapshots import freezing as snapshots_freezing
from colpo_core.services.training import starting
from colpo_core.terms import JobKind, LabelSource
from pages._ui.jobs.live import duration, live_job
from pages._ui.shared.badges import impression_badge, simulated_badge
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import as_when
from pages._ui.shared.links import link, row_or_none
from pages._ui.shared.markdown import plain
from pages._ui.shared.tables import pick_row
from pages._ui.training.by_itself import train_by_itself
from pages._ui.training.freezing import counts_table, freeze_column, left_out_table
from pages._ui.training.preflight import look_ahead
from pages._ui.training.settings_form import settings_form

_PRESET_HELP = {
    "quick": "Small images and a narrow segmenter: minutes on two processors. To try things out.",
    "standard": "The segmenter at full width: hours on processors.",
    "paper": "The sizes of Kim et al. 2022 with pretrained weights: for a machine with a GPU.",
}


def render() -> None:
    """Draw the page."""
    ctx = page_context()
    st.title("Train")
    with showing_errors():
        trainings = jobs.list_jobs(ctx.caller, kind=JobKind.TRAIN)
        shown = _shown_job(trainings)
        if shown is not None:
            live_job(shown)
        snapshots = snapshots_freezing.list_snapshots(ctx.caller)
        freeze, train = st.columns(2, gap="large")
        with freeze:
            freeze_column(ctx, snapshots)
        with train:
            _start(ctx, snapshots)
        if snapshots:
            _list_snapshots(snapshots)
        if trainings:
            _list_trainings(trainings, snapshots)


def _shown_job(trainings: tuple[JobRecord, ...]) -> int | None:
    """The job of the address, else the one that is under way."""
    wanted = row_or_none("job")
    if any(job.id == wanted for job in trainings):
        return wanted
    return next((job.id for job in reversed(trainings) if not job.state.is_over), None)


def _start(ctx: PageContext, snapshots: tuple[SnapshotRecord, ...]) -> None:
    st.subheader("2 · Train")
    by_id = {snapshot.id: snapshot for snapshot in snapshots if not snapshot.external}
    if not by_id:
        st.info("Freeze a snapshot first: it is what a model learns from.", icon=":material/ac_unit:")
        return
    snapshot = by_id[
        st.selectbox("Snapshot", list(by_id), format_func=lambda key: _snapshot_line(by_id[key]), key="train_snapshot")
    ]
    with st.container(horizontal=True):
        if snapshot.simulated:
            simulated_badge()
        if snapshot.label_source is LabelSource.IMPRESSION:
            impression_badge()
    preset = st.segmented_control(
        "Preset", list(PRESETS), default="quick", format_func=str.capitalize, required=True, key="preset"
    )
    chosen = PRESETS[preset or "quick"]
    st.caption(_PRESET_HELP[chosen.preset])
    with showing_errors():
        settings = settings_form(chosen)
        may_start = look_ahead(snapshot.id, settings)
        st.button(
            "Start training",
            icon=":material/play_arrow:",
            type="primary",
            on_click=_start_now,
            args=(snapshot.id, settings),
            disabled=not may_start,
            width="stretch",
        )
        st.caption("It runs in the background: you may close this page or the browser.")
        train_by_itself(snapshot.id, settings)


def _snapshot_line(snapshot: SnapshotRecord) -> str:
    masks = mask_policy_text(snapshot.mask_policy, snapshot.mask_annotator)
    return f"{snapshot.name} · {snapshot.count('images')} images · {label_source_text(snapshot.label_source)} · {masks}"


@showing_errors()
def _start_now(snapshot_id: int, settings: TrainingSettings) -> None:
    job = starting.start_training(page_context().caller, snapshot_id=snapshot_id, settings=settings)
    st.query_params["job"] = str(job.id)


def _list_snapshots(snapshots: tuple[SnapshotRecord, ...]) -> None:
    with st.expander(f"Snapshots ({len(snapshots)})", icon=":material/ac_unit:"):
        rows = pd.DataFrame(
            {
                "Name": [snapshot.name for snapshot in snapshots],
                "Frozen (UTC)": [as_when(snapshot.created_at) for snapshot in snapshots],
                "By": [snapshot.created_by for snapshot in snapshots],
                "Kept as": ["external test set" if snapshot.external else "" for snapshot in snapshots],
                "Labels": [label_source_text(snapshot.label_source) for snapshot in snapshots],
                "Patients": [snapshot.count("patients") for snapshot in snapshots],
                "Images": [snapshot.count("images") for snapshot in snapshots],
                "Masks": [snapshot.count("masks") for snapshot in snapshots],
                "Which masks": [
                    mask_policy_text(snapshot.mask_policy, snapshot.mask_annotator) for snapshot in snapshots
                ],
                "Simulated": [snapshot.simulated for snapshot in snapshots],
                "Left out": [sum(snapshot.counts["left_out"].values()) for snapshot in snapshots],
                "Hash": [snapshot.sha256[:12] for snapshot in snapshots],
            }
        )
        picked = pick_row(rows, key="snapshot_rows")
        if picked is not None:
            snapshot = snapshots[picked]
            st.markdown(f"**{snapshot.name}** · labelled by rules {snapshot.rules_version} · seed {snapshot.seed}")
            st.caption(f"Masks: {plain(snapshot.masks_text)}")
            st.dataframe(counts_table(snapshot.counts), hide_index=True, width="stretch")
            if snapshot.counts["left_out"]:
                left_out_table(snapshot.counts["left_out"])


def _list_trainings(trainings: tuple[JobRecord, ...], snapshots: tuple[SnapshotRecord, ...]) -> None:
    names = {snapshot.id: snapshot.name for snapshot in snapshots}
    settings_of = [job.training_settings for job in trainings]
    with st.expander(f"Trainings ({len(trainings)})", icon=":material/history:"):
        rows = pd.DataFrame(
            {
                "No.": [job.id for job in trainings],
                "State": [job.state.value for job in trainings],
                "Snapshot": [names.get(job.snapshot_id or 0, "") for job in trainings],
                "Preset": [settings.preset if settings else "" for settings in settings_of],
                "Segmenter": [settings.segmenter if settings else "" for settings in settings_of],
                "Classifier": [settings.classifier if settings else "" for settings in settings_of],
                "Duration": [duration(job) for job in trainings],
                "By": [job.created_by for job in trainings],
                "Why it failed": [job.error or "" for job in trainings],
            }
        )
        st.caption("Choose a training to see its curves.")
        picked = pick_row(rows, key="training_rows")
        if picked is not None:
            job_id = trainings[picked].id
            link("train", f"Show training {job_id}", icon=":material/show_chart:", job=job_id)
