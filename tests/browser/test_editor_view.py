"""What the editor shows, its keys and its buttons, in a real browser against the real server."""

import re

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from colpo_core.services.annotations import own_masks
from colpo_core.terms import Finding
from tests.browser.editor_hands import disc, paint, press, show_photograph
from tests.browser.mask_page import HEIGHT, WIDTH, Clinic, EditorPage, NewTab

pytestmark = pytest.mark.browser


def test_looks_change_no_pixel_and_stay(clinic: Clinic, image_id: int, new_tab: NewTab) -> None:
    clinic.add_image(image_id + 20_000)
    tab = new_tab().open(image_id)
    paint(tab, disc(30))
    before = tab.shown()
    image, canvas = tab.page.locator(".editor .image"), tab.page.locator(".editor .mask")
    press(tab, ".", ".", ">", "v", "{")
    expect(image).to_have_css("filter", re.compile(r"brightness\(1\.2\) contrast\(1\.1\) url\(.*green-filter.*\)"))
    expect(canvas).to_have_css("filter", "none")
    expect(canvas).to_have_css("opacity", "0.6")
    assert np.array_equal(tab.shown(), before)
    inside = tab.colour(80, 60)
    press(tab, "o")
    assert tab.colour(80, 60)[3] == 0 < inside[3]
    press(tab, "o")
    tab.page.keyboard.down("h")
    expect(canvas).to_have_css("visibility", "hidden")
    tab.page.keyboard.up("h")
    expect(canvas).to_have_css("visibility", "visible")
    tab.wait_state("saved")
    assert np.array_equal(clinic.stored(image_id), before)
    tab.page.get_by_role("button", name="Next image").click()
    tab.page.wait_for_url(lambda url: f"image={image_id}" not in url)
    tab.wait_ready()
    expect(image).to_have_css("filter", re.compile("green-filter"))
    press(tab, "a")
    expect(image).to_have_css("filter", "none")
    expect(canvas).to_have_css("opacity", "0.6")


