"""Did the mask help? The 4-channel network against the one without, and against controls in the mask's place."""

import streamlit as st

from colpo_core.exchange.card_tables.comparisons import arms_table, differences_table, seeds_table
from colpo_core.records.models.cards import comparison, counted, differences, paired_differences
from colpo_core.records.models.checkpoints import CheckpointRecord
from pages._ui.models.charts import CONFIG, forest_chart
from pages._ui.models.marks import badges, block_head, labels_from, marks_line, say_old, show_table


def show_mask_help(one: CheckpointRecord) -> None:
    """Draw the verdict and what it rests on."""
    found, pairs = comparison(one.card), differences(one.card)
    block_head(one, "Did the mask help?")
    if not found or not pairs:
        say_old("the comparison with controls")
        return
    first = pairs[0]
    st.markdown(f"#### {found['verdict']}")
    st.markdown(
        f"{found['n_test_images_with_expert_mask']} of {counted(found['n_test_images'], 'test image')} had an expert's "
        f"mask. Each arm was trained {counted(found['n_seeds'], 'time')}, on the same patients with the same seeds."
    )
    forest = forest_chart(paired_differences(one.card), marks_line(one))
    st.plotly_chart(forest, width="stretch", config=CONFIG, key="forest")
    st.caption(
        f"The first-named minus the other, {counted(first['n'], 'test case')} of "
        f"{counted(first['n_patients'], 'patient')}: right of the line the first-named does better. 95% by "
        f"{first['interval']}. An open square has no interval. {labels_from(one)}."
    )
    show_table(differences_table(one.card))
    block_head(one, "The arms")
    show_table(arms_table(one.card))
    st.caption("Each figure the mean over the trainings, with a 95% interval by patients.")
    _each_training(one)


def _each_training(one: CheckpointRecord) -> None:
    with st.expander("Each training by itself: McNemar's and DeLong's test", icon=":material/casino:"):
        badges(one)
        if any(pair["clustered"] for pair in differences(one.card)):
            st.warning(
                "Some patients stand behind several cases. These tests take cases for independent: read the intervals "
                "above instead.",
                icon=":material/warning:",
            )
        show_table(seeds_table(one.card))
        st.caption("p is two-sided and not corrected for the number of tests.")
