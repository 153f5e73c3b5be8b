"""What stands beside every block of figures: where labels come from, simulated images, leaks."""

import pandas as pd
import streamlit as st

from colpo_core.records.card_tables import CardTable
from colpo_core.records.checkpoints import CheckpointRecord, label_source_text
from colpo_core.records.model_cards import leaks, old_card_text
from colpo_core.terms import LabelSource
from pages._ui.badges import impression_badge, simulated_badge


def leaks_badge() -> None:
    """Mark figures of a model that was tested on copies of what it learned from."""
    st.badge("LEAKS", icon=":material/water_drop:", color="red")


def labels_from(one: CheckpointRecord) -> str:
    """What its labels rest on, as a sentence begins."""
    text = label_source_text(one.label_source)
    return text[0].upper() + text[1:]


def marks_line(one: CheckpointRecord) -> str:
    """The marks in a line, for a chart's title."""
    words = [labels_from(one)]
    words += ["SIMULATED"] if one.simulated else []
    words += ["LEAKS"] if leaks(one.card) else []
    return " · ".join(words)


def block_head(one: CheckpointRecord, title: str) -> None:
    """The title of a block of figures with its marks.

    Args:
        one: Whose figures.
        title: What they are.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{title}**", width="content")
        badges(one)


def badges(one: CheckpointRecord) -> None:
    """The marks alone."""
    badges_of(leaking=bool(leaks(one.card)), simulated=one.simulated, source=one.label_source)


def badges_of(*, leaking: bool, simulated: bool, source: LabelSource) -> None:
    """The marks of figures that rest on other images than the model's own test side.

    Args:
        leaking: Whether the model was tested on copies of what it learned from.
        simulated: Whether images were drawn by the program.
        source: What the labels rest on.
    """
    if leaking:
        leaks_badge()
    if simulated:
        simulated_badge()
    if source is LabelSource.IMPRESSION:
        impression_badge()


def say_old(what: str) -> None:
    """Tell that a card of an earlier version lacks something.

    Args:
        what: What is missing, such as `a ROC curve`.
    """
    st.info(old_card_text(what), icon=":material/history:")


def show_table(table: CardTable) -> None:
    """Draw a table of a card: all of its texts, wrapped."""
    st.table(as_frame(table), border="horizontal", hide_index=True)


def as_frame(table: CardTable) -> pd.DataFrame:
    """A card's table as rows of texts."""
    return pd.DataFrame([list(row) for row in table.rows], columns=list(table.heading))
