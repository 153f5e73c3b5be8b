"""The viewer of a case under review, in a real browser: views, layers, thresholds, and what is saved as a file."""

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image as Picture
from playwright.sync_api import Page, expect

from colpo_core.settings import Settings
from colpo_core.store import Store
from tests.browser.conftest import Server
from tests.browser.mask_page import FIND
from tests.browser.reviewed import TOKEN, ReviewedCase
from tests.browser.sign_in import TALL

pytestmark = pytest.mark.browser

FIELD = "Acetowhite epithelium"
OUTSIDE = (0.03, 0.03)  # a corner far from the lesion, as shares of the image's sides


@pytest.fixture(scope="module")
def case(server: Server) -> Iterator[ReviewedCase]:
    store = Store.open(Settings(data_dir=server.data_dir))
    yield ReviewedCase(store, width_px=720, height_px=480)
    store.close()


@pytest.fixture
def page(new_page: Callable[..., Page], server: Server, case: ReviewedCase) -> Page:
    page = new_page(server, TOKEN, viewport=TALL, accept_downloads=True)
    page.goto(f"{server.url}/review?prediction={case.prediction_id}")
    page.locator(".viewer .pane").first.wait_for()
    page.wait_for_function(FIND, arg="imageViewer")
    page.wait_for_function("() => window.found.isLoaded && window.found.images.all.every((image) => image.isLoaded)")
    page.evaluate(
        """() => {
          // The pixels of a canvas of the first pane around a place of the image, as a share of its sides.
          window.at = (canvas, x, y, pane = 0) => {
            const { view, [canvas]: element } = window.found.panes[pane];
            const there = view.toScreen(x * view.imageWidth, y * view.imageHeight);
            return [...element.getContext("2d").getImageData(there.x, there.y, 1, 1).data];
          };
          const frame = () => new Promise((done) => requestAnimationFrame(done));
          window.drawn = () => frame().then(frame);
        }"""
    )
    page.locator(".viewer .pane").first.click()
    return page


@pytest.fixture
def inside(case: ReviewedCase) -> tuple[float, float]:
    """The lesion's middle, as shares of the image's sides."""
    rows, columns = np.nonzero(case.lesion)
    middle = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
    return float(columns[middle]) / case.width_px, float(rows[middle]) / case.height_px


def alpha(page: Page, where: tuple[float, float], pane: int = 0) -> int:
    page.evaluate("() => window.drawn()")
    return int(page.evaluate("([x, y, pane]) => window.at('over', x, y, pane)[3]", [*where, pane]))


def first(page: Page, name: str) -> object:
    return page.locator(".viewer").first.get_by_label(name, exact=True)


def test_the_probability_is_coloured_from_the_threshold_on(page: Page, inside: tuple[float, float]) -> None:
    assert (alpha(page, inside) > 100, alpha(page, OUTSIDE)) == (True, 0)
    first(page, f"Threshold of {FIELD}").fill("99")
    assert alpha(page, inside) == 0, "no place is so sure: the probability is smooth"
    page.locator(".viewer .pane").first.click()
    for _ in range(30):
        page.keyboard.press(",")
    expect(page.get_by_text("shown from 0 %").first).to_be_visible()
    assert alpha(page, inside) > 100
    page.keyboard.press("1")
    assert alpha(page, inside) == 0
    page.keyboard.press("1")
    before = alpha(page, inside)
    page.keyboard.press("]")
    assert alpha(page, inside) > before


def test_an_outline_runs_where_the_value_passes_the_threshold(page: Page, inside: tuple[float, float]) -> None:
    page.keyboard.press("c")
    assert alpha(page, inside) == 0, "an outline leaves the lesion itself free"
    page.evaluate("() => window.found.lay()")
    drawn = page.evaluate(
        """() => {
          const { over } = window.found.panes[0];
          const { data } = over.getContext("2d").getImageData(0, 0, over.width, over.height);
          let n = 0;
          for (let i = 3; i < data.length; i += 4) n += data[i] > 100;
          return n / (data.length / 4);
        }"""
    )
    assert 0.001 < drawn < 0.05


def test_views_follow_each_other_and_stay_linked(page: Page) -> None:
    panes = page.locator(".viewer").first.locator(".pane")
    expect(panes).to_have_count(1)
    page.keyboard.press("w")
    divider = page.locator(".viewer").first.locator(".divider")
    expect(divider).to_be_visible()
    before = divider.bounding_box()["x"]
    page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_function("(x) => window.found.panes[0].divider.getBoundingClientRect().x < x - 10", arg=before)
    page.keyboard.press("w")
    expect(panes).to_have_count(2)
    page.keyboard.press("+")
    places = page.evaluate("() => window.found.panes.map((pane) => pane.sheet.place())")
    assert places[1] == pytest.approx(places[0])
    page.get_by_label("Compare with").first.select_option(label="Lugol's iodine")
    expect(page.locator(".viewer").first.locator(".title:visible")).to_have_text(
        ["Acetic acid, 60\u00a0s", "Lugol's iodine"]
    )
    page.keyboard.press("w")
    expect(panes).to_have_count(3)
    page.keyboard.press("w")
    expect(panes).to_have_count(1)
    page.keyboard.press("PageUp")
    expect(page.locator(".viewer").first.locator(".title:visible")).to_have_text(["Native"])


