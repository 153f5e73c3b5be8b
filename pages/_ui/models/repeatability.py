"""Whether two images of one case get the same call."""

import pandas as pd
import streamlit as st

from colpo_core.exchange.card_tables.calls import flips_table, repeatability_table
from colpo_core.records.models.cards import counted, side
from colpo_core.records.models.checkpoints import CheckpointRecord
from pages._ui.models.marks import as_frame, block_head, labels_from, say_old, show_table
from pages._ui.shared.links import link
from pages._ui.shared.tables import pick_row


def show_repeatability(checkpoint: CheckpointRecord) -> None:
    """Draw the spread within cases, and the cases that were called both ways."""
    block_head(checkpoint, "Repeatability")
    metrics = side(checkpoint.card, "test")
    table = repeatability_table(metrics)
    if table is None:
        say_old("the spread within cases")
        return
    repeatability = metrics["repeatability"]["4ch"]
    if not repeatability["n_cases"]:
        st.info("No test case has two images or more, so nothing is known of it.", icon=":material/photo_library:")
        return
    show_table(table)
    st.caption(
        f"{counted(repeatability['n_cases'], 'test case')} with two images or more "
        f"({counted(repeatability['n_images'], 'image')}). 95% intervals by patients. {labels_from(checkpoint)}."
    )
    block_head(checkpoint, "Cases called both ways, by network, widest first")
    flips = as_frame(flips_table(metrics))
    if flips.empty:
        st.caption("None: no case was called `hsil` on one image and `normal` on another.")
        return
    _flips(flips)


def _flips(flips: pd.DataFrame) -> None:
    picked = pick_row(flips, key="flip_rows", height=min(38 + 35 * len(flips), 388))
    st.caption("Probability of HSIL of the two images that lie furthest apart. Choose a row to open its case.")
    if picked is not None:
        case_id = flips["Case"].iloc[picked]
        link("cases", f"Open case {case_id}", icon=":material/folder_open:", case=case_id)
