"""Two versions overlaid, where they agree and how much."""

from html import escape

import streamlit as st

from colpo_core.records.annotations import AnnotationDesk, VersionComparison
from colpo_core.services.annotations.versions import BOTH_RGB, FIRST_RGB, SECOND_RGB, compare_versions
from pages._ui.annotations import actions
from pages._ui.components.viewer import Layer, image_viewer
from pages._ui.shared.context import PageContext
from pages._ui.shared.markdown import plain
from pages._ui.shared.words import area_text

_LESS_THAN_EDITOR_PX = 16


def find_comparison(ctx: PageContext, desk: AnnotationDesk) -> VersionComparison | None:
    """The two versions of this image that are being compared, or None."""
    pair = actions.compared(desk.annotation.image.id)
    if pair is None:
        return None
    first_id, second_id = pair
    with st.spinner("Comparing …"):
        return compare_versions(ctx.caller, first_id=first_id, second_id=second_id)


def show_comparison(comparison: VersionComparison, *, around_px: int) -> None:
    """The image with both versions over it."""
    image_id = comparison.first.image_id
    first_id, second_id = comparison.first.version_id, comparison.second.version_id
    overlay = Layer(
        "Both versions",
        f"/colpo/annotations/versions/{first_id}/compare/{second_id}.png",
        opacity=0.85,
        kind="map",
    )
    image_viewer(
        "annotate_comparison", f"/colpo/images/{image_id}", [overlay], around_px=around_px - _LESS_THAN_EDITOR_PX
    )


def show_agreement(comparison: VersionComparison) -> None:
    """Draw the legend, and how far the two agree."""
    with st.container(border=True):
        st.button(
            "Back to painting",
            icon=":material/arrow_back:",
            type="primary",
            shortcut="esc",
            width="stretch",
            on_click=actions.stop_comparing,
            args=(comparison.first.image_id,),
        )
        total = comparison.both_px + comparison.only_first_px + comparison.only_second_px
        first, second = _names(comparison)
        rows = (
            (BOTH_RGB, "Both", comparison.both_px),
            (FIRST_RGB, f"Only {first}", comparison.only_first_px),
            (SECOND_RGB, f"Only {second}", comparison.only_second_px),
        )
        st.html("".join(_legend_line(rgb, text, _share(pixels, total)) for rgb, text, pixels in rows))
        st.markdown(
            f"Dice **{comparison.dice:.3f}** &nbsp; IoU **{comparison.iou:.3f}**  \nHD95 **{_distance(comparison)}**",
            help="Dice and IoU: how much of the area is shared, 1 where both are the same mask. HD95: 95% of the "
            "outlines lie at most so far apart; there is none where only one of the masks is empty.",
        )
        for name, version in ((first, comparison.first), (second, comparison.second)):
            st.caption(f"{plain(name)}: {area_text(version.area_share)}")


def _legend_line(rgb: tuple[int, int, int], text: str, share: str) -> str:
    red, green, blue = rgb
    swatch = f"display:inline-block;width:.9em;height:.9em;border-radius:3px;background:rgb({red} {green} {blue})"
    return f'<div style="padding:.15rem 0"><span style="{swatch}"></span> {escape(text)} <b>{share}</b></div>'


def _names(comparison: VersionComparison) -> tuple[str, str]:
    """Two versions by one person are named by their numbers, those by two people by their authors."""
    if comparison.first.author_id == comparison.second.author_id:
        return f"version {comparison.first.number}", f"version {comparison.second.number}"
    return comparison.first.author, comparison.second.author


def _distance(comparison: VersionComparison) -> str:
    return "none" if comparison.hd95_px is None else f"{comparison.hd95_px:.1f} px"


def _share(pixels: int, total: int) -> str:
    return f"{pixels / total:.0%}" if total else "–"
