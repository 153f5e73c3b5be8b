"""A tab with the mask editor, and the clinic that the server behind it serves."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Dialog, Page, Route, expect
from sqlalchemy import delete
from sqlalchemy.orm import Session

from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.images.masks import decode_rle
from colpo_core.services.annotations import own_masks
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Case, Image, Patient, SignInSession
from colpo_core.terms import Finding, Stage
from tests.browser.sign_in import add_sign_in
from tests.conftest import add_person

if TYPE_CHECKING:
    from tests.browser.conftest import Server

HEIGHT, WIDTH = 120, 160
TOKEN = "token-of-anna"
SAVE_PATH = "**/colpo/annotations/i*"

_SEARCH = """(name) => {
  const search = (node) => {
    for (const element of node.querySelectorAll("*")) {
      if (element[name]) return element[name];
      const found = element.shadowRoot && search(element.shadowRoot);
      if (found) return found;
    }
    return null;
  };
  return search(document);
}"""
FIND = f"(name) => {{ window.found = ({_SEARCH})(name); return window.found !== null; }}"
FIND_EDITOR = f"""() => {{
  const editor = window.editor = ({_SEARCH})("maskEditor");
  return editor !== null && editor.isReady && editor.layers.every((layer) => layer.isLoaded);
}}"""
FIND_ASKING = f"() => {{ ({FIND_EDITOR})(); return Boolean(window.editor?.isAsking); }}"
PIXELS = """(finding) => {
  const { width, height, mask } = finding ? window.editor.layerOf(finding) : window.editor.activeLayer;
  let text = "";
  if (mask === null) return "0".repeat(width * height);
  for (const value of mask.pixels) text += value;
  return text;
}"""
PIXELS_OF_CANVAS = """() => {
  const { canvas } = window.editor.canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let text = "";
  for (let i = 3; i < data.length; i += 4) text += data[i] ? 1 : 0;
  return text;
}"""
COLOUR_AT = """([x, y]) => {
  const { canvas } = window.editor.canvas;
  return [...canvas.getContext("2d").getImageData(x, y, 1, 1).data];
}"""
KEPT_KEYS = """() => new Promise((done) => {
  const request = indexedDB.open("colpodesk", 1);
  request.onsuccess = () => {
    const keys = request.result.transaction("strokes").objectStore("strokes").getAllKeys();
    keys.onsuccess = () => { request.result.close(); done(keys.result); };
  };
})"""


def settle(page: Page) -> None:
    """Wait until Streamlit has drawn what it was asked for."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    expect(page.locator("[data-stale=true]")).to_have_count(0)


class SentFrames:
    """What a page sends through its web socket; to be made before the page is opened."""

    def __init__(self, page: Page) -> None:
        self.frames: list[bytes | str] = []
        self._page = page
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.frames.append(frame)))

    def forget(self) -> None:
        """Forget what was sent, once Streamlit is done and nothing has been sent for a while."""
        n_before = -1
        while n_before != len(self.frames):
            n_before = len(self.frames)
            self._page.wait_for_timeout(250)
            settle(self._page)
        self.frames.clear()


class Clinic:
    """The store that the server serves, and the person who paints."""

    def __init__(self, server: "Server") -> None:
        self.server = server
        self.store = Store.open(Settings(data_dir=server.data_dir))
        self.anna = add_person(self.store, "anna")
        self.sign_in()

    def sign_in(self) -> None:
        with self.store.writing() as session:
            add_sign_in(session, self.anna.person_id, TOKEN)

    def sign_out(self) -> None:
        with self.store.writing() as session:
            session.execute(delete(SignInSession))

    def add_image(self, seed: int, *, height_px: int = HEIGHT, width_px: int = WIDTH) -> int:
        with self.store.writing() as session:
            case = Case(patient=Patient(code=f"p-{seed}"))
            image = self.make_image(session, case, seed, height_px=height_px, width_px=width_px)
            session.flush()
            return image.id

    def make_image(
        self,
        session: Session,
        case: Case,
        seed: int,
        *,
        height_px: int,
        width_px: int,
        stage: Stage = Stage.ACETIC_ACID,
    ) -> Image:
        rgb = np.random.default_rng(seed).integers(60, 200, (height_px, width_px, 3), dtype=np.uint8)
        file = encode_clean(CleanImage(rgb, width_px=width_px, height_px=height_px))
        image = Image(case=case, sha256=self.store.blobs.put(file.content), media_type=file.media_type)
        image.width_px, image.height_px, image.stage = width_px, height_px, stage
        session.add(image)
        return image

    def stored(self, image_id: int, finding: Finding = Finding.ACETOWHITE) -> NDArray[np.bool_]:
        opened = own_masks.open_annotation(self.anna, image_id=image_id, finding=finding)
        return decode_rle(opened.rle, height_px=opened.image.height_px, width_px=opened.image.width_px)

    def seq(self, image_id: int, finding: Finding = Finding.ACETOWHITE) -> int:
        return own_masks.open_annotation(self.anna, image_id=image_id, finding=finding).seq


