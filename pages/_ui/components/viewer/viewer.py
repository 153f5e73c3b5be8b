"""The image viewer: images of a case with layers, of which all that changes on the screen changes in the browser."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import streamlit as st

from pages._ui.components.scripts import component_script, read_text

View = Literal["one", "swipe", "two", "all"]
"""One image, a divider over it, two side by side, or all images of the case."""


@dataclass(frozen=True)
class Layer:
    """One overlay.

    Attributes:
        name: What the person reads beside its slider; layers of one name on several images are set together.
        url: A PNG of the image's own frame, stretched over it.
        visible: Whether it shows at first.
        opacity: How strongly at first, 0 to 1. What the person sets stays for layers of the same name.
        kind: `mask` has one colour on transparency and can be outlined; `map` has its own colours; `field` is grey and
            opaque and holds a probability for each place, from 0 (black) to 1, of which what reaches a threshold is
            coloured or outlined.
        threshold: Of a `field`, at first, 0 to 1.
        is_outline: Whether it is outlined at first.
    """

    name: str
    url: str
    visible: bool = True
    opacity: float = 0.5
    kind: Literal["mask", "map", "field"] = "mask"
    threshold: float = 0.0
    is_outline: bool = False

    def __post_init__(self) -> None:
        """Check the shares.

        Raises:
            ValueError: The opacity or the threshold is not between 0 and 1.
        """
        if not 0 <= self.opacity <= 1:
            raise ValueError(f"an opacity lies between 0 and 1, not {self.opacity}")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"a threshold lies between 0 and 1, not {self.threshold}")


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


@dataclass(frozen=True)
class Frame:
    """One image of a viewer.

    Attributes:
        id: Tells the images apart; a viewer keeps its zoom while one of its images stays.
        url: Address of the whole image.
        title: What stands over it, such as `Acetic acid, 60 s`.
        layers: Overlays, the lowest first.
        marks: Points on the image.
        alt: What a screen reader says of the image; nothing that would unblind a reader. The title when empty.
        thumbnail_url: Address of a small one for the strip; the whole one when empty.
    """

    id: str
    url: str
    title: str = ""
    layers: Sequence[Layer] = ()
    marks: Sequence[Mark] = ()
    alt: str = ""
    thumbnail_url: str = ""


_viewer = st.components.v2.component(
    "colpodesk_viewer",
    css=read_text(__file__, "viewer.css"),
    js=component_script("viewer/main.js", template=read_text(__file__, "viewer.html")),
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
    """Show one image that can be zoomed and moved, with overlays whose opacity can be set.

    Nothing of that reruns the page, but placing a point that the page asked for.

    Args:
        key: Widget key, unique on the page; the same key keeps what the person set from one image to the next.
        image_url: Address of the image, such as `/colpo/images/12`.
        layers: Overlays, the lowest first.
        height_px: Height of the stage in CSS pixels; the sliders come below.
        around_px: Height of everything else on the page: the stage then takes what is left of the window's height,
            and `height_px` is not used.
        alt: What a screen reader says of the image; nothing that would unblind a reader.
        marks: Points on the image.
        asks_for: What the person is asked to place by a click or with the keys, such as `Site of specimen 2`; or empty.
        on_place: Called before the page reruns with where it was placed, (x, y) in pixels of the image.
        on_leave: Called before the page reruns where the person pressed Escape instead.
    """

    def placed() -> None:
        point = st.session_state[key].get("placed")
        if point and on_place is not None:
            on_place(float(point["x"]), float(point["y"]))

    def left() -> None:
        if st.session_state[key].get("left") and on_leave is not None:
            on_leave()

    height = f"{height_px}px" if around_px is None else f"clamp(320px, 100vh - {around_px}px, 1200px)"
    _mount(
        key,
        [Frame(image_url, image_url, layers=layers, marks=marks, alt=alt)],
        ["one"],
        height,
        asks_for=asks_for,
        on_placed=placed,
        on_left=left,
    )


def image_series(key: str, frames: Sequence[Frame], *, height_px: int = 340) -> None:
    """Show images side by side: zooming or moving one zooms and moves all, whatever their sizes.

    Unlinked, one image can be shifted against the others; linked again, it keeps that shift. Nothing reruns the page.

    Args:
        key: Widget key, unique on the page.
        frames: The images, in order.
        height_px: Greatest height of each image's frame in CSS pixels.
    """
    _mount(key, frames, ["all"], f"{height_px}px", has_tools=True)


def case_viewer(key: str, frames: Sequence[Frame], current: str, *, height_px: int = 460, file_name: str) -> None:
    """Show the images of a case with everything a person needs to look at them; nothing of it reruns the page.

    One image, a divider over two, two side by side or all; layers with opacity, outline and threshold; a strip of the
    case's images; keys for everything; and what is seen can be saved as a PNG file.

    Args:
        key: Widget key, unique on the page; the same key keeps what the person set from one case to the next.
        frames: The images, in order.
        current: `id` of the one that is shown at first.
        height_px: Height of the stage in CSS pixels.
        file_name: Name of the file that a saved view gets, such as `p-12-image-7.png`.
    """
    views: list[View] = ["one", "swipe", "two", "all"] if len(frames) > 1 else ["one", "swipe", "two"]
    _mount(key, frames, views, f"{height_px}px", current=current, file_name=file_name, has_tools=True)


def _mount(
    key: str,
    frames: Sequence[Frame],
    views: Sequence[View],
    height: str,
    *,
    current: str = "",
    file_name: str = "view.png",
    has_tools: bool = False,
    asks_for: str = "",
    on_placed: Callable[[], None] = lambda: None,
    on_left: Callable[[], None] = lambda: None,
) -> None:
    _viewer(
        key=key,
        data={
            "frames": [_data(frame) for frame in frames],
            "current": current or (frames[0].id if frames else ""),
            "views": list(views),
            "height": height,
            "has_tools": has_tools,
            "file_name": file_name,
            "asks_for": asks_for,
        },
        on_placed_change=on_placed,
        on_left_change=on_left,
        width="stretch",
    )


def _data(frame: Frame) -> dict[str, Any]:
    return {
        "id": frame.id,
        "url": frame.url,
        "title": frame.title,
        "alt": frame.alt or frame.title,
        "thumbnail_url": frame.thumbnail_url or frame.url,
        "layers": [asdict(layer) for layer in frame.layers],
        "points": [asdict(mark) for mark in frame.marks],
    }
