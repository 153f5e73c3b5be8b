"""External test sets: look at how the model does on patients whom no training has touched. Each look is counted."""

import streamlit as st

from colpo_core.exchange.card_tables.calls import calls_table, in_the_large_table
from colpo_core.exchange.card_tables.masks import blind_table, segmentation_table, without_lesion_table
from colpo_core.records.models.cards import Block, calls, n_of
from colpo_core.records.models.checkpoints import CheckpointRecord
from colpo_core.records.models.marks import model_marks
from colpo_core.records.snapshots.snapshots import SnapshotRecord, label_source_text
from colpo_core.services.jobs import control as jobs
from colpo_core.services.models import evaluations
from colpo_core.services.snapshots import external_sets as snapshots_external_sets
from colpo_core.terms import LabelSource
from pages._ui.models.marks import show_table
from pages._ui.shared.badges import model_badges
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import as_when
from pages._ui.shared.links import link
from pages._ui.shared.markdown import plain

_JOB = "models_evaluation"


def show_external(ctx: PageContext, checkpoint: CheckpointRecord) -> None:
    """Draw the button and what was seen so far.

    Args:
        ctx: The page's context.
        checkpoint: The checkpoint.
    """
    st.markdown("**External test sets**")
    sets = snapshots_external_sets.external_sets(ctx.caller)
    _start(ctx, checkpoint, sets)
    _progress(ctx)
    looks = evaluations.list_evaluations(ctx.caller, checkpoint_id=checkpoint.id)
    if not looks:
        st.caption("No look was taken with this model yet.")
    for number, look in enumerate(looks):
        title = f"{plain(look.snapshot_name)} · look {look.look}"
        with st.expander(title, expanded=number == 0, icon=":material/visibility:"):
            st.caption(f"{as_when(look.created_at)} UTC, {plain(look.created_by)}")
            _figures(checkpoint, look.metrics, is_simulated=look.simulated)


def _start(ctx: PageContext, checkpoint: CheckpointRecord, listed: tuple[SnapshotRecord, ...]) -> None:
    sets = {snapshot.id: snapshot for snapshot in listed}
    if not sets:
        st.info("No patients are kept as an external test set yet.", icon=":material/lock:")
        link("train", "Keep some when you freeze", icon=":material/ac_unit:")
        return
    chosen = st.selectbox(
        "External test set", list(sets), key="external_set",
        format_func=lambda key: f"{sets[key].name} · {sets[key].count('patients')} patients",
    )  # fmt: skip
    with showing_errors():
        seen = snapshots_external_sets.seen_by(ctx.caller, checkpoint_id=checkpoint.id, snapshot_id=chosen)
        for sentence in seen:
            st.warning(sentence, icon=":material/visibility:")
        st.button(
            "Look at this set",
            icon=":material/play_arrow:",
            on_click=_start_now,
            args=(checkpoint.id, chosen),
            key="start_evaluation",
        )
    st.caption(
        "Each look is counted and stays in the record: a set that has been looked at often, while models were chosen, "
        "is no longer a fresh test."
    )


@showing_errors()
def _start_now(checkpoint_id: int, snapshot_id: int) -> None:
    job = evaluations.start_evaluation(page_context().caller, checkpoint_id=checkpoint_id, snapshot_id=snapshot_id)
    st.session_state[_JOB] = job.id


def _progress(ctx: PageContext) -> None:
    """How the look that was asked for here goes, until it is over."""
    job_id = st.session_state.get(_JOB)
    if job_id is None:
        return
    job = jobs.get_job(ctx.caller, job_id=job_id)
    if not job.state.is_over:
        st.fragment(_draw_progress, run_every=1.0)(job_id)
        return
    del st.session_state[_JOB]
    if job.error:
        st.error(f"The look could not be taken: {job.error}", icon=":material/error:")


@showing_errors()
def _draw_progress(job_id: int) -> None:
    job = jobs.get_job(page_context().caller, job_id=job_id)
    if job.state.is_over:
        st.rerun()
    st.progress(job.share, text="The model is looking at the set")


def _figures(checkpoint: CheckpointRecord, metrics: Block, *, is_simulated: bool) -> None:
    block = calls(metrics, "4ch", "case")
    source = LabelSource(block.get("label_source", checkpoint.label_source))
    calibration = in_the_large_table(metrics, "case")
    for title, table in (
        ("Calls, by case", calls_table(metrics, "case")),
        *([("Calibration, by case", calibration)] if calibration is not None else []),
        ("Segmentation", segmentation_table(metrics["segmentation"])),
        ("Beside masks that look at no image", blind_table(metrics["segmentation"])),
        ("Images without a lesion", without_lesion_table(metrics["segmentation"])),
    ):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{title}**", width="content")
            model_badges(
                model_marks(checkpoint.card, label_source=source, simulated=checkpoint.simulated or is_simulated)
            )
        show_table(table)
    st.caption(
        f"{n_of(block, level='case')} · {label_source_text(source)} · at the frozen thresholds · shares: 95% by "
        f"{block['interval']}"
    )
