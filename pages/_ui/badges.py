"""Small marks that mean the same on every page."""

import streamlit as st


def simulated_badge() -> None:
    """Mark a case, an image or a figure as drawn by the program, not taken of a patient."""
    st.badge("SIMULATED", icon=":material/science:", color="orange")


def impression_badge() -> None:
    """Mark figures whose labels rest on a colposcopic impression, not on histology."""
    st.badge("BY IMPRESSION, NOT HISTOLOGY", icon=":material/visibility:", color="violet")
