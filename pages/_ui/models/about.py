"""What the model learned from, what not to conclude from it, its settings, and its card as a file."""

import json

import streamlit as st

from colpo_core.exchange.card_tables.training import settings_table, trained_on_table
from colpo_core.records.models.checkpoints import CheckpointRecord
from colpo_core.records.snapshots.snapshots import mask_policy_text
from colpo_core.services.models import cards as models_cards
from colpo_core.terms import MaskPolicy
from pages._ui.models.marks import as_frame, labels_from
from pages._ui.shared.context import PageContext
from pages._ui.shared.markdown import plain


def show_about(ctx: PageContext, checkpoint: CheckpointRecord) -> None:
    """Draw all of it.

    Args:
        ctx: The page's context.
        checkpoint: The checkpoint.
    """
    st.markdown("**Limits**")
    st.markdown("\n".join(f"- {sentence}" for sentence in checkpoint.card["limits"]))
    st.markdown(f"**Trained on “{plain(checkpoint.snapshot_name)}”**")
    st.dataframe(as_frame(trained_on_table(checkpoint.card)), hide_index=True, width="stretch")
    masks = mask_policy_text(MaskPolicy(checkpoint.card.get("mask_policy", MaskPolicy.NEWEST)))
    st.caption(f"{labels_from(checkpoint)}, by rules {checkpoint.card['rules_version']}. Masks: {masks}.")
    with st.expander("Settings and hashes", icon=":material/tune:"):
        st.dataframe(as_frame(settings_table(checkpoint.card)), hide_index=True, width="stretch")
        st.caption(f"Checkpoint {checkpoint.sha256}  \nSnapshot {checkpoint.card['snapshot_sha256']}")
    _downloads(ctx, checkpoint)


def _downloads(ctx: PageContext, checkpoint: CheckpointRecord) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Model card (HTML)",
            lambda: models_cards.model_card(ctx.caller, checkpoint_id=checkpoint.id),
            file_name=f"{checkpoint.name}.html",
            mime="text/html",
            icon=":material/description:",
            on_click="ignore",
            help="One file with all tables and drawings, to print or to send.",
        )
        st.download_button(
            "Model card (JSON)",
            json.dumps(checkpoint.card, indent=2, sort_keys=True),
            file_name=f"{checkpoint.name}.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )
