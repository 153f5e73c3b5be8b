"""What stands beside every block of figures: where labels come from, simulated images, leaks."""

import pandas as pd
import streamlit as st

from colpo_core.exchange.tables import TextTable
from colpo_core.records.models.cards import old_card_text
from colpo_core.records.models.checkpoints import CheckpointRecord
from colpo_core.records.models.marks import MarkKind, marks_text
from colpo_core.records.snapshots.snapshots import label_source_text
from pages._ui.shared.badges import model_badges


def labels_from(checkpoint: CheckpointRecord) -> str:
    """What its labels rest on, as a sentence begins."""
    text = label_source_text(checkpoint.label_source)
    return text[0].upper() + text[1:]


def marks_line(checkpoint: CheckpointRecord) -> str:
    """The marks in a line, for a chart's title."""
    return " · ".join(
        part for part in (labels_from(checkpoint), marks_text(checkpoint.marks, without=(MarkKind.IMPRESSION,))) if part
    )


def block_head(checkpoint: CheckpointRecord, title: str) -> None:
    """The title of a block of figures with its marks.

    Args:
        checkpoint: Whose figures.
        title: What they are.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{title}**", width="content")
        badges(checkpoint)


def badges(checkpoint: CheckpointRecord) -> None:
    """The marks alone."""
    model_badges(checkpoint.marks)


def say_old(what: str) -> None:
    """Say that a card of an earlier version lacks something.

    Args:
        what: What is missing, such as `a ROC curve`.
    """
    st.info(old_card_text(what), icon=":material/history:")


def show_table(table: TextTable) -> None:
    """Draw a table of a card: all of its texts, wrapped."""
    st.table(as_frame(table), border="horizontal", hide_index=True)


def as_frame(table: TextTable) -> pd.DataFrame:
    """A card's table as rows of texts."""
    return pd.DataFrame([list(row) for row in table.rows], columns=list(table.heading))
