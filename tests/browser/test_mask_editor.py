"""The mask editor in a real browser, against the real server: what is on the screen is what is stored."""

from base64 import b64decode

import numpy as np
import pytest
from playwright.sync_api import Route, expect

from colpo_core.services.annotations import biopsy_points as annotations_biopsy_points
from colpo_core.services.annotations import confirmation, imported_masks, own_masks
from colpo_core.services.common.actors import program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.terms import MaskOrigin
from tests.browser.mask_page import FIND, HEIGHT, WIDTH, Clinic, EditorPage, NewTab, SentFrames, settle

pytestmark = pytest.mark.browser


def test_what_is_on_the_screen_is_what_is_stored(tab: EditorPage) -> None:
    tab.size(11)
    tab.stroke((30, 30), (90, 42), (70, 100))
    tab.wait_state("saved")
    mask = tab.mask()
    assert mask[30, 30]
    assert 500 < mask.sum() < 3000
    assert np.array_equal(tab.shown(), mask)
    assert np.array_equal(tab.stored(), mask)


def test_painting_reruns_nothing(clinic: Clinic, image_id: int, new_tab: NewTab) -> None:
    tab = new_tab()
    sent = SentFrames(tab.page)
    tab.open(image_id)
    sent.forget()
    tab.stroke((30, 30), (90, 42))
    tab.page.keyboard.press("z")
    tab.page.keyboard.press("Shift+Z")
    tab.wait_state("saved")
    assert tab.stored().any()
    assert sent.frames == []


def test_every_tool_leaves_its_pixels(tab: EditorPage) -> None:
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
    tab.assert_saved()


def test_sixty_strokes_go_back_and_forth(tab: EditorPage) -> None:
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
    tab.assert_saved(states[3])
    tab.page.get_by_role("button", name="Mend").click()
    tab.page.get_by_role("button", name="Clear the mask").click()
    assert not tab.mask().any()
    tab.page.get_by_role("button", name="Undo").click()
    assert np.array_equal(tab.mask(), states[3])


def test_a_reload_and_another_day_find_the_mask(image_id: int, tab: EditorPage, new_tab: NewTab) -> None:
    tab.stroke((30, 30), (90, 42))
    tab.wait_state("saved")
    painted = tab.mask()
    tab.page.reload()
    assert np.array_equal(tab.wait_ready().mask(), painted)
    tab.stroke((30, 80), (90, 80))
    tab.wait_state("saved")
    assert np.array_equal(new_tab().open(image_id).mask(), tab.mask())


def test_zoom_moves_the_view_and_no_pixel(tab: EditorPage) -> None:
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


def test_keys_leave_writing_alone(tab: EditorPage) -> None:
    tab.stroke((30, 30), (90, 42))
    painted = tab.mask()
    tab.page.get_by_label("Note").click()
    tab.page.keyboard.type("bepz [x] 0?")
    assert tab.page.evaluate("() => window.editor.tool") == "brush"
    assert np.array_equal(tab.mask(), painted)
    expect(tab.page.get_by_label("Note")).to_have_value("bepz [x] 0?")
    tab.page.mouse.click(*tab.at(80, 100))
    tab.page.keyboard.down("h")
    canvas = tab.page.locator(".plane canvas.mask").first
    expect(canvas).to_be_hidden()
    tab.page.keyboard.up("h")
    expect(canvas).to_be_visible()
    tab.page.keyboard.press("?")
    expect(tab.page.get_by_role("note", name="Keys")).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("note", name="Keys")).to_be_hidden()


def test_one_finger_paints_and_two_zoom(clinic: Clinic, image_id: int, new_tab: NewTab) -> None:
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


def test_submitting_makes_a_version_of_the_screen(clinic: Clinic, image_id: int, tab: EditorPage) -> None:
    tab.stroke((50, 36), (66, 40))
    tab.page.get_by_label("Note").fill("margin unclear at 3 o'clock")
    tab.page.get_by_role("button", name="Submit").click()
    tab.page.get_by_text("Version 1 submitted").wait_for()
    version = own_masks.submitted_masks(clinic.anna, image_id=image_id)[0]
    assert (version.number, version.note) == (1, "margin unclear at 3 o'clock")
    stored = own_masks.version_mask(clinic.anna, version_id=version.version_id)
    assert np.array_equal(stored, tab.mask())
    expect(tab.page.get_by_label("Note")).to_have_value("")
    tab.page.get_by_role("button", name="Submit").click()
    tab.page.get_by_text("Nothing has changed since version 1").wait_for()
    tab.stroke((50, 80), (66, 80))
    tab.page.get_by_role("button", name="Submit").click()
    tab.page.get_by_text("Version 2 submitted").wait_for()