class EditorPage:
    """One tab with the editor; with a clinic it knows what the server holds of the image that was first opened."""

    def __init__(self, page: Page, url: str, clinic: Clinic | None = None) -> None:
        self.page = page
        self.url = url
        self.clinic = clinic
        self.image_id: int | None = None

    def open(self, image_id: int) -> "EditorPage":
        self.image_id = self.image_id or image_id
        self.page.goto(f"{self.url}/annotate?image={image_id}")
        return self.wait_ready()

    def another(self) -> "EditorPage":
        """One more tab of the same browser."""
        return EditorPage(self.page.context.new_page(), self.url, self.clinic)

    def stored(self, finding: Finding = Finding.ACETOWHITE) -> NDArray[np.bool_]:
        return self.clinic.stored(self.image_id, finding)

    def assert_saved(self, mask: NDArray[np.bool_] | None = None) -> None:
        """Everything is saved, and the server holds this mask of acetowhite epithelium, or else the active layer's."""
        self.wait_state("saved")
        assert np.array_equal(self.stored(), self.mask() if mask is None else mask)

    def wait_ready(self) -> "EditorPage":
        self.page.locator(".editor .stage").wait_for()
        self.page.wait_for_function(FIND_EDITOR)
        return self

    def wait_asking(self) -> "EditorPage":
        """Wait until the editor asks which of two masks to go on with."""
        self.page.locator(".editor .stage").wait_for()
        self.page.wait_for_function(FIND_ASKING)
        return self

    def wait_state(self, state: str) -> None:
        self.page.locator(f'.state[data-state="{state}"]').wait_for()

    def at(self, x_px: float, y_px: float) -> tuple[float, float]:
        """Where the point of the image lies in the window."""
        return self._in_window((x_px, y_px))[0]

    def _in_window(self, *points: tuple[float, float]) -> list[tuple[float, float]]:
        """Where points of the image lie in the window, asked for at once."""
        box = self.page.locator(".editor .stage").bounding_box()
        assert box is not None
        on_stage = self.page.evaluate("(points) => points.map(([x, y]) => editor.view.toScreen(x, y))", list(points))
        return [(box["x"] + point["x"], box["y"] + point["y"]) for point in on_stage]

    def stroke(self, *points: tuple[float, float], button: str = "left", steps: int = 4) -> None:
        first, *others = self._in_window(*points)
        self.page.mouse.move(*first)
        self.page.mouse.down(button=button)
        for point in others:
            self.page.mouse.move(*point, steps=steps)
        self.page.mouse.up(button=button)

    def click(self, *points: tuple[float, float]) -> None:
        for point in self._in_window(*points):
            self.page.mouse.click(*point)

    def size(self, diameter: int) -> None:
        self.page.evaluate("(diameter) => window.editor.setDiameter(diameter)", diameter)

    def pick(self, finding: Finding) -> None:
        self.page.evaluate("(f) => editor.selectLayer(editor.layers.indexOf(editor.layerOf(f)))", finding.value)

    def mask(self, finding: Finding | None = None) -> NDArray[np.bool_]:
        """A layer's mask, the active one's if none is named."""
        return self._as_mask(self.page.evaluate(PIXELS, finding and finding.value))

    def shown(self) -> NDArray[np.bool_]:
        self.page.wait_for_function("() => window.editor.canvas.isUpToDate")
        return self._as_mask(self.page.evaluate(PIXELS_OF_CANVAS))

    def colour(self, x_px: int, y_px: int) -> list[int]:
        """Red, green, blue and alpha of a pixel of the canvas."""
        self.page.wait_for_function("() => window.editor.canvas.isUpToDate")
        found: list[int] = self.page.evaluate(COLOUR_AT, [x_px, y_px])
        return found

    def kept(self) -> list[str]:
        """The keys of what the browser's database holds."""
        found: list[str] = self.page.evaluate(KEPT_KEYS)
        return found

    def accept_dialogs(self) -> list[str]:
        """Leave whenever the browser asks; what it asked is added to the list."""
        asked: list[str] = []

        def accept(dialog: Dialog) -> None:
            asked.append(dialog.type)
            dialog.accept()

        self.page.on("dialog", accept)
        return asked

    def wait_nothing_kept(self) -> None:
        """Wait until the browser's database holds nothing."""
        self.page.wait_for_function(f"() => ({KEPT_KEYS})().then((keys) => keys.length === 0)")

    def refuse_saves(self) -> Callable[[], None]:
        """Let no save reach the server; returns what ends it."""

        def refuse(route: Route) -> None:
            if route.request.method == "PUT":
                route.abort()
            else:
                route.continue_()

        self.page.route(SAVE_PATH, refuse)
        return lambda: self.page.unroute(SAVE_PATH)

    def _as_mask(self, digits: str) -> NDArray[np.bool_]:
        height, width = self.page.evaluate("() => [window.editor.canvas.height, window.editor.canvas.width]")
        return (np.frombuffer(digits.encode(), np.uint8) == ord("1")).reshape(height, width)


NewTab = Callable[..., EditorPage]
