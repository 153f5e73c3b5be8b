"""The image viewer."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from pages._ui.components import read_part, template


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


_viewer = st.components.v2.component(
    "colpodesk_viewer",
    css=read_part(__file__, "viewer.css"),
    js=template(read_part(__file__, "viewer.html")) + read_part(__file__, "view.js") + read_part(__file__, "viewer.js"),
)


def image_viewer(
    key: str,
    image_url: str,
    layers: Sequence[Layer] = (),
    height_px: int = 460,
    *,
    alt: str = "Colposcopy image",
    around_px: int | None = None,
) -> None:
    """Show an image that can be zoomed and moved, with overlays whose opacity can be set.

    Nothing of that reruns the page.

    Args:
        key: One a place on the page; the same key keeps what the person set from one image to the next.
        image_url: Address of the image, such as `/colpo/images/12`.
        layers: Overlays, the lowest first.
        height_px: Height of the stage in CSS pixels; the sliders come below.
        around_px: Height of everything else on the page: the stage then takes what is left of the window's height,
            and `height_px` is not used.
        alt: What a screen reader says of the image; nothing that would unblind a reader.
    """
    _viewer(
        key=key,
        data={
            "image_url": image_url,
            "layers": [asdict(layer) for layer in layers],
            "height": f"{height_px}px" if around_px is None else f"clamp(320px, 100vh - {around_px}px, 1200px)",
            "alt": alt,
        },
        width="stretch",
    )
