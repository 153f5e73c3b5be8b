"""The mask editor in a real browser, against the real server: what is on the screen is what is stored."""

import hashlib
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import delete

from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.images.masks import decode_rle
from colpo_core.records.people import Actor
from colpo_core.services import annotations, people
from colpo_core.services.opening import program_actor
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Case, Image, Patient, Person, SignInSession, utc_now
from colpo_core.terms import MaskOrigin, Role, Stage
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser

HEIGHT, WIDTH = 120, 160
TOKEN = "token-of-anna"
SAVE_PATH = "**/colpo/annotations/i*"

FIND_EDITOR = """() => {
  const search = (node) => {
    for (const element of node.querySelectorAll("*")) {
      if (element.maskEditor) return element.maskEditor;
      const found = element.shadowRoot && search(element.shadowRoot);
      if (found) return found;
    }
    return null;
  };
  window.editor = search(document);
  return window.editor !== null && window.editor.isReady;
}"""
PIXELS = """() => {
  let text = "";
  for (const value of window.editor.mask.pixels) text += value;
  return text;
}"""
PIXELS_OF_CANVAS = """() => {
  const { canvas } = window.editor.canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let text = "";
  for (let i = 3; i < data.length; i += 4) text += data[i] ? 1 : 0;
  return text;
}"""


class Clinic:
    """The store that the server serves, and the person who paints."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.store = Store.open(Settings(data_dir=server.data_dir))
        with self.store.writing() as session:
            person = Person(username="anna", display_name="Anna", role=Role.ANNOTATOR, active=True)
            session.add(person)
            session.flush()
            self.anna = Actor(person.id, person.username, person.display_name, person.role)
        self.sign_in()

    def sign_in(self) -> None:
        with self.store.writing() as session:
            session.add(
                SignInSession(
                    token_sha256=hashlib.sha256(TOKEN.encode()).hexdigest(),
                    person_id=self.anna.person_id,
                    expires_at=utc_now() + timedelta(hours=2),
                )
            )

    def sign_out(self) -> None:
        with self.store.writing() as session:
            session.execute(delete(SignInSession))

    def add_image(self, seed: int) -> int:
        rgb = np.random.default_rng(seed).integers(60, 200, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        file = encode_clean(CleanImage(rgb, width_px=WIDTH, height_px=HEIGHT))
        with self.store.writing() as session:
            image = Image(
                case=Case(patient=Patient(code=f"p-{seed}")),
                sha256=self.store.blobs.put(file.content),
                media_type=file.media_type,
                width_px=WIDTH,
                height_px=HEIGHT,
                stage=Stage.ACETIC_ACID,
            )
            session.add(image)
            session.flush()
            return image.id

    def stored(self, image_id: int) -> NDArray[np.bool_]:
        opened = annotations.open_annotation(self.store, actor=self.anna, image_id=image_id)
        return decode_rle(opened.rle, height_px=HEIGHT, width_px=WIDTH)


class EditorPage:
    """One tab with the editor."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self, image_id: int) -> "EditorPage":
        self.page.goto(f"{self.url}/annotate?image={image_id}")
        return self.wait_ready()

    def wait_ready(self) -> "EditorPage":
        self.page.locator(".editor .stage").wait_for()
        self.page.wait_for_function(FIND_EDITOR)
        return self

    def wait_state(self, state: str) -> None:
        self.page.locator(f'.state[data-state="{state}"]').wait_for()

    def at(self, x_px: float, y_px: float) -> tuple[float, float]:
        """Where the point of the image lies in the window."""
        box = self.page.locator(".editor .stage").bounding_box()
        assert box is not None
        place = self.page.evaluate("([x, y]) => window.editor.view.toScreen(x, y)", [x_px, y_px])
        return box["x"] + place["x"], box["y"] + place["y"]

    def stroke(self, *points: tuple[float, float], button: str = "left") -> None:
        self.page.mouse.move(*self.at(*points[0]))
        self.page.mouse.down(button=button)
        for point in points[1:]:
            self.page.mouse.move(*self.at(*point), steps=4)
        self.page.mouse.up(button=button)

    def click(self, *points: tuple[float, float]) -> None:
        for point in points:
            self.page.mouse.click(*self.at(*point))

    def size(self, diameter: int) -> None:
        self.page.evaluate("(diameter) => window.editor.setDiameter(diameter)", diameter)

    def mask(self) -> NDArray[np.bool_]:
        return as_mask(self.page.evaluate(PIXELS))

    def shown(self) -> NDArray[np.bool_]:
        return as_mask(self.page.evaluate(PIXELS_OF_CANVAS))


