"""The model against the one that was current when it was trained."""

import streamlit as st

from colpo_core.exchange.card_tables.comparisons import against_table
from colpo_core.records.models.cards import counted, side
from colpo_core.records.models.checkpoints import CheckpointRecord
from pages._ui.models.marks import block_head, labels_from, say_old, show_table
from pages._ui.shared.markdown import plain


def show_against(checkpoint: CheckpointRecord) -> None:
    """Draw the paired comparison on the same test images."""
    block_head(checkpoint, "Against the current model")
    metrics = side(checkpoint.card, "test")
    if "against_current" not in metrics:
        say_old("a comparison with the current model")
        return
    against = metrics["against_current"]
    if against is None:
        st.info("No model was current when this one was trained.", icon=":material/star:")
        return
    for sentence in against["worse"]:
        st.warning(sentence, icon=":material/trending_down:")
    st.markdown(
        f"{plain(against['name'])}, the current model of that day, on {counted(against['n_images'], 'test image')}. "
        f"{counted(against['n_left_out'], 'image')} left out: that model had learned from their patients."
    )
    show_table(against_table(against))
    st.caption(
        f"4 channels, by case, each model at its own threshold; {counted(against['calls']['n'], 'case')}. Difference: "
        f"this model minus the current one, with a 95% interval by patients. {labels_from(checkpoint)}."
    )
