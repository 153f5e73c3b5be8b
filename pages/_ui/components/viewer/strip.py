"""A strip of small images, of which one is chosen."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from pages._ui.components.scripts import component_script, read_text


@dataclass(frozen=True)
class StripItem:
    """One image of a strip.

    Attributes:
        id: What `on_choose` gets when it is chosen.
        url: Address of the thumbnail.
        caption: A word or two below it.
        mark: A further word in a corner, or empty.
    """

    id: int
    url: str
    caption: str
    mark: str = ""


_strip = st.components.v2.component(
    "colpodesk_strip",
    css=read_text(__file__, "strip.css"),
    js=component_script("viewer/strip.js"),
)


def image_strip(key: str, items: Sequence[StripItem], current: int | None, *, on_choose: Callable[[int], None]) -> None:
    """Show small images in a row.

    Args:
        key: Widget key, unique on the page.
        items: The images, in order.
        current: Which of them is shown large at present.
        on_choose: Called with the `id` of an image that was clicked, before the page reruns.
    """

    def choose() -> None:
        chosen = st.session_state[key].get("chosen")
        if chosen is not None:
            on_choose(int(chosen))

    _strip(
        key=key,
        data={"items": [asdict(item) for item in items], "current": current},
        on_chosen_change=choose,
        width="stretch",
    )