def as_mask(digits: str) -> NDArray[np.bool_]:
    return (np.frombuffer(digits.encode(), np.uint8) == ord("1")).reshape(HEIGHT, WIDTH)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    server = Server(tmp_path_factory.mktemp("clinic") / "data").start()
    clinic = Clinic(server)
    yield clinic
    clinic.store.close()
    server.kill()


@pytest.fixture
def image_id(clinic: Clinic, request: pytest.FixtureRequest) -> int:
    return clinic.add_image(int(hashlib.sha256(request.node.name.encode()).hexdigest()[:8], 16))


@pytest.fixture
def new_tab(chromium: Browser, clinic: Clinic) -> Iterator[Callable[..., EditorPage]]:
    contexts: list[BrowserContext] = []

    def new(**options: object) -> EditorPage:
        context = chromium.new_context(viewport={"width": 1366, "height": 768}, **options)
        context.add_cookies([{"name": people.SESSION_COOKIE, "value": TOKEN, "url": clinic.server.url}])
        context.set_default_timeout(20_000)
        contexts.append(context)
        return EditorPage(context.new_page(), clinic.server.url)

    yield new
    for context in contexts:
        context.close()


def test_what_is_on_the_screen_is_what_is_stored(
    clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]
) -> None:
    tab = new_tab().open(image_id)
    tab.size(11)
    tab.stroke((30, 30), (90, 42), (70, 100))
    tab.wait_state("saved")
    mask = tab.mask()
    assert mask[30, 30]
    assert 500 < mask.sum() < 3000
    assert np.array_equal(tab.shown(), mask)
    assert np.array_equal(clinic.stored(image_id), mask)


def test_painting_reruns_nothing(clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]) -> None:
    tab = new_tab()
    sent: list[object] = []
    tab.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    tab.open(image_id)
    tab.page.wait_for_timeout(1500)
    sent.clear()
    tab.stroke((30, 30), (90, 42))
    tab.page.keyboard.press("z")
    tab.page.keyboard.press("Shift+Z")
    tab.wait_state("saved")
    assert clinic.stored(image_id).any()
    assert sent == []


def test_every_tool_leaves_its_pixels(clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]) -> None:
    tab = new_tab().open(image_id)
    keyboard = tab.page.keyboard
    keyboard.press("p")
    tab.click((20, 20), (120, 20), (120, 100), (20, 100))
    keyboard.press("Enter")
    expected = np.zeros((HEIGHT, WIDTH), np.bool_)
    expected[20:100, 20:120] = True
    square = tab.mask()
    assert (square ^ expected).sum() <= 2 * (80 + 100)
    keyboard.press("x")
    tab.click((50, 40), (90, 40), (90, 80), (50, 80), (50, 40))
    assert not tab.mask()[60, 70]
    assert tab.mask()[30, 30]
    keyboard.press("e")
    tab.size(9)
    tab.stroke((30, 90), (60, 90))
    assert not tab.mask()[90, 45]
    keyboard.press("b")
    tab.stroke((140, 60))
    assert tab.mask()[60, 140]
    tab.stroke((140, 60), button="right")
    assert not tab.mask()[60, 140]
    keyboard.press("p")
    tab.stroke((130, 20), (150, 20), (150, 50), (130, 50), (131, 22))
    assert tab.mask()[35, 140]
    tab.wait_state("saved")
    assert np.array_equal(clinic.stored(image_id), tab.mask())