def test_a_divider_shows_the_layers_on_its_left_alone(page: Page, inside: tuple[float, float]) -> None:
    page.keyboard.press("w")
    page.evaluate("() => window.found.panes[0].splitAt(1)")
    assert alpha(page, inside) > 100
    page.evaluate("() => window.found.panes[0].splitAt(0)")
    assert alpha(page, inside) == 0


def test_masks_and_their_majority_are_layers_after_the_verdict(page: Page, inside: tuple[float, float]) -> None:
    names = page.locator(".viewer").first.locator(".layer:visible .name").all_inner_texts()
    assert [name for name in names if ":" in name] == [
        "Me: acetowhite epithelium",
        "Ben: acetowhite epithelium",
        "Majority: acetowhite epithelium",
    ]
    page.keyboard.press("h")
    assert alpha(page, inside) == 0
    page.locator(".viewer").first.get_by_role("checkbox", name="Majority: acetowhite epithelium").check()
    assert alpha(page, inside) > 60


def test_what_is_seen_is_what_is_saved(page: Page, case: ReviewedCase, inside: tuple[float, float]) -> None:
    page.locator(".viewer").first.get_by_role("button", name="Brighter").click()
    page.locator(".viewer .pane").first.click()
    with page.expect_download() as told:
        page.keyboard.press("e")
    assert told.value.suggested_filename == f"review-image-{case.image_id}.png"
    saved = np.asarray(Picture.open(io.BytesIO(told.value.path().read_bytes())).convert("RGBA"))
    box = page.locator(".viewer .pane").first.bounding_box()
    assert saved.shape[:2] == (round(box["height"]), round(box["width"]))
    there = page.evaluate(
        "([x, y]) => { const v = window.found.view; return v.toScreen(x * v.imageWidth, y * v.imageHeight); }",
        list(inside),
    )
    base = np.array(page.evaluate("([x, y]) => window.at('base', x, y)", list(inside))[:3], float)
    over = np.array(page.evaluate("([x, y]) => window.at('over', x, y)", list(inside)), float)
    expected = np.minimum(255, base * 1.1) * (1 - over[3] / 255) + over[:3] * over[3] / 255
    assert saved[int(there["y"]), int(there["x"]), :3] == pytest.approx(expected, abs=4)


def test_nothing_of_it_asks_the_server(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.evaluate(
        "() => { const send = WebSocket.prototype.send; window.sent = 0;"
        " WebSocket.prototype.send = function (...given) { window.sent += 1; return send.apply(this, given); }; }"
    )
    for key in (*"123456789c[],.hh+-wwww0l?", "PageDown", "PageUp", "ArrowLeft", "Shift+ArrowLeft"):
        page.keyboard.press(key)
        page.evaluate("() => window.drawn()")
    page.wait_for_timeout(500)
    assert [url for url in asked if "/colpo/" in url and not url.endswith("/colpo/session")] == []
    assert page.evaluate("() => window.sent") == 0


def test_four_maps_share_one_zoom_and_one_opacity(page: Page) -> None:
    maps = page.locator(".viewer").nth(1)
    expect(maps.locator(".pane")).to_have_count(4)
    maps.locator(".pane").first.click()
    page.keyboard.press("+")
    places = page.evaluate(
        """() => {
          const found = [];
          const search = (node) => {
            for (const element of node.querySelectorAll("*")) {
              if (element.imageViewer) found.push(element.imageViewer);
              if (element.shadowRoot) search(element.shadowRoot);
            }
          };
          search(document);
          return found[1].panes.map((pane) => pane.sheet.place());
        }"""
    )
    assert places[0]["zoom"] == pytest.approx(1.25)
    for one in places[1:]:
        assert one == pytest.approx(places[0])
    expect(maps.get_by_label("Opacity of Map")).to_have_count(1)


def test_a_layer_that_cannot_be_loaded_is_crossed_out_and_the_rest_works(page: Page) -> None:
    page.route("**/acetowhite.png", lambda route: route.fulfill(status=404, body="gone"))
    page.reload()
    row = page.locator(".viewer").first.locator(".layer.failed")
    expect(row).to_contain_text(FIELD)
    page.locator(".viewer .pane").first.click()
    page.keyboard.press("+")
    expect(page.locator(".viewer").first.get_by_role("checkbox", name="HSIL map, 4 channels")).to_be_enabled()
