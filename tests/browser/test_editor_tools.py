"""The editor's tools in a real browser, by mouse, pen and keys, against the real server."""

import re

import cv2
import numpy as np
import pytest
from playwright.sync_api import Route, expect
from scipy import ndimage

from colpo_core.terms import Finding
from tests.browser.editor_hands import disc, paint, press, show_photograph, wait_idle
from tests.browser.mask_page import HEIGHT, WIDTH, Clinic, EditorPage, NewTab

pytestmark = pytest.mark.browser

CIRCLE = [(80 + 40 * np.cos(turn), 60 + 40 * np.sin(turn)) for turn in np.linspace(0, 2 * np.pi, 33)[:-1]]


def test_an_outline_by_hand_fills_itself_and_cuts(tab: EditorPage) -> None:
    press(tab, "l")
    tab.stroke(*CIRCLE)
    whole = tab.mask()
    assert (whole ^ disc(40)).sum() < 0.05 * disc(40).sum()
    small = [(80 + (x - 80) / 4, 60 + (y - 60) / 4) for x, y in CIRCLE]
    tab.page.keyboard.down("Alt")
    tab.stroke(*small)
    tab.page.keyboard.up("Alt")
    ring = tab.mask()
    assert not ring[60, 80]
    assert (whole ^ ring).sum() == pytest.approx(disc(10).sum(), rel=0.2)
    press(tab, "z")
    assert np.array_equal(tab.mask(), whole)
    tab.stroke(*small, button="right")
    assert not tab.mask()[60, 80]
    tab.click((20, 20))
    assert not tab.mask()[20, 20]
    tab.wait_state("saved")


def test_the_wand_takes_what_it_shows(clinic: Clinic, new_tab: NewTab) -> None:
    height, width = 600, 900
    image_id = clinic.add_image(901, height_px=height, width_px=width)
    lesion = disc(120, x_px=400, y_px=300, height=height, width=width)
    other = disc(60, x_px=700, y_px=300, height=height, width=width)
    rgb = np.where((lesion | other)[..., None], (214, 188, 180), (178, 84, 80))
    rgb = np.clip(rgb + np.random.default_rng(3).normal(0, 3, rgb.shape), 0, 255).astype(np.uint8)
    tab = new_tab()
    show_photograph(tab.page, image_id, rgb)
    tab.open(image_id)
    press(tab, "w")
    x, y = tab.at(400, 300)
    tab.page.mouse.move(x, y)
    tab.page.mouse.down()
    bubble = tab.page.locator(".bubble")
    expect(bubble).to_have_text("Tolerance 12")
    tab.page.mouse.move(x + 20, y, steps=4)
    expect(bubble).to_have_text("Tolerance 15")
    expect(tab.page.locator(".preview")).to_be_visible()
    shown = tab.page.evaluate("""() => {
      const { canvas } = editor.strokes.wand.parts.preview.getContext("2d");
      const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return { width, height, alphas: Array.from({ length: width * height }, (_, i) => data[4 * i + 3]) };
    }""")
    assert not tab.mask().any()
    tab.page.mouse.up()
    wait_idle(tab)
    taken = tab.mask()
    expect(tab.page.locator(".preview")).to_be_hidden()
    assert (taken ^ lesion).sum() < 0.03 * lesion.sum()
    assert not taken[300, 700]
    preview = (np.array(shown["alphas"]).reshape(shown["height"], shown["width"]) > 0).astype(np.uint8)
    around = cv2.dilate(preview, np.ones((3, 3), np.uint8))
    assert not (taken & (cv2.resize(around, (width, height), interpolation=cv2.INTER_NEAREST) == 0)).any()
    tab.page.keyboard.down("Alt")
    tab.click((400, 300))
    tab.page.keyboard.up("Alt")
    wait_idle(tab)
    assert not tab.mask().any()
    press(tab, "z")
    assert np.array_equal(tab.mask(), taken)
    press(tab, "]", "]", "[")
    expect(tab.page.get_by_label("Tolerance of the wand")).to_have_value("16")
    tab.page.mouse.move(*tab.at(700, 300))
    tab.page.mouse.down()
    press_escape_in_mid_drag(tab)
    assert np.array_equal(tab.mask(), taken)
    press(tab, "z")
    assert not tab.mask().any()
    tab.wait_state("saved")