def test_sixty_strokes_go_back_and_forth(clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]) -> None:
    tab = new_tab().open(image_id)
    tab.size(5)
    states = [tab.mask()]
    for number in range(60):
        tab.click((8 + number * 2.4, 10 + (number * 37) % 100))
        states.append(tab.mask())
    assert len({state.tobytes() for state in states}) == 61
    for state in reversed(states[:-1]):
        tab.page.keyboard.press("z")
        assert np.array_equal(tab.mask(), state)
    expect(tab.page.get_by_role("button", name="Undo")).to_be_disabled()
    tab.page.keyboard.press("Control+y")
    tab.page.keyboard.press("Control+Shift+Z")
    tab.page.get_by_role("button", name="Redo").click()
    assert np.array_equal(tab.mask(), states[3])
    tab.wait_state("saved")
    assert np.array_equal(clinic.stored(image_id), states[3])
    tab.page.get_by_role("button", name="Clear the mask").click()
    assert not tab.mask().any()
    tab.page.get_by_role("button", name="Undo").click()
    assert np.array_equal(tab.mask(), states[3])


def test_a_reload_and_another_day_find_the_mask(
    clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]
) -> None:
    tab = new_tab().open(image_id)
    tab.stroke((30, 30), (90, 42))
    tab.wait_state("saved")
    painted = tab.mask()
    tab.page.reload()
    assert np.array_equal(tab.wait_ready().mask(), painted)
    tab.stroke((30, 80), (90, 80))
    tab.wait_state("saved")
    assert np.array_equal(new_tab().open(image_id).mask(), tab.mask())


def test_zoom_moves_the_view_and_no_pixel(clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]) -> None:
    tab = new_tab().open(image_id)
    tab.stroke((30, 30), (90, 42))
    painted = tab.mask()
    tab.page.mouse.move(*tab.at(100.5, 60.5))
    for _ in range(8):
        tab.page.mouse.wheel(0, -200)
    under = tab.page.evaluate("() => window.editor.strokes.cursor && window.editor.view.scale")
    assert under > 8
    assert np.array_equal(tab.mask(), painted)
    tab.size(1)
    tab.click((100.5, 60.5))
    assert (tab.mask() ^ painted).sum() == 1
    assert tab.mask()[60, 100]
    before = tab.page.evaluate("() => window.editor.view.x")
    x, y = tab.at(100.5, 60.5)
    tab.page.keyboard.down(" ")
    tab.page.mouse.down()
    tab.page.mouse.move(x - 50, y, steps=3)
    tab.page.mouse.up()
    tab.page.keyboard.up(" ")
    assert tab.page.evaluate("() => window.editor.view.x") == pytest.approx(before - 50, abs=1)
    assert (tab.mask() ^ painted).sum() == 1
    tab.page.keyboard.press("0")
    assert tab.page.evaluate("() => window.editor.view.isFitted")


def test_keys_leave_writing_alone(image_id: int, new_tab: Callable[..., EditorPage]) -> None:
    tab = new_tab().open(image_id)
    tab.stroke((30, 30), (90, 42))
    painted = tab.mask()
    tab.page.get_by_label("Note").click()
    tab.page.keyboard.type("bepz [x] 0?")
    assert tab.page.evaluate("() => window.editor.tool") == "brush"
    assert np.array_equal(tab.mask(), painted)
    expect(tab.page.get_by_label("Note")).to_have_value("bepz [x] 0?")
    tab.page.mouse.click(*tab.at(80, 100))
    tab.page.keyboard.down("h")
    visibility = "() => window.editor.canvas.canvas.style.visibility"
    assert tab.page.evaluate(visibility) == "hidden"
    tab.page.keyboard.up("h")
    assert tab.page.evaluate(visibility) == "visible"
    tab.page.keyboard.press("?")
    expect(tab.page.get_by_role("note", name="Keys")).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("note", name="Keys")).to_be_hidden()


