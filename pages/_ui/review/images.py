"""The images of a case under their layers, the four Grad-CAM maps, and how much of each lies in the masks."""

import pandas as pd
import streamlit as st

from colpo_core.images.colours import evidence_gradient
from colpo_core.records.review.explanations import MapInMask
from colpo_core.records.review.reviews import ReviewDesk, ReviewImage
from colpo_core.terms import Combination, Finding
from pages._ui.components.viewer import Frame, Layer, case_viewer, image_series
from pages._ui.review.verdict import has_verdict
from pages._ui.shared.context import PageContext
from pages._ui.shared.words import FINDINGS, colour_name, stage_text

_MAPS = {
    "3ch-normal": "3 channels, for normal",
    "3ch-hsil": "3 channels, for HSIL",
    "4ch-normal": "4 channels, for normal",
    "4ch-hsil": "4 channels, for HSIL",
}


def show_image(ctx: PageContext, desk: ReviewDesk) -> None:
    """Draw the case's images with the masks and maps as layers; that of the prediction comes first."""
    prediction = desk.prediction
    frames = [_frame(ctx, desk, review_image) for review_image in desk.series]
    case_viewer(
        "review_viewer",
        frames,
        str(prediction.image_id),
        height_px=430,
        file_name=f"review-image-{prediction.image_id}.png",
    )


def show_sites(desk: ReviewDesk) -> None:
    """Draw the biopsy sites that the model's evidence suggests, as a proposal."""
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


def _frame(ctx: PageContext, desk: ReviewDesk, review_image: ReviewImage) -> Frame:
    image_id = review_image.image.id
    return Frame(
        str(image_id),
        f"/colpo/images/{image_id}",
        title=stage_text(review_image.image),
        layers=[*_model_layers(desk, review_image), *_expert_layers(ctx, review_image)],
        alt=f"{stage_text(review_image.image)}, image {image_id}",
        thumbnail_url=f"/colpo/images/{image_id}/thumbnail",
    )


def _model_layers(desk: ReviewDesk, review_image: ReviewImage) -> list[Layer]:
    """The model's mask, then its maps; maps that show nothing are left out."""
    if review_image.prediction_id is None:
        return []
    url = f"/colpo/predictions/{review_image.prediction_id}"
    name = "Acetowhite epithelium"
    if review_image.has_probabilities:
        layers = [Layer(name, f"{url}/acetowhite.png", opacity=0.55, kind="field", threshold=desk.mask_threshold)]
    else:
        layers = [Layer(name, f"{url}/mask.png", opacity=0.55)]
    is_judged = review_image.prediction_id == desk.prediction.id
    if is_judged and desk.sites:
        layers.append(Layer("Proposed biopsy sites", f"{url}/sites.png", visible=False, kind="map"))
    return layers + [
        Layer(_map_layer_name(map_name), f"{url}/maps/{map_name}.png", visible=False, opacity=0.7, kind="map")
        for map_name in _MAPS
        if not is_judged or desk.map_strengths.get(map_name, 0) > 0
    ]


def _map_layer_name(map_name: str) -> str:
    """A short name that differs in its first word, since there is little room beside a slider."""
    channels, label = map_name.split("-")
    return f"{'HSIL' if label == 'hsil' else 'Normal'} map, {channels[0]} channels"


def _expert_layers(ctx: PageContext, review_image: ReviewImage) -> list[Layer]:
    """Each annotator's masks as outlines, and their majority; the page gets them only after the reviewer's verdict."""
    layers = []
    for index, mask in enumerate(review_image.masks):
        url = f"/colpo/annotations/versions/{mask.version_id}/mask.png?colour={colour_name(index)}"
        whose = "Me" if mask.annotator_id == ctx.caller.person_id else mask.annotator
        name = f"{whose}: {FINDINGS[mask.finding].lower()}"
        layers.append(Layer(name, url, visible=False, opacity=0.9, is_outline=True))
    acetowhite = [str(mask.version_id) for mask in review_image.masks if mask.finding is Finding.ACETOWHITE]
    if len(acetowhite) > 1:
        url = f"/colpo/agreement/{review_image.image.id}/{Finding.ACETOWHITE}/{Combination.MAJORITY}.png"
        layers.append(Layer("Majority: acetowhite epithelium", f"{url}?versions={','.join(acetowhite)}", visible=False))
    return layers


def show_maps(ctx: PageContext, desk: ReviewDesk) -> None:
    """Draw the four maps on one screen with their scale, and their share of evidence in the masks."""
    st.subheader("What spoke for each call (Grad-CAM)")
    if not desk.map_strengths:
        st.caption("The maps of this prediction cannot be shown.")
        return
    frames = [_map_frame(desk, name, title) for name, title in _MAPS.items()]
    image_series("review_maps", frames, height_px=230)
    empty = [title for name, title in _MAPS.items() if name in desk.empty_maps]
    if empty:
        st.caption(f"No positive evidence: {'; '.join(empty)}.")
    st.html(
        "<div style='display:flex;align-items:center;gap:.6rem;font-size:.85rem'><span>least evidence</span>"
        f"<span style='flex:0 0 14rem;height:.7rem;border-radius:.3rem;background:{evidence_gradient()}'></span>"
        "<span>most of this network</span></div>"
    )
    st.caption(
        "Each peak is a share of its network's strongest: the two maps of one network share one scale. A map shows "
        "where evidence lay, not whether it was right."
    )
    _evidence(ctx, desk)


def _map_frame(desk: ReviewDesk, name: str, title: str) -> Frame:
    prediction = desk.prediction
    strength = desk.map_strengths[name]
    layers = [Layer("Map", f"/colpo/predictions/{prediction.id}/maps/{name}.png", opacity=0.7, kind="map")]
    peak = f"peak {strength:.0%}" if strength > 0 else "no positive evidence"
    return Frame(
        f"{prediction.id}-{name}",
        f"/colpo/images/{prediction.image_id}",
        title=f"{title} · {peak}",
        layers=layers if strength > 0 else [],
    )


def _evidence(ctx: PageContext, desk: ReviewDesk) -> None:
    """How much of each map lies in the masks; in an annotated one only after the verdict, so that nobody is swayed."""
    sides = [("In the model's mask", desk.in_model_mask)]
    if desk.in_expert_mask is not None and has_verdict(ctx, desk):
        sides.append((f"In the mask of {desk.expert}", desk.in_expert_mask))
    rows = [
        {"": title, **{_MAPS[name]: _inside(in_mask.maps.get(name)) for name in _MAPS}, "Area": f"{in_mask.area:.0%}"}
        for title, in_mask in sides
        if in_mask is not None
    ]
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="review_evidence")
        st.caption(
            "Share of each map's evidence inside the mask, and whether its highest place lies there. A map that "
            "prefers no place has the mask's area."
        )


def _inside(in_mask: MapInMask | None) -> str:
    return "no evidence" if in_mask is None else f"{in_mask.energy:.0%}{', peak inside' if in_mask.is_hit else ''}"