def test_a_wand_that_cannot_see_says_so_and_tries_again(image_id: int, new_tab: NewTab) -> None:
    tab = new_tab()
    asked: list[str] = []

    def refuse(route: Route) -> None:
        if route.request.resource_type == "fetch":
            asked.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    where = re.compile(rf"/colpo/images/{image_id}$")
    tab.page.route(where, refuse)
    tab.open(image_id)
    press(tab, "w")
    tab.page.mouse.move(*tab.at(40, 40), steps=9)
    tab.page.mouse.move(*tab.at(90, 40), steps=9)
    assert len(asked) == 1
    tab.click((60, 60))
    expect(tab.page.locator(".bubble")).to_contain_text("The image could not be read")
    assert not tab.mask().any()
    tab.page.unroute(where)
    tab.click((60, 60))
    tab.page.wait_for_function("() => editor.history.canUndo")
    assert tab.mask()[60, 60]


def press_escape_in_mid_drag(tab: EditorPage) -> None:
    tab.page.keyboard.press("Escape")
    tab.page.mouse.up()
    wait_idle(tab)


def test_mending_is_one_step_each(tab: EditorPage) -> None:
    mask = disc(40) & ~disc(9, x_px=90) & ~disc(2, x_px=60)
    mask[5:8, 5:9] = mask[110:116, 140:146] = True
    paint(tab, mask)
    filled = ndimage.binary_fill_holes(mask)
    areas, _ = ndimage.label(filled, np.ones((3, 3)))
    without_specks = filled & (np.bincount(areas.ravel())[areas] >= 20)
    grown = ndimage.binary_dilation(without_specks)
    press(tab, "f")
    assert np.array_equal(tab.mask(), filled)
    press(tab, "Shift+D")
    tab.page.keyboard.type("20")
    press(tab, "Enter", "Escape")
    assert np.array_equal(tab.mask(), without_specks)
    press(tab, "d", "g")
    assert np.array_equal(tab.mask(), grown)
    press(tab, "s", "s")
    assert np.array_equal(tab.mask(), ndimage.binary_erosion(grown, iterations=2))
    assert np.array_equal(tab.shown(), tab.mask())
    for state in (ndimage.binary_erosion(grown), grown, without_specks, filled, mask, np.zeros_like(mask)):
        press(tab, "z")
        assert np.array_equal(tab.mask(), state)
    press(tab, "f", "d", "g", "s", "t", "Enter")
    assert not tab.mask().any()
    tab.page.get_by_role("button", name="Redo").click()
    tab.page.get_by_role("button", name="Mend").click()
    tab.page.get_by_role("button", name="Fill holes").click()
    wait_idle(tab)
    assert np.array_equal(tab.mask(), filled)
    tab.assert_saved(filled)


def test_a_mask_is_warped_by_keys_and_by_hand(tab: EditorPage) -> None:
    mask = disc(25) | disc(10, x_px=110)
    paint(tab, mask)
    press(tab, "t", "ArrowRight", "ArrowRight", "Shift+ArrowUp")
    expect(tab.page.locator(".warp-bar")).to_be_visible()
    assert np.array_equal(tab.mask(), mask)
    assert tab.page.locator(".aids .warp").get_attribute("d")
    press(tab, "Enter")
    moved = np.roll(mask, (-10, 2), axis=(0, 1))
    assert np.array_equal(tab.mask(), moved)
    press(tab, "z")
    assert np.array_equal(tab.mask(), mask)
    press(tab, "t", "ArrowDown", "Escape")
    expect(tab.page.locator(".warp-bar")).to_be_hidden()
    assert np.array_equal(tab.mask(), mask)
    press(tab, "t")
    tab.stroke((80, 60), (90, 50))
    tab.page.get_by_role("button", name="Apply").click()
    wait_idle(tab)
    assert (tab.mask() ^ np.roll(mask, (-10, 10), axis=(0, 1))).sum() < 60
    press(tab, "z", "t", "Tab", "Shift+ArrowLeft", "Shift+ArrowUp", "Enter")
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    matrix = cv2.getPerspectiveTransform(
        corners - 0.5, corners - 0.5 + np.array([[-10, -10], [0, 0], [0, 0], [0, 0]], np.float32)
    )
    expected = cv2.warpPerspective(mask.astype(np.uint8), matrix, (WIDTH, HEIGHT), flags=cv2.INTER_NEAREST)
    assert (tab.mask() ^ (expected > 0)).sum() < 0.02 * mask.sum()
    tab.assert_saved()


