"""Did the mask help? The 4-channel network against the one without, and against controls in the mask's place."""

import streamlit as st

from colpo_core.exchange.card_tables.comparisons import arms_table, differences_table, seeds_table
from colpo_core.records.models.cards import comparison, counted, differences, paired_differences
from colpo_core.records.models.checkpoints import CheckpointRecord
from pages._ui.models.charts import forest_chart
from pages._ui.models.marks import badges, block_head, labels_from, marks_line, say_old, show_table
from pages._ui.shared.charts import CONFIG


def show_mask_help(checkpoint: CheckpointRecord) -> None:
    """Draw the verdict and what it rests on."""
    compared, pairs = comparison(checkpoint.card), differences(checkpoint.card)
    block_head(checkpoint, "Did the mask help?")
    if not compared or not pairs:
        say_old("the comparison with controls")
        return
    first = pairs[0]
    st.markdown(f"#### {compared['verdict']}")
    st.markdown(
        f"{compared['n_test_images_with_expert_mask']} of {counted(compared['n_test_images'], 'test image')} had an "
        f"expert's mask. Each arm was trained {counted(compared['n_seeds'], 'time')}, on the same patients with the "
        "same seeds."
    )
    forest = forest_chart(paired_differences(checkpoint.card), marks_line(checkpoint))
    st.plotly_chart(forest, width="stretch", config=CONFIG, key="forest")
    st.caption(
        f"The first-named minus the other, {counted(first['n'], 'test case')} of "
        f"{counted(first['n_patients'], 'patient')}: right of the line the first-named does better. 95% by "
        f"{first['interval']}. An open square has no interval. {labels_from(checkpoint)}."
    )
    show_table(differences_table(checkpoint.card))
    block_head(checkpoint, "The arms")
    show_table(arms_table(checkpoint.card))
    st.caption("Each figure the mean over the trainings, with a 95% interval by patients.")
    _each_training(checkpoint)


def _each_training(checkpoint: CheckpointRecord) -> None:
    with st.expander("Each training by itself: McNemar's and DeLong's test", icon=":material/casino:"):
        badges(checkpoint)
        if any(pair["clustered"] for pair in differences(checkpoint.card)):
            st.warning(
                "Some patients stand behind several cases. These tests take cases for independent: read the intervals "
                "above instead.",
                icon=":material/warning:",
            )
        show_table(seeds_table(checkpoint.card))
        st.caption("p is two-sided and not corrected for the number of tests.")