def test_the_green_filter_shows_green(image_id: int, new_tab: NewTab) -> None:
    tab = new_tab()
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rgb[:, : WIDTH // 2] = (230, 20, 20)
    rgb[:, WIDTH // 2 :] = (230, 200, 200)
    show_photograph(tab.page, image_id, rgb)
    tab.open(image_id)
    press(tab, "v")
    shot = cv2.imdecode(np.frombuffer(tab.page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert shot is not None
    seen = {}
    for name, x_px in (("red", 30), ("white", 130)):
        x, y = tab.at(x_px, 90)
        seen[name] = shot[round(y), round(x)].astype(int)
    assert seen["white"][1] > 150 > 2 * seen["white"][2]
    assert seen["red"].max() < 60


def test_findings_have_a_key_each(tab: EditorPage) -> None:
    active = "() => editor.activeLayer.finding"
    for digit, finding in enumerate(Finding, start=1):
        press(tab, str(digit))
        assert tab.page.evaluate(active) == finding.value
    states = "() => editor.layers.map(({ isHidden, isLocked }) => [isHidden, isLocked])"
    press(tab, "Shift+2", "Alt+3")
    hidden, locked = np.array(tab.page.evaluate(states)).T
    assert list(hidden) == [False, True, False, False, False, False]
    assert list(locked) == [False, False, True, False, False, False]
    press(tab, "3")
    tab.stroke((30, 30), (90, 42))
    assert not tab.mask().any()
    press(tab, "Alt+3", "Shift+2")
    assert not np.array(tab.page.evaluate(states)).any()
    tab.stroke((30, 30), (90, 42))
    assert tab.mask().any()


def test_the_wheel_zooms_and_with_shift_or_alt_sizes(tab: EditorPage) -> None:
    tab.size(20)
    tab.page.mouse.move(*tab.at(40, 40))
    under = tab.page.evaluate("() => editor.view.toImage(editor.strokes.cursor.x, editor.strokes.cursor.y)")
    for modifier in ("Shift", "Alt"):
        tab.page.keyboard.down(modifier)
        tab.page.mouse.wheel(0, -100)
        tab.page.wait_for_function("() => editor.diameter > 20")
        tab.page.mouse.wheel(0, 100)
        tab.page.wait_for_function("() => editor.diameter <= 20")
        tab.page.keyboard.up(modifier)
        tab.size(20)
    scale = tab.page.evaluate("() => editor.view.scale")
    tab.page.mouse.wheel(0, -300)
    tab.page.wait_for_function(f"() => editor.view.scale > {scale} * 1.2")
    now = tab.page.evaluate("() => editor.view.toImage(editor.strokes.cursor.x, editor.strokes.cursor.y)")
    assert (now["x"], now["y"]) == pytest.approx((under["x"], under["y"]), abs=0.1)
    press(tab, "[", "[")
    assert tab.page.evaluate("() => editor.diameter") < 20


def test_a_beginner_is_told_what_to_do(tab: EditorPage) -> None:
    hint = tab.page.locator(".start")
    expect(hint).to_have_text("Paint the acetowhite epithelium. Press ? for all keys.")
    press(tab, "2")
    expect(hint).to_have_text("Paint the mosaic. Press ? for all keys.")
    tab.page.mouse.move(*tab.at(30, 30))
    tab.page.mouse.down()
    expect(hint).to_be_hidden()
    tab.page.mouse.up()
    expect(hint).to_be_hidden()
    press(tab, "z")
    expect(hint).to_be_visible()


def test_one_card_names_all_keys_and_fits(tab: EditorPage) -> None:
    card = tab.page.get_by_role("note", name="Keys")
    press(tab, "?")
    expect(card).to_be_visible()
    named = set(card.locator("dt kbd, dd kbd").all_inner_texts())
    assert {*"BELPXWFDGSTHOVAMJZ[]{},.<>+0?"} - {"?"} <= named
    assert {"⇧ Z", "⇧ D", "Alt 1", "⇧ 1", "Ctrl Enter", "Space", "Esc", "N", "K"} <= named
    heights = card.evaluate("(card) => [card.scrollHeight, card.clientHeight]")
    assert heights[0] <= heights[1]
    press(tab, "Escape")
    expect(card).to_be_hidden()
    tab.page.get_by_role("button", name="Help").click()
    card.get_by_role("button", name="Close the keys").click()
    expect(card).to_be_hidden()


def test_buttons_are_named_and_the_bar_stays_one_row(image_id: int, new_tab: NewTab) -> None:
    tab = new_tab()
    tab.page.set_viewport_size({"width": 1200, "height": 800})
    tab.open(image_id)
    width, height = tab.page.evaluate(
        "() => [editor.frame.clientWidth, editor.root.querySelector('.bar').clientHeight]"
    )
    assert width < 700
    assert height < 45
    named = tab.page.evaluate("""() => [...editor.root.querySelectorAll("button")].map((button) => ({
      name: button.getAttribute("aria-label") || button.textContent.trim(), title: button.title,
      known: button.dataset.act in editor.actions || button.dataset.tool in editor.actions || !button.dataset.act,
    }))""")
    assert all(button["name"] and button["known"] for button in named)
    untitled = [button["name"] for button in named if not button["title"]]
    assert set(untitled) <= {"Submit"}


def test_the_pages_own_keys_reach_the_page(tab: EditorPage) -> None:
    tab.page.evaluate("""() => {
      window.heard = [];
      addEventListener("keydown", (event) => heard.push(event.key));
      editor.stage.focus();
    }""")
    for key in ("k", "Shift+N", "b", "Shift+B", "Alt+b", "Control+b"):
        tab.page.keyboard.press(key)
    heard = tab.page.evaluate("() => heard.filter((key) => key.length === 1)")
    assert heard == ["k", "N", "B", "b", "b"]


def test_a_whole_round_by_keys(clinic: Clinic, image_id: int, tab: EditorPage) -> None:
    tab.stroke((50, 36), (66, 40))
    press(tab, "j")
    tab.page.keyboard.type("margin unclear bezf1")
    expect(tab.page.get_by_label("Note")).to_have_value("margin unclear bezf1")
    press(tab, "Escape")
    assert tab.page.evaluate("() => editor.stage.matches(':focus')")
    press(tab, "j", "Control+Enter")
    tab.page.wait_for_function("() => editor.activeLayer.nextVersion === 2")
    tab.page.wait_for_function("() => editor.stage.matches(':focus')")  # the next key is no part of a note
    (version,) = own_masks.submitted_masks(clinic.anna, image_id=image_id)
    assert (version.number, version.note) == (1, "margin unclear bezf1")
    stored = own_masks.version_mask(clinic.anna, version_id=version.version_id)
    assert np.array_equal(stored, tab.mask())