def test_corners_cannot_be_crossed(tab: EditorPage) -> None:
    paint(tab, disc(10))
    press(tab, "t", "Tab", *["Shift+ArrowRight"] * 8)
    corners = tab.page.evaluate("() => editor.strokes.warp.to.map(({ x, y }) => [x, y])")
    assert corners[0][0] < corners[1][0]
    press(tab, "2")
    expect(tab.page.locator(".warp-bar")).to_be_hidden()
    press(tab, "1")
    assert np.array_equal(tab.mask(), disc(10))


def test_the_ruler_measures_and_saves_nothing(tab: EditorPage) -> None:
    paint(tab, disc(20))
    tab.wait_state("saved")
    saves: list[str] = []
    tab.page.on("request", lambda request: saves.append(request.url) if request.method == "PUT" else None)
    card = tab.page.locator(".measures")
    press(tab, "m")
    expect(card).to_contain_text(f"{disc(20).sum():,} px{100 * disc(20).mean():.1f} % of the image")
    expect(card).to_contain_text("Paint the cervix outline (6)")
    tab.stroke((40, 60), (120, 60))
    expect(card).to_contain_text("Line80 px50 % of the image")
    assert saves == []
    tab.pick(Finding.CERVIX)
    paint(tab, disc(50) & ~disc(46))
    press(tab, "1")
    tab.stroke((40, 60), (90, 60))
    share = disc(20).sum() / disc(50).sum()
    expect(card).to_contain_text(f"covers {100 * share:.0f} % of the cervix")
    expect(card).to_contain_text(re.compile(r"Line50 px(49|50) % of the cervix"))
    assert np.array_equal(tab.mask(), disc(20))
    press(tab, "b")
    expect(card).to_be_hidden()


def test_a_pen_paints_and_its_other_end_erases(tab: EditorPage) -> None:
    tab.size(9)
    pen = """([points, button, buttons]) => {
      const { stage } = editor;
      const box = stage.getBoundingClientRect();
      stage.setPointerCapture = () => {};
      const send = (type, [x, y], pressed) => {
        const at = editor.view.toScreen(x, y);
        stage.dispatchEvent(new PointerEvent(type, {
          pointerId: 7, pointerType: "pen", isPrimary: true, bubbles: true, cancelable: true, pressure: 0.5,
          button: type === "pointermove" ? -1 : button, buttons: pressed,
          clientX: box.left + at.x, clientY: box.top + at.y,
        }));
      };
      send("pointerdown", points[0], buttons);
      for (const point of points.slice(1)) send("pointermove", point, buttons);
      send("pointerup", points.at(-1), 0);
    }"""
    tab.page.evaluate(pen, [[[30, 60], [120, 60]], 0, 1])
    line = tab.mask()
    assert line[60, 30:121].all()
    for tool in ("b", "p", "l", "w"):
        press(tab, tool)
        tab.page.evaluate(pen, [[[70, 60], [80, 60]], 5, 32])
        erased = tab.mask()
        assert not erased[60, 70:81].any(), tool
        assert erased[60, 40]
        press(tab, "z")
        assert np.array_equal(tab.mask(), line), tool


def test_nothing_is_saved_of_a_tool_that_was_dropped(tab: EditorPage) -> None:
    paint(tab, disc(20))
    tab.wait_state("saved")
    saves: list[str] = []
    tab.page.on("request", lambda request: saves.append(request.url) if request.method == "PUT" else None)
    press(tab, "p")
    tab.click((20, 20), (60, 20), (60, 60))
    press(tab, "b", "t", "ArrowLeft", "l", "m")
    tab.stroke((20, 20), (60, 60))
    press(tab, "Escape", "b", "0")
    tab.page.wait_for_timeout(300)
    assert saves == []
    assert np.array_equal(tab.mask(), disc(20))
    assert tab.page.evaluate("() => editor.history.index") == 1


def test_the_buttons_over_the_image_take_no_corner_of_a_polygon(tab: EditorPage) -> None:
    press(tab, "p")
    box = tab.page.get_by_role("button", name="Zoom in").bounding_box()
    assert box is not None
    before = tab.page.locator(".percent").inner_text()
    tab.page.mouse.click(*tab.at(10, 10))
    tab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert tab.page.evaluate("() => window.editor.strokes.corners.length") == 2
    assert tab.page.locator(".percent").inner_text() == before
    press(tab, "Escape")
    tab.page.get_by_role("button", name="Zoom in").click()
    expect(tab.page.locator(".percent")).not_to_have_text(before)
