"""The image of a prediction under its layers, the four Grad-CAM maps, and how much of each lies in the masks."""

import pandas as pd
import streamlit as st

from colpo_core.records.checkpoints import ReviewDesk
from colpo_core.records.explanations import MapInMask
from colpo_core.services import review
from pages._ui.here import Here
from pages._ui.reviewing.verdict import has_verdict
from pages._ui.viewer import Layer, image_viewer

_MAPS = {
    "3ch-normal": "3 channels, for normal",
    "3ch-hsil": "3 channels, for HSIL",
    "4ch-normal": "4 channels, for normal",
    "4ch-hsil": "4 channels, for HSIL",
}


def show_image(person: Here, desk: ReviewDesk) -> None:
    """Draw the image with the masks and maps as layers."""
    image_viewer("review_viewer", f"/colpo/images/{desk.prediction.image_id}", _layers(person, desk), height_px=430)


def show_sites(desk: ReviewDesk) -> None:
    """Draw where the model's evidence would have a biopsy taken, as a proposal."""
    with st.expander("Proposed biopsy sites", icon=":material/location_searching:"):
        if not desk.sites:
            st.caption("None: inside the model's mask nothing spoke for HSIL, or the mask is empty.")
            return
        st.badge("PROPOSAL", color="orange")
        lines = [
            f"{number}. {_hour_text(site.hour)}, evidence {site.evidence:.0%}"
            for number, site in enumerate(desk.sites, start=1)
        ]
        st.markdown("  \n".join(lines))
        hours = "the outline of the cervix" if desk.has_cervix else "the middle of the image, for want of an outline"
        st.caption(
            "The highest places of the 4-channel map for HSIL inside the model's mask, the first one counting as 100%. "
            f"Hours are read from {hours}. The layer above shows them. Where to take a biopsy is yours to decide."
        )


def _hour_text(hour: int | None) -> str:
    return "at the centre" if hour is None else f"{hour} o'clock"


def _layers(person: Here, desk: ReviewDesk) -> list[Layer]:
    """The model's mask, then its maps; the annotated mask after my verdict."""
    found = desk.prediction
    layers = [Layer("Acetowhite epithelium", f"/colpo/predictions/{found.id}/mask.png", opacity=0.55)]
    if desk.expert_version_id is not None and has_verdict(person, desk):
        url = f"/colpo/annotations/versions/{desk.expert_version_id}/mask.png?colour=amber"
        layers.append(Layer(f"Mask of {desk.expert}", url, visible=False, opacity=0.55))
    if desk.sites:
        layers.append(Layer("Proposed biopsy sites", f"/colpo/predictions/{found.id}/sites.png", visible=False))
    return layers + [
        Layer(f"Grad-CAM, {title}", f"/colpo/predictions/{found.id}/maps/{name}.png", visible=False, opacity=0.7)
        for name, title in _MAPS.items()
        if desk.map_strengths.get(name, 0) > 0
    ]


def show_maps(person: Here, desk: ReviewDesk) -> None:
    """Draw the four maps on one screen with their scale, and their share of evidence in the masks."""
    found = desk.prediction
    st.subheader("What spoke for each call (Grad-CAM)")
    if not desk.map_strengths:
        st.caption("The maps of this prediction cannot be shown.")
        return
    for column, (name, title) in zip(st.columns(4), _MAPS.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            strength = desk.map_strengths[name]
            layer = Layer("Map", f"/colpo/predictions/{found.id}/maps/{name}.png", opacity=0.7)
            layers = [layer] if strength > 0 else []
            image_viewer(f"map_{name}", f"/colpo/images/{found.image_id}", layers, height_px=210)
            st.caption(f"Peak {strength:.0%} of this network's strongest" if layers else "No positive evidence")
    st.html(
        "<div style='display:flex;align-items:center;gap:.6rem;font-size:.85rem'><span>least evidence</span>"
        f"<span style='flex:0 0 14rem;height:.7rem;border-radius:.3rem;background:{review.MAP_SCALE}'></span>"
        "<span>most of this network</span></div>"
    )
    st.caption("The two maps of one network share one scale. A map shows where evidence lay, not whether it was right.")
    _evidence(person, desk)


def _evidence(person: Here, desk: ReviewDesk) -> None:
    """How much of each map lies in the masks; beside an annotated one after my verdict, so that it sways nobody."""
    sides = [("In the model's mask", desk.in_model_mask)]
    if desk.in_expert_mask is not None and has_verdict(person, desk):
        sides.append((f"In the mask of {desk.expert}", desk.in_expert_mask))
    rows = [
        {"": title, **{_MAPS[name]: _inside(found.maps.get(name)) for name in _MAPS}, "Area": f"{found.area:.0%}"}
        for title, found in sides
        if found is not None
    ]
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="review_evidence")
        st.caption(
            "Share of each map's evidence inside the mask, and whether its highest place lies there. A map that "
            "prefers no place has the mask's area."
        )


def _inside(found: MapInMask | None) -> str:
    return "no evidence" if found is None else f"{found.energy:.0%}{', peak inside' if found.is_hit else ''}"