def test_one_finger_paints_and_two_zoom(clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]) -> None:
    tab = new_tab(has_touch=True).open(image_id)
    tab.size(9)
    session = tab.page.context.new_cdp_session(tab.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", tab.at(40, 40))
    for step in range(1, 6):
        touch("touchMove", tab.at(40 + step * 10, 40))
    touch("touchEnd")
    tab.wait_state("saved")
    painted = tab.mask()
    assert painted[40, 40]
    assert painted[40, 88]
    scale = tab.page.evaluate("() => window.editor.view.scale")
    left, right = tab.at(60, 80), tab.at(100, 80)
    touch("touchStart", left)
    touch("touchStart", left, right)
    for step in range(1, 6):
        touch("touchMove", (left[0] - 12 * step, left[1]), (right[0] + 12 * step, right[1]))
    touch("touchEnd")
    assert tab.page.evaluate("() => window.editor.view.scale") > scale * 1.3
    assert np.array_equal(tab.mask(), painted)
    assert np.array_equal(tab.shown(), painted)
    assert np.array_equal(clinic.stored(image_id), painted)


def test_offline_keeps_every_stroke(clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]) -> None:
    tab = new_tab().open(image_id)
    tab.page.context.set_offline(True)
    for row in (20, 50, 80):
        tab.stroke((30, row), (90, row))
    tab.wait_state("offline")
    expect(tab.page.get_by_text("Offline: 3 strokes kept here")).to_be_visible()
    assert not clinic.stored(image_id).any()
    tab.page.context.set_offline(False)
    tab.wait_state("saved")
    assert np.array_equal(clinic.stored(image_id), tab.mask())


def test_answers_that_are_lost_lose_nothing(clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]) -> None:
    tab = new_tab().open(image_id)
    lost = 0

    def lose_answer(route: Route) -> None:
        nonlocal lost
        if route.request.method == "PUT" and lost < 3:
            lost += 1
            route.fetch()
            route.abort()
        else:
            route.continue_()

    tab.page.route(SAVE_PATH, lose_answer)
    for row in (20, 50, 80):
        tab.stroke((30, row), (90, row))
    tab.wait_state("saved")
    assert lost == 3
    assert np.array_equal(clinic.stored(image_id), tab.mask())


def test_strokes_outlive_a_reload_without_a_server(
    clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]
) -> None:
    tab = new_tab().open(image_id)
    asked: list[str] = []

    def accept(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        dialog.accept()  # type: ignore[attr-defined]

    tab.page.on("dialog", accept)
    tab.page.route(SAVE_PATH, lambda route: route.abort() if route.request.method == "PUT" else route.continue_())
    tab.stroke((30, 30), (90, 42))
    tab.wait_state("offline")
    painted = tab.mask()
    tab.page.reload()
    assert asked == ["beforeunload"]
    tab.page.unroute(SAVE_PATH)
    tab.wait_ready()
    tab.wait_state("saved")
    assert np.array_equal(tab.mask(), painted)
    assert np.array_equal(clinic.stored(image_id), painted)
    tab.page.reload()
    assert asked == ["beforeunload"]


def test_strokes_outlive_leaving_the_image(clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]) -> None:
    clinic.add_image(image_id + 10_000)
    tab = new_tab().open(image_id)
    tab.page.route(SAVE_PATH, lambda route: route.abort() if route.request.method == "PUT" else route.continue_())
    tab.stroke((30, 30), (90, 42))
    painted = tab.mask()
    tab.wait_state("offline")
    tab.page.get_by_role("button", name="Next image").click()
    tab.page.wait_for_url(lambda url: f"image={image_id}" not in url)
    tab.wait_ready()
    tab.page.unroute(SAVE_PATH)
    tab.page.wait_for_function(
        "() => Object.keys(sessionStorage).filter((key) => key.startsWith('colpo-mask:')).length === 0"
    )
    assert np.array_equal(clinic.stored(image_id), painted)
    assert not tab.mask().any()


def test_a_server_that_dies_in_between_loses_nothing(
    clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]
) -> None:
    tab = new_tab().open(image_id)
    tab.stroke((30, 20), (90, 20))
    clinic.server.kill()
    tab.stroke((30, 60), (90, 60))
    tab.wait_state("offline")
    clinic.server.start()
    tab.wait_state("saved")
    assert np.array_equal(clinic.stored(image_id), tab.mask())
    assert tab.mask()[20, 60]
    assert tab.mask()[60, 60]


