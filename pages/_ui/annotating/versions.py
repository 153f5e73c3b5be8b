"""Submitted versions beside the editor."""

import streamlit as st

from colpo_core.records.annotations import AnnotationDesk
from pages._ui.annotating import deeds
from pages._ui.annotating.words import ORIGINS, area_text
from pages._ui.here import Here
from pages._ui.tables import as_when


def list_versions(desk: AnnotationDesk) -> None:
    """My versions, newest first."""
    st.markdown("**My versions**")
    if not desk.versions:
        st.caption("None yet. Strokes are saved by themselves; Submit makes a version that training may use.")
        return
    if desk.annotation.changed:
        st.caption(":orange-badge[Changed since] Submit to make a new version.")
    for version in desk.versions[:6]:
        st.markdown(f"Version {version.number} · {area_text(version.area_share)}")
        st.caption(" · ".join(filter(None, (f"{as_when(version.created_at)} UTC", version.note))))
    if len(desk.versions) > 6:
        st.caption(f"and {len(desk.versions) - 6} earlier")


def list_others(here: Here, desk: AnnotationDesk) -> None:
    """Masks of others, closed at first: who paints first looks for herself."""
    if not desk.others:
        return
    n_others = len(desk.others)
    with st.expander(f"{n_others} mask{'s' if n_others > 1 else ''} by others"):
        for version in desk.others:
            st.markdown(f"{version.author} · {area_text(version.area_share)}")
            st.caption(ORIGINS[version.origin])
            st.button(
                "Start mine from it",
                key=f"start_{version.version_id}",
                on_click=deeds.correct,
                args=(here, version.version_id, desk.annotation.image.id),
            )