def test_biopsy_points_are_found_again(clinic: Clinic, image_id: int, tab: EditorPage) -> None:
    tab.page.get_by_text("Biopsy points").click()
    canvas = tab.page.locator("canvas.upper-canvas")
    canvas.wait_for()
    box = canvas.bounding_box()
    assert box is not None
    scale = box["width"] / WIDTH
    for number, (x_px, y_px) in enumerate(((40, 30), (100, 90)), start=1):
        settle(tab.page)
        canvas.click(position={"x": x_px * scale, "y": y_px * scale})
        tab.page.get_by_text(f"Saved: {number}.").wait_for()
    tab.page.reload()
    tab.wait_ready()
    tab.page.get_by_text("Biopsy points").click()
    canvas.wait_for()
    settle(tab.page)
    canvas.click(position={"x": 130 * scale, "y": 20 * scale})
    tab.page.get_by_text("Saved: 3.").wait_for()
    points = annotations_biopsy_points.biopsy_points(clinic.anna, image_id=image_id)
    expected = [(40, 30), (100, 90), (130, 20)]
    assert np.allclose([(point.x_px, point.y_px) for point in points], expected, atol=0.7)


def test_a_guess_is_corrected_and_settled(clinic: Clinic, image_id: int, new_tab: NewTab) -> None:
    guess = np.zeros((HEIGHT, WIDTH), np.bool_)
    guess[40:80, 50:110] = True
    importer = Caller(clinic.store, program_actor(clinic.store, "importer"))
    imported_masks.import_annotation(importer, image_id=image_id, mask=guess, origin=MaskOrigin.CHORD)
    tab = new_tab()
    tab.page.goto(f"{tab.url}/annotate?image={image_id}")
    tab.page.get_by_text("a straight line joins its two ends").wait_for()
    tab.page.get_by_role("button", name="Correct it").click()
    assert np.array_equal(tab.wait_ready().mask(), guess)
    tab.size(9)
    tab.stroke((120, 60), (140, 60))
    tab.page.get_by_role("button", name="Submit").click()
    tab.page.get_by_text("Version 1 submitted").wait_for()
    submitted = own_masks.submitted_masks(clinic.anna, image_id=image_id)
    assert [version.author for version in submitted] == ["Anna"]
    assert confirmation.list_to_confirm(clinic.anna).total == 0


def test_the_server_and_the_screen_agree_in_bytes(clinic: Clinic, image_id: int, tab: EditorPage) -> None:
    tab.stroke((30, 30), (90, 42))
    tab.wait_state("saved")
    code = tab.page.evaluate("() => btoa(String.fromCharCode(...window.editor.history.current))")
    assert b64decode(code) == own_masks.open_annotation(clinic.anna, image_id=image_id).rle


def test_the_viewer_moves_and_fades_without_a_rerun(clinic: Clinic, image_id: int, new_tab: NewTab) -> None:
    imported_masks.import_annotation(
        Caller(clinic.store, program_actor(clinic.store, "importer")),
        image_id=image_id,
        mask=np.eye(HEIGHT, WIDTH, dtype=np.bool_),
        origin=MaskOrigin.OPEN,
    )
    page = new_tab().page
    sent = SentFrames(page)
    page.goto(f"{clinic.server.url}/annotate?image={image_id}")
    page.locator(".viewer .pane").wait_for()
    page.wait_for_function(FIND, arg="imageViewer")
    page.evaluate("""() => {
      window.alphaOf = () => {  // the mask is the diagonal, so its first pixel is covered
        const [{ over, view }] = window.found.panes;
        const { x, y } = view.toScreen(0.5, 0.5);
        return over.getContext("2d").getImageData(x, y, 1, 1).data[3];
      };
    }""")
    page.wait_for_function("() => window.found.isLoaded && window.alphaOf() > 120")
    sent.forget()
    before = page.evaluate("() => window.alphaOf()")
    page.get_by_label("Opacity of Imported mask").fill("20")
    page.wait_for_function(f"() => Math.abs(window.alphaOf() - {before} * 0.4) < 4")
    page.get_by_role("checkbox", name="Imported mask").uncheck()
    page.wait_for_function("() => window.alphaOf() === 0")
    scale = "() => window.found.view.scale"
    fitted = page.evaluate(scale)
    stage = page.locator(".viewer .pane")
    stage.dblclick()
    assert page.evaluate(scale) == pytest.approx(fitted * 2.5, rel=0.01)
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"() => window.found.view.scale > {fitted * 2.7}")
    page.get_by_role("button", name="Fit the image").click()
    assert page.evaluate(scale) == pytest.approx(fitted)
    assert sent.frames == []


def test_a_module_that_did_not_arrive_is_asked_for_again(image_id: int, new_tab: NewTab) -> None:
    tab = new_tab()
    asked: list[str] = []

    def fail_once(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.abort()
        else:
            route.continue_()

    tab.page.route("**/mask_editor/saver.js", fail_once)
    tab.open(image_id)
    assert len(asked) == 2
    tab.stroke((30, 30), (90, 42))
    tab.wait_state("saved")