def test_two_tabs_do_not_overwrite_each_other(
    clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]
) -> None:
    first, second = new_tab().open(image_id), new_tab().open(image_id)
    first.stroke((30, 20), (90, 20))
    first.wait_state("saved")
    second.stroke((30, 80), (90, 80))
    second.wait_state("conflict")
    mine = second.mask()
    expect(second.page.get_by_text("changed in another tab or on another machine")).to_be_visible()
    assert np.array_equal(clinic.stored(image_id), first.mask())
    second.page.get_by_role("button", name="Load the newer state").click()
    second.wait_state("saved")
    assert np.array_equal(second.mask(), first.mask())
    second.page.get_by_role("button", name="Undo").click()
    second.wait_state("saved")
    assert np.array_equal(second.mask(), mine)
    assert np.array_equal(clinic.stored(image_id), mine)


def test_signing_in_again_saves_what_was_kept(
    clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]
) -> None:
    tab = new_tab().open(image_id)
    clinic.sign_out()
    tab.stroke((30, 30), (90, 42))
    tab.wait_state("sign-in")
    link = tab.page.get_by_role("link", name="Sign in again")
    expect(link).to_have_attribute("href", "/login")
    expect(link).to_have_attribute("target", "_blank")
    assert not clinic.stored(image_id).any()
    clinic.sign_in()
    tab.wait_state("saved")
    assert np.array_equal(clinic.stored(image_id), tab.mask())


def test_a_refused_mask_is_said_and_kept(clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]) -> None:
    tab = new_tab().open(image_id)
    sentence = "This mask is too detailed to be stored."

    def refuse(route: Route) -> None:
        if route.request.method == "PUT":
            route.fulfill(status=413, json={"error": sentence})
        else:
            route.continue_()

    tab.page.route(SAVE_PATH, refuse)
    tab.stroke((30, 30), (90, 42))
    tab.wait_state("refused")
    expect(tab.page.get_by_text(f"Not saved. {sentence}")).to_be_visible()
    tab.page.unroute(SAVE_PATH)
    tab.stroke((30, 80), (90, 80))
    tab.wait_state("saved")
    assert np.array_equal(clinic.stored(image_id), tab.mask())


def test_submitting_makes_a_version_of_the_screen(
    clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]
) -> None:
    tab = new_tab().open(image_id)
    tab.stroke((30, 30), (90, 42))
    tab.page.get_by_label("Note").fill("margin unclear at 3 o'clock")
    tab.page.get_by_role("button", name="Submit").click()
    tab.page.get_by_text("Version 1 submitted").wait_for()
    version = annotations.submitted_masks(clinic.store, actor=clinic.anna, image_id=image_id)[0]
    assert (version.number, version.note) == (1, "margin unclear at 3 o'clock")
    stored = annotations.version_mask(clinic.store, actor=clinic.anna, version_id=version.version_id)
    assert np.array_equal(stored, tab.mask())
    expect(tab.page.get_by_label("Note")).to_have_value("")
    tab.page.get_by_role("button", name="Submit").click()
    tab.page.get_by_text("Nothing has changed since version 1").wait_for()
    tab.stroke((30, 80), (90, 80))
    tab.page.get_by_role("button", name="Submit").click()
    tab.page.get_by_text("Version 2 submitted").wait_for()


