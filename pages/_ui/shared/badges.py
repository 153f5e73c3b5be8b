"""Badges that mean the same on every page."""

from collections.abc import Iterable

import streamlit as st

from colpo_core.records.models.marks import Mark, MarkKind

_LOOKS = {
    MarkKind.LEAKS: (":material/water_drop:", "red"),
    MarkKind.SIMULATED: (":material/science:", "orange"),
    MarkKind.IMPRESSION: (":material/visibility:", "violet"),
    MarkKind.UNCALIBRATED: (":material/tune:", "gray"),
}


def model_badges(marks: Iterable[Mark]) -> None:
    """Draw the marks of a model's output or figures, with their meaning as help."""
    for mark in marks:
        icon, colour = _LOOKS[mark.kind]
        st.badge(mark.text, icon=icon, color=colour, help=mark.meaning)  # type: ignore[arg-type]


def simulated_badge() -> None:
    """Mark a case, an image or a figure as simulated, not taken from a patient."""
    st.badge("SIMULATED", icon=":material/science:", color="orange")


def impression_badge() -> None:
    """Mark figures whose labels rest on a colposcopic impression, not on histology."""
    st.badge("BY IMPRESSION, NOT HISTOLOGY", icon=":material/visibility:", color="violet")
