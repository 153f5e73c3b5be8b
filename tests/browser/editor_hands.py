"""What hands do at the mask editor: press keys, paint a mask, show another picture."""

import re

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

from tests.browser.mask_page import HEIGHT, WIDTH, EditorPage

Mask = NDArray[np.bool_]


def press(tab: EditorPage, *keys: str) -> None:
    """Press keys, and wait until what they set going has been done."""
    for key in keys:
        tab.page.keyboard.press(key)
        wait_idle(tab)


def wait_idle(tab: EditorPage) -> None:
    tab.page.wait_for_function("() => !editor.strokes.isBusy && !editor.strokes.wand.press")


def paint(tab: EditorPage, mask: Mask) -> None:
    """Put a mask on the active layer, as one stroke."""
    digits = "".join("01"[int(value)] for value in mask.ravel())
    tab.page.evaluate(
        """(digits) => {
          editor.mask.pixels.set(Uint8Array.from(digits, Number));
          editor.touched({ x0: 0, y0: 0, x1: editor.mask.width, y1: editor.mask.height });
          editor.finished();
        }""",
        digits,
    )


def disc(radius: float, *, x_px: float = 80, y_px: float = 60, height: int = HEIGHT, width: int = WIDTH) -> Mask:
    y, x = np.mgrid[:height, :width] + 0.5
    inside: Mask = np.hypot(x - x_px, y - y_px) <= radius
    return inside


def show_photograph(page: Page, image_id: int, rgb: NDArray[np.uint8]) -> None:
    """Show this instead of the image that the server has."""
    _, png = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    page.route(
        re.compile(rf"/colpo/images/{image_id}$"),
        lambda route: route.fulfill(body=png.tobytes(), content_type="image/png"),
    )