def test_biopsy_points_are_found_again(clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]) -> None:
    tab = new_tab().open(image_id)
    tab.page.get_by_text("Biopsy points").click()
    canvas = tab.page.locator("canvas.upper-canvas")
    canvas.wait_for()
    box = canvas.bounding_box()
    assert box is not None
    scale = box["width"] / WIDTH
    for number, (x_px, y_px) in enumerate(((40, 30), (100, 90)), start=1):
        tab.page.wait_for_timeout(700)
        canvas.click(position={"x": x_px * scale, "y": y_px * scale})
        tab.page.get_by_text(f"Saved: {number}.").wait_for()
    tab.page.reload()
    tab.wait_ready()
    tab.page.get_by_text("Biopsy points").click()
    canvas.wait_for()
    tab.page.wait_for_timeout(700)
    canvas.click(position={"x": 130 * scale, "y": 20 * scale})
    tab.page.get_by_text("Saved: 3.").wait_for()
    points = annotations.biopsy_points(clinic.store, actor=clinic.anna, image_id=image_id)
    expected = [(40, 30), (100, 90), (130, 20)]
    assert np.allclose([(point.x_px, point.y_px) for point in points], expected, atol=0.7)


def test_a_guess_is_corrected_and_settled(clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]) -> None:
    guess = np.zeros((HEIGHT, WIDTH), np.bool_)
    guess[40:80, 50:110] = True
    importer = program_actor(clinic.store, "importer")
    annotations.import_annotation(clinic.store, actor=importer, image_id=image_id, mask=guess, origin=MaskOrigin.CHORD)
    tab = new_tab()
    tab.page.goto(f"{tab.url}/annotate?image={image_id}")
    tab.page.get_by_text("a straight line joins its two ends").wait_for()
    tab.page.get_by_role("button", name="Correct it").click()
    assert np.array_equal(tab.wait_ready().mask(), guess)
    tab.size(9)
    tab.stroke((120, 60), (140, 60))
    tab.page.get_by_role("button", name="Submit").click()
    tab.page.get_by_text("Version 1 submitted").wait_for()
    submitted = annotations.submitted_masks(clinic.store, actor=clinic.anna, image_id=image_id)
    assert [version.author for version in submitted] == ["Anna"]
    assert annotations.list_to_confirm(clinic.store, actor=clinic.anna).total == 0


def test_the_server_and_the_screen_agree_in_bytes(
    clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]
) -> None:
    tab = new_tab().open(image_id)
    tab.stroke((30, 30), (90, 42))
    tab.wait_state("saved")
    code = tab.page.evaluate("() => btoa(String.fromCharCode(...window.editor.history.current))")
    assert b64decode(code) == annotations.open_annotation(clinic.store, actor=clinic.anna, image_id=image_id).rle


def test_the_viewer_moves_and_fades_without_a_rerun(
    clinic: Clinic, image_id: int, new_tab: Callable[..., EditorPage]
) -> None:
    annotations.import_annotation(
        clinic.store,
        actor=program_actor(clinic.store, "importer"),
        image_id=image_id,
        mask=np.eye(HEIGHT, WIDTH, dtype=np.bool_),
        origin=MaskOrigin.OPEN,
    )
    page = new_tab().page
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(f"{clinic.server.url}/annotate?image={image_id}")
    overlay = page.locator(".viewer .overlay")
    overlay.wait_for()
    page.wait_for_timeout(1500)
    sent.clear()
    expect(overlay).to_have_css("opacity", "0.5")
    page.get_by_label("Opacity of Imported mask").fill("20")
    expect(overlay).to_have_css("opacity", "0.2")
    page.get_by_role("checkbox", name="Imported mask").uncheck()
    expect(overlay).to_have_css("visibility", "hidden")
    scale = "() => document.querySelector('[data-testid=stBidiComponentIsolated]') && window.scaleOf()"
    page.evaluate("""() => {
      const search = (node) => {
        for (const element of node.querySelectorAll("*")) {
          if (element.imageViewer) return element.imageViewer;
          const found = element.shadowRoot && search(element.shadowRoot);
          if (found) return found;
        }
        return null;
      };
      window.scaleOf = () => search(document).view.scale;
    }""")
    fitted = page.evaluate(scale)
    stage = page.locator(".viewer .stage")
    stage.dblclick()
    assert page.evaluate(scale) == pytest.approx(fitted * 2, rel=0.01)
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"() => window.scaleOf() > {fitted * 2.2}")
    page.get_by_role("button", name="Fit the image").click()
    assert page.evaluate(scale) == pytest.approx(fitted)
    assert sent == []
