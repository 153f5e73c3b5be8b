"""Biopsy points on the drawable canvas: set by a click, moved or taken away with the toolbar's edit toggle."""

from math import cos, radians, sin
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from colpo_core.records.annotations import AnnotationDesk, BiopsyPointRecord
from colpo_core.records.cases.images import ImageRecord
from pages._ui.annotations import actions
from pages._ui.shared.context import PageContext

_COLOUR = "#ffe14d"
_RADIUS = 7.0
_LINE = 3.0
_FIT = (680, 510)


def show_canvas(ctx: PageContext, desk: AnnotationDesk) -> None:
    """Draw the canvas of an image. Each change is saved at once, in pixels of the image."""
    # Imported here: the package finds its files only while a Streamlit server is running.
    from streamlit_drawable_canvas import st_canvas

    image = desk.annotation.image
    key, initial_key = _keys(image.id)
    scale = min(_FIT[0] / image.width_px, _FIT[1] / image.height_px)
    # The canvas is redrawn whenever this changes, so it stays what was saved when the canvas first appeared.
    if initial_key not in st.session_state:
        st.session_state[initial_key] = drawing_of(desk.biopsy_points, scale)

    def changed() -> None:
        drawing = (st.session_state[key].get("drawing") or {}).get("raw")
        if drawing is not None:
            actions.save_points(ctx, image.id, points_of(drawing, image, scale))

    # The canvas's own tools float above it.
    st.caption("Click where a biopsy was taken or is proposed. The pencil moves and deletes.")
    st_canvas(
        key=key,
        drawing_mode="point",
        point_display_radius=int(_RADIUS),
        stroke_width=int(_LINE),
        stroke_color=_COLOUR,
        fill_color="rgba(20, 24, 26, 0.35)",
        background_image=_address(f"/colpo/images/{image.id}"),
        initial_drawing=st.session_state[initial_key],
        width=round(image.width_px * scale),
        height=round(image.height_px * scale),
        on_change=changed,
    )


def forget_canvas(image_id: int) -> None:
    """Let the canvas start from what is saved when it is shown again."""
    st.session_state.pop(_keys(image_id)[1], None)


def list_points(points: tuple[BiopsyPointRecord, ...]) -> None:
    """The saved points in pixels of the image."""
    st.markdown("**Biopsy points**")
    if not points:
        st.caption("None yet. Every point is saved at once.")
        return
    for point in points:
        st.markdown(f"{point.position}. x {point.x_px:.0f}, y {point.y_px:.0f} px")
    st.caption(f"Saved: {len(points)}.")


def drawing_of(points: tuple[BiopsyPointRecord, ...], scale: float) -> dict[str, Any]:
    """The circles that the canvas draws for points, placed as its point tool places them.

    Args:
        points: In pixels of the image.
        scale: Canvas pixels per pixel of the image.
    """
    return {
        "objects": [
            {
                "type": "Circle",
                "originX": "left",
                "originY": "center",
                "left": point.x_px * scale - _RADIUS - _LINE / 2,
                "top": point.y_px * scale,
                "radius": _RADIUS,
                "stroke": _COLOUR,
                "strokeWidth": _LINE,
                "fill": "rgba(20, 24, 26, 0.35)",
                "scaleX": 1,
                "scaleY": 1,
                "angle": 0,
            }
            for point in points
        ]
    }


def points_of(drawing: dict[str, Any], image: ImageRecord, scale: float) -> list[tuple[float, float]]:
    """The points of a drawing, in pixels of the image; a circle that was dragged over the border lies on it.

    Args:
        drawing: The canvas's JSON.
        image: The image behind it.
        scale: Canvas pixels per pixel of the image.
    """
    points = []
    for circle in drawing.get("objects", []):
        if str(circle.get("type", "")).lower() != "circle":
            continue
        half = (2 * circle.get("radius", 0.0) + circle.get("strokeWidth", 0.0)) * circle.get("scaleX", 1.0) / 2
        along = {"left": half, "center": 0.0, "right": -half}[circle.get("originX", "left")]
        angle = radians(circle.get("angle", 0.0))
        x_px = (circle["left"] + along * cos(angle)) / scale
        y_px = (circle["top"] + along * sin(angle)) / scale
        points.append((min(max(x_px, 0.0), float(image.width_px)), min(max(y_px, 0.0), float(image.height_px))))
    return points


def _keys(image_id: int) -> tuple[str, str]:
    return f"biopsy_canvas_{image_id}", f"biopsy_initial_{image_id}"


def _address(path: str) -> str:
    """The full address, which the canvas needs; the host is our own, so the session cookie is sent along."""
    page = urlsplit(st.context.url or "http://localhost")
    return f"{page.scheme}://{page.netloc}{path}"
