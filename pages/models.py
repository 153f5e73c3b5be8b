"""The registry of checkpoints: choose one, read its figures in a clinician's order, promote it, roll back."""

from collections.abc import Callable

import streamlit as st

from colpo_core.records.models.cards import leaks
from colpo_core.records.models.checkpoints import CheckpointRecord
from colpo_core.services.models import registry as models_registry
from pages._ui.jobs.live import prediction_progress
from pages._ui.models.about import show_about
from pages._ui.models.calls import show_calls
from pages._ui.models.comparing import show_comparison
from pages._ui.models.evidence import show_evidence
from pages._ui.models.external import show_external
from pages._ui.models.incumbent import show_against
from pages._ui.models.listing import choose_model
from pages._ui.models.marks import badges
from pages._ui.models.mask_help import show_mask_help
from pages._ui.models.masks import show_masks
from pages._ui.models.promotion import show_history, show_promotion
from pages._ui.models.repeatability import show_repeatability
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.links import link
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import show_message

_SECTIONS: dict[str, Callable[[PageContext, CheckpointRecord], None]] = {
    "Calls": lambda _ctx, checkpoint: show_calls(checkpoint),
    "Masks": show_masks,
    "Evidence": lambda _ctx, checkpoint: show_evidence(checkpoint),
    "Did the mask help?": lambda _ctx, checkpoint: show_mask_help(checkpoint),
    "Repeatability": lambda ctx, checkpoint: show_repeatability(
        # Only this part names cases, so that only those who open it have seen a network's output for them.
        models_registry.get_checkpoint(ctx.caller, checkpoint_id=checkpoint.id)
    ),
    "Against the current model": lambda _ctx, checkpoint: show_against(checkpoint),
    "Compare": show_comparison,
    "External test sets": show_external,
}


def render() -> None:
    """Draw the page."""
    ctx = page_context()
    st.title("Models")
    show_message("models_told")
    with showing_errors():
        listed = models_registry.list_checkpoints(ctx.caller)
        if not listed:
            st.info("No model has been trained yet.", icon=":material/deployed_code:")
            link("train", "Freeze a snapshot and train one", icon=":material/model_training:")
            return
        prediction_progress()
        chosen = choose_model(listed)
        st.divider()
        _head(chosen)
        _section(ctx, chosen)
        st.divider()
        promotion, about = st.columns(2, gap="large")
        with promotion:
            show_promotion(ctx, chosen)
            show_history(ctx)
        with about:
            show_about(ctx, chosen)


def _head(checkpoint: CheckpointRecord) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(checkpoint.name), width="content")
        if checkpoint.is_current:
            st.badge("CURRENT MODEL", icon=":material/star:", color="green")
        badges(checkpoint)
    for sentence in leaks(checkpoint.card):
        st.error(sentence, icon=":material/water_drop:")


def _section(ctx: PageContext, checkpoint: CheckpointRecord) -> None:
    section = st.segmented_control(
        "Figures", list(_SECTIONS), default="Calls", required=True, key="models_section", label_visibility="collapsed"
    )
    with showing_errors():
        _SECTIONS[section or "Calls"](ctx, checkpoint)
