"""The gallery as a component."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from pages._ui.components.scripts import component_script, read_text


@dataclass(frozen=True)
class GalleryItem:
    """One case of a gallery.

    Attributes:
        id: Row of the case.
        url: Address of its thumbnail, or None without an image.
        title: Above all else, such as the patient's code.
        lines: What stands below, a line each.
        marks: Words in coloured frames, each with `red`, `amber`, `teal` or `grey`.
    """

    id: int
    url: str | None
    title: str
    lines: tuple[str, ...]
    marks: tuple[tuple[str, str], ...] = ()


_gallery = st.components.v2.component(
    "colpodesk_gallery",
    css=read_text(__file__, "gallery.css"),
    js=component_script("gallery/main.js"),
)


def case_gallery(
    key: str,
    items: Sequence[GalleryItem],
    selected: Collection[int],
    *,
    on_select: Callable[[], None],
    on_open: Callable[[], None],
) -> None:
    """Show a page of cases as thumbnails.

    Arrows go from one to the next, Enter opens, the space bar selects.

    Args:
        key: Widget key, unique on the page.
        items: The cases, in order.
        selected: Rows of those that are selected.
        on_select: Called before the page reruns; the selected rows are then in `st.session_state[key]["selected"]`.
        on_open: Likewise; the row to open is in `st.session_state[key]["opened"]`.
    """
    _gallery(
        key=key,
        data={"items": [asdict(item) for item in items], "selected": sorted(selected)},
        default={"selected": sorted(selected)},
        on_selected_change=on_select,
        on_opened_change=on_open,
        width="stretch",
    )
