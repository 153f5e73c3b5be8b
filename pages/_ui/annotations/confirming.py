"""Imported masks that were closed by a guess or look odd, to be confirmed, rejected, filled or corrected."""

import streamlit as st

from colpo_core.records.annotations import AnnotationDesk, VersionRecord
from colpo_core.services.annotations.mask_doubts import doubt_text
from colpo_core.terms import MaskDoubt
from pages._ui.annotations import actions
from pages._ui.annotations.words import ORIGINS
from pages._ui.components.viewer import Layer, image_viewer
from pages._ui.shared.context import PageContext
from pages._ui.shared.words import area_text

_LESS_THAN_EDITOR_PX = 26
_REASONS = ("Not the lesion", "Misses a part", "Includes too much", "Outline is not of a lesion")


def show_imported(desk: AnnotationDesk, *, around_px: int) -> None:
    """The image with the imported mask over it."""
    versions = desk.to_confirm
    layers = [
        Layer(_name(version, len(versions)), f"/colpo/annotations/versions/{version.version_id}/mask.png")
        for version in versions
    ]
    image_url = f"/colpo/images/{desk.annotation.image.id}"
    image_viewer("annotate_imported", image_url, layers, around_px=around_px - _LESS_THAN_EDITOR_PX)


def ask_about(ctx: PageContext, desk: AnnotationDesk, *, is_in_task: bool) -> None:
    """How each waiting mask was closed, and what to do with it.

    Args:
        ctx: The page's context.
        desk: The image.
        is_in_task: Whether a task's queue decides which image comes next, not the list of masks to confirm.
    """
    goes_on = len(desk.to_confirm) == 1 and not is_in_task
    for version in desk.to_confirm:
        with st.container(border=True):
            doubt = desk.doubts.get(version.version_id)
            if doubt is None:
                st.markdown(f"**{ORIGINS[version.origin]}.**  \nRight as it is?")
            else:
                asked = doubt_text(doubt, share=version.area_share, finding=version.finding)
                st.markdown(f"**{ORIGINS[version.origin]}.**  \n{asked}")
                if doubt is MaskDoubt.OUTLINE:
                    _offer_to_fill(ctx, desk, version)
            st.caption(" · ".join(filter(None, (version.author, area_text(version.area_share), version.note))))
            _buttons(ctx, desk, version, desk.next_to_confirm_id if goes_on else None)


def _offer_to_fill(ctx: PageContext, desk: AnnotationDesk, version: VersionRecord) -> None:
    st.button(
        "Fill it",
        key=f"fill_{version.annotation_id}",
        icon=":material/format_color_fill:",
        help="Starts your own mask from it, filled. Look at it, then submit it.",
        width="stretch",
        on_click=actions.fill_imported,
        args=(ctx, desk.annotation.document_id, version.version_id, desk.annotation.image.id),
    )


def _buttons(ctx: PageContext, desk: AnnotationDesk, version: VersionRecord, onward: int | None) -> None:
    key = str(version.annotation_id)
    is_only = len(desk.to_confirm) == 1
    st.button(
        "Confirm",
        key=f"confirm_{key}",
        type="primary",
        icon=":material/check:",
        shortcut="y" if is_only else None,
        width="stretch",
        on_click=actions.confirm,
        args=(ctx, version.annotation_id, onward),
    )
    st.button(
        "Correct it",
        key=f"correct_{key}",
        icon=":material/brush:",
        shortcut="e" if is_only else None,
        width="stretch",
        on_click=actions.correct,
        args=(ctx, desk.annotation.document_id, version.version_id, desk.annotation.image.id),
    )
    with st.popover("Reject", icon=":material/close:", width="stretch"):
        reason_key = f"reason_{key}"
        st.selectbox(
            "What is wrong with it?", _REASONS, key=reason_key, accept_new_options=True, help="Choose, or type your own"
        )
        st.button(
            "Reject this mask",
            key=f"reject_{key}",
            width="stretch",
            on_click=actions.reject,
            args=(ctx, version.annotation_id, reason_key, onward),
        )


def _name(version: VersionRecord, n_versions: int) -> str:
    return "Imported mask" if n_versions == 1 else f"Imported mask by {version.author}"
