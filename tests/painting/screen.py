"""A browser tab with the mask editor, by what can be seen and pressed from outside."""

import io
from base64 import b64decode
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Dialog, Locator, Page

from tests.painting.ward import PASSWORD, Seat

VIEWPORT = {"width": 1366, "height": 768}
PATIENCE_MS = 60_000
Point = tuple[float, float]
Button = Literal["left", "right"]

_COVERED = """async (canvas) => {
  const frame = () => new Promise(requestAnimationFrame);
  const read = () => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const bits = new Uint8Array(Math.ceil(data.length / 32));
    for (let i = 3, at = 0; i < data.length; i += 4, at++) if (data[i]) bits[at >> 3] |= 128 >> (at & 7);
    let text = "";
    for (let i = 0; i < bits.length; i += 8192) text += String.fromCharCode(...bits.subarray(i, i + 8192));
    return btoa(text);
  };
  let shown = read();
  // A large change comes in bands, frame by frame, and the first ones may show nothing new.
  for (let same = 0, tries = 0; same < 2 && tries < 100; tries++) {
    for (let frames = 0; frames < 20; frames++) await frame();
    const now = read();
    same = now === shown ? same + 1 : 0;
    shown = now;
  }
  return { width: canvas.width, height: canvas.height, bits: shown };
}"""


class Tab:
    """One tab; points are (x, y) in pixels of the image."""

    def __init__(self, page: Page, url: str, seat: Seat) -> None:
        self.page = page
        self.url = url
        self.seat = seat
        page.set_default_timeout(PATIENCE_MS)
        page.on("dialog", _accept)  # "leave this page?" is asked where strokes are not saved yet

    @property
    def stage(self) -> Locator:
        return self.page.locator(".editor .stage")

    @property
    def state(self) -> str:
        """saved, saving, offline, sign-in, conflict or refused."""
        return self.page.locator(".state[data-state]").get_attribute("data-state") or ""

    def open(self) -> "Tab":
        self.page.goto(f"{self.url}/annotate?image={self.seat.image_id}")
        return self.wait_ready()

    def wait_ready(self) -> "Tab":
        """Wait until the editor shows the mask and can be painted on."""
        self.page.locator('.state[data-state]:not([data-state="loading"])').wait_for()
        self.stage.locator("img").first.wait_for()
        return self

    def wait_state(self, state: str) -> None:
        self.page.locator(f'.state[data-state="{state}"]').wait_for()

    def places(self, points: Sequence[Point]) -> list[Point]:
        """Where points of the image lie in the window."""
        box = self.stage.locator("img").first.bounding_box()
        assert box is not None
        scale_x, scale_y = box["width"] / self.seat.width_px, box["height"] / self.seat.height_px
        return [(box["x"] + x * scale_x, box["y"] + y * scale_y) for x, y in points]

    def stroke(self, *points: Point, steps: int = 4, button: Button = "left") -> None:
        """Draw; the right button erases."""
        self.begin_stroke(*points, steps=steps, button=button)
        self.page.mouse.up(button=button)

    def begin_stroke(self, *points: Point, steps: int = 4, button: Button = "left") -> None:
        """Press and draw, and do not let go."""
        first, *others = self.places(points)
        self.page.mouse.move(*first)
        self.page.mouse.down(button=button)
        for place in others:
            self.page.mouse.move(*place, steps=steps)

    def row(self, number: int, n_rows: int) -> Sequence[Point]:
        """The ends of a stroke of its own, one below the other, so that each can be looked for afterwards."""
        y = self.seat.height_px * (number + 1) / (n_rows + 1)
        return (self.seat.width_px * 0.25, y), (self.seat.width_px * 0.75, y)

    def shown(self) -> NDArray[np.bool_]:
        """The pixels that the mask's canvas covers, H x W, once nothing more is being drawn on it."""
        told = self.page.locator(".plane canvas.mask").evaluate(_COVERED)
        bits = np.unpackbits(np.frombuffer(b64decode(told["bits"]), np.uint8))
        height, width = told["height"], told["width"]
        return bits[: height * width].reshape(height, width).astype(np.bool_)

    def covers(self, point: Point) -> bool:
        """Whether the mask's canvas covers a pixel at this moment."""
        alpha = "(canvas, [x, y]) => canvas.getContext('2d').getImageData(x, y, 1, 1).data[3]"
        return bool(self.page.locator(".plane canvas.mask").evaluate(alpha, [int(point[0]), int(point[1])]))

    def photograph(self) -> NDArray[np.int16]:
        """What the screen itself shows at the middle of every pixel of the image, H x W x 3, without the zoom's bar."""
        taken = self.page.screenshot(style=".zoom { visibility: hidden; }")
        window = np.asarray(Image.open(io.BytesIO(taken)).convert("RGB"), np.int16)
        corners = (0.5, 0.5), (self.seat.width_px - 0.5, self.seat.height_px - 0.5)
        (x0, y0), (x1, y1) = self.places(corners)
        columns = np.linspace(x0, x1, self.seat.width_px).astype(int)
        rows = np.linspace(y0, y1, self.seat.height_px).astype(int)
        return window[np.ix_(rows, columns)]

    def sign_in_by_form(self) -> None:
        """Fill in the sign-in form that the page shows."""
        self.page.get_by_label("Username").fill(self.seat.annotator.actor.username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()


def _accept(dialog: Dialog) -> None:
    dialog.accept()
