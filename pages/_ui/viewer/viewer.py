"""The image viewer."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from pages._ui.components import read_part, script


@dataclass(frozen=True)
class Layer:
    """One overlay.

    Attributes:
        name: What the person reads beside its slider; unique within a viewer.
        url: A PNG with transparency of the image's own frame, stretched over it.
        visible: Whether it shows at first.
        opacity: How strongly at first, 0 to 1. What the person sets stays for layers of the same name.
    """

    name: str
    url: str
    visible: bool = True
    opacity: float = 0.5

    def __post_init__(self) -> None:
        """Check the opacity.

        Raises:
            ValueError: It is not between 0 and 1.
        """
        if not 0 <= self.opacity <= 1:
            raise ValueError(f"an opacity lies between 0 and 1, not {self.opacity}")


@dataclass(frozen=True)
class Mark:
    """A point on the image, drawn at one size whatever the zoom.

    Attributes:
        label: What stands beside it, such as a number.
        title: What a screen reader says.
        x_px: In pixels of the image, origin top left.
        y_px: Likewise.
        colour: A CSS colour that white text can be read on.
    """

    label: str
    title: str
    x_px: float
    y_px: float
    colour: str


_viewer = st.components.v2.component(
    "colpodesk_viewer",
    css=read_part(__file__, "viewer.css"),
    js=script(
        read_part(__file__, "view.js"), read_part(__file__, "viewer.js"), html=read_part(__file__, "viewer.html")
    ),
)


def image_viewer(
    key: str,
    image_url: str,
    layers: Sequence[Layer] = (),
    height_px: int = 460,
    *,
    alt: str = "Colposcopy image",
    around_px: int | None = None,
    marks: Sequence[Mark] = (),
    asks_for: str = "",
    on_place: Callable[[float, float], None] | None = None,
    on_leave: Callable[[], None] | None = None,
) -> None:
    """Show an image that can be zoomed and moved, with overlays whose opacity can be set.

    Nothing of that reruns the page, but placing a point that the page asked for.

    Args:
        key: One a place on the page; the same key keeps what the person set from one image to the next.
        image_url: Address of the image, such as `/colpo/images/12`.
        layers: Overlays, the lowest first.
        height_px: Height of the stage in CSS pixels; the sliders come below.
        around_px: Height of everything else on the page: the stage then takes what is left of the window's height,
            and `height_px` is not used.
        alt: What a screen reader says of the image; nothing that would unblind a reader.
        marks: Points on the image.
        asks_for: What the person shall place by a click or with the keys, such as `Site of specimen 2`; empty: nothing.
        on_place: Called before the page reruns with where it was placed, (x, y) in pixels of the image.
        on_leave: Called before the page reruns where the person pressed Escape instead.
    """

    def placed() -> None:
        place = st.session_state[key].get("placed")
        if place and on_place is not None:
            on_place(float(place["x"]), float(place["y"]))

    def left() -> None:
        if st.session_state[key].get("left") and on_leave is not None:
            on_leave()

    _viewer(
        key=key,
        data={
            "image_url": image_url,
            "layers": [asdict(layer) for layer in layers],
            "height": f"{height_px}px" if around_px is None else f"clamp(320px, 100vh - {around_px}px, 1200px)",
            "alt": alt,
            "points": [asdict(mark) for mark in marks],
            "asks_for": asks_for,
        },
        on_placed_change=placed,
        on_left_change=left,
        width="stretch",
    )
