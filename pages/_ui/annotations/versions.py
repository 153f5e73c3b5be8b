"""Submitted versions beside the editor: how each was made, two of them compared, one of them restored."""

from collections.abc import Sequence

import streamlit as st

from colpo_core.records.annotations import AnnotationDesk, VersionRecord
from colpo_core.records.colours import OVERLAYS
from pages._ui.annotations import actions
from pages._ui.annotations.words import ORIGINS, made_text
from pages._ui.components.mask_editor import Reference
from pages._ui.components.mask_editor.editor import LAYERS
from pages._ui.shared.context import PageContext
from pages._ui.shared.formats import as_when
from pages._ui.shared.markdown import plain
from pages._ui.shared.words import area_text

_SHOWN = 6
_COLOURS = tuple(OVERLAYS.items())[:3]


def list_versions(ctx: PageContext, desk: AnnotationDesk) -> None:
    """My versions, newest first."""
    st.markdown(f"**My versions** · {LAYERS[desk.annotation.finding].name}")
    if not desk.versions:
        st.caption("None yet. Strokes are saved by themselves; Submit makes a version that training may use.")
        return
    _offer_comparison(desk)
    numbers = {version.version_id: version.number for version in desk.versions}
    shown = desk.versions if st.session_state.get(_all_key(desk)) else desk.versions[:_SHOWN]
    for version in shown:
        _version(ctx, desk, version, numbers)
    if len(desk.versions) > _SHOWN:
        st.toggle(f"Show all {len(desk.versions)}", key=_all_key(desk))


def list_others(desk: AnnotationDesk) -> None:
    """Masks of others, collapsed at first, so that annotators look for themselves before they compare."""
    if desk.is_blind:
        st.caption(
            ":material/visibility_off: Masks of others in this blind task open once everybody has submitted or "
            "skipped this image."
        )
    if not desk.others:
        return
    n_others = len(desk.others)
    title = f"{n_others} mask{'s' if n_others > 1 else ''} by others"
    with st.expander(title, key=f"others_{desk.annotation.document_id}"):
        for index, version in enumerate(desk.others):
            with st.container(gap=None):
                st.checkbox(f"**{plain(version.author)}** · {area_text(version.area_share)}", key=_tick_key(version))
                st.caption(f"{ORIGINS[version.origin]} · {as_when(version.created_at)} UTC")
                st.toggle(f"Show while I paint, {_COLOURS[index % 3][0]}", key=_shown_key(version))


def _offer_comparison(desk: AnnotationDesk) -> None:
    """Draw the button that compares the two ticked versions, one's own or others'."""
    listed = (*desk.versions, *desk.others)
    if len(listed) < 2:
        return
    ticked = [version for version in listed if st.session_state.get(_tick_key(version))]
    first_last = sorted(ticked, key=lambda version: (version.created_at, version.version_id))
    st.button(
        "Compare the two" if len(ticked) == 2 else "Tick two to compare",
        icon=":material/compare:",
        width="stretch",
        disabled=len(ticked) != 2,
        on_click=actions.compare,
        args=(desk.annotation.image.id, tuple(version.version_id for version in first_last)),
    )


def references(desk: AnnotationDesk) -> Sequence[Reference]:
    """The masks of others that the annotator wants to see while painting."""
    return [
        Reference(
            version.author,
            f"/colpo/annotations/versions/{version.version_id}/mask.png?colour={_COLOURS[index % 3][0]}",
            _COLOURS[index % 3][1],
        )
        for index, version in enumerate(desk.others)
        if st.session_state.get(_shown_key(version))
    ]


def _version(ctx: PageContext, desk: AnnotationDesk, version: VersionRecord, numbers: dict[int, int]) -> None:
    is_newest = version.version_id == desk.versions[0].version_id
    with st.container(gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
            st.checkbox(
                f"**Version {version.number}** · {_area(version)}",
                key=_tick_key(version),
                width="stretch",
            )
            if not is_newest:
                with st.popover(
                    "",
                    icon=":material/history:",
                    type="tertiary",
                    help=f"Restore version {version.number}",
                    key=actions.restore_key(version.version_id),
                    on_change="rerun",
                ):
                    _ask_to_restore(ctx, version, desk.versions[0].number + 1)
        st.caption("  \n".join(filter(None, _lines(version, numbers))))


def _area(version: VersionRecord) -> str:
    return "none there" if version.absence_confirmed else f"{version.area_share:.1%}"


def _lines(version: VersionRecord, numbers: dict[int, int]) -> tuple[str, ...]:
    base = f"based on {version.base_number}" if version.base_number else ""
    when = " · ".join(filter(None, (f"{as_when(version.created_at)} UTC", base)))
    return (
        plain(version.author),
        when,
        made_text(version, numbers),
        f"“{plain(version.note)}”" if version.note else "",
    )


def _ask_to_restore(ctx: PageContext, version: VersionRecord, next_number: int) -> None:
    st.markdown(
        f"Make version {version.number} the newest again? It becomes **version {next_number}**; every version stays."
    )
    st.button(
        f"Restore version {version.number}",
        key=f"restore_{version.version_id}",
        type="primary",
        icon=":material/history:",
        width="stretch",
        on_click=actions.restore,
        args=(ctx, version.version_id),
    )


def _tick_key(version: VersionRecord) -> str:
    return f"compare_{version.version_id}"


def _shown_key(version: VersionRecord) -> str:
    return f"seen_{version.version_id}"


def _all_key(desk: AnnotationDesk) -> str:
    return f"versions_all_{desk.annotation.document_id}"
