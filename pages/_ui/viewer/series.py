"""The images of a case side by side, with one zoom for all."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from pages._ui.components import read_part, script


@dataclass(frozen=True)
class SeriesImage:
    """One image of a series.

    Attributes:
        id: Tells the images apart; an image keeps its place on the screen while its id stays.
        url: Address of the whole image.
        title: What stands over it and what a screen reader says, such as `Acetic acid, 60 s`.
    """

    id: int
    url: str
    title: str


_series = st.components.v2.component(
    "colpodesk_series",
    css=read_part(__file__, "series.css"),
    js=script(
        read_part(__file__, "view.js"), read_part(__file__, "series.js"), html=read_part(__file__, "series.html")
    ),
)


def image_series(key: str, items: Sequence[SeriesImage], *, height_px: int = 340) -> None:
    """Show images side by side: zooming or moving one zooms and moves all, whatever their sizes.

    Unlinked, one image can be shifted against the others; linked again, it keeps that shift. Nothing reruns the page.

    Args:
        key: One a place on the page.
        items: The images, in order.
        height_px: Greatest height of each image's frame in CSS pixels.
    """
    _series(key=key, data={"items": [asdict(item) for item in items], "max_height": f"{height_px}px"}, width="stretch")
