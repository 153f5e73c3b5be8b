"""Six findings as layers of one image: each with its own mask, history and document, all on one canvas."""

import numpy as np
import pytest
from playwright.sync_api import expect

from colpo_core.images.masks import encode_rle
from colpo_core.services.annotations import own_masks
from colpo_core.terms import Finding
from tests.browser.mask_page import HEIGHT, WIDTH, Clinic, EditorPage, NewTab

pytestmark = pytest.mark.browser

TITLES = ("Acetowhite epithelium", "Mosaic", "Punctation", "Atypical vessels", "Squamocolumnar junction", "Cervix")


def test_layers_keep_apart_and_each_is_saved_into_its_document(tab: EditorPage) -> None:
    tab.size(9)
    masks = {}
    for number, finding in enumerate(Finding, start=1):
        tab.page.keyboard.press(str(number))
        assert tab.page.evaluate("() => window.editor.activeLayer.finding") == finding.value
        tab.stroke((20 + 5 * number, 15 * number), (130, 15 * number + 7))
        masks[finding] = tab.mask()
    tab.wait_state("saved")
    assert len({mask.tobytes() for mask in masks.values()}) == len(Finding)
    for finding, mask in masks.items():
        assert mask.any()
        assert np.array_equal(tab.mask(finding), mask)
        assert np.array_equal(tab.stored(finding), mask)
    assert np.array_equal(tab.shown(), np.logical_or.reduce(list(masks.values())))
    tab.page.reload()
    tab.wait_ready()
    for finding, mask in masks.items():
        assert np.array_equal(tab.mask(finding), mask)


def test_undo_belongs_to_the_layer(tab: EditorPage) -> None:
    tab.stroke((30, 30), (90, 42))
    acetowhite = tab.mask()
    tab.pick(Finding.PUNCTATION)
    expect(tab.page.get_by_role("button", name="Undo")).to_be_disabled()
    tab.stroke((30, 80), (90, 80))
    tab.page.keyboard.press("z")
    tab.page.keyboard.press("z")
    assert not tab.mask().any()
    assert np.array_equal(tab.mask(Finding.ACETOWHITE), acetowhite)
    tab.wait_state("saved")
    assert not tab.stored(Finding.PUNCTATION).any()
    assert np.array_equal(tab.stored(), acetowhite)
    tab.pick(Finding.ACETOWHITE)
    tab.page.keyboard.press("z")
    assert not tab.mask().any()


def test_picking_layers_in_a_hurry_keeps_the_editor_and_its_steps(tab: EditorPage) -> None:
    tab.stroke((30, 30), (90, 42))
    painted = tab.mask()
    # The page reruns for each pick: the next one has to overtake it now before, now within, now after that.
    for number in range(40):
        tab.page.keyboard.press(str(2 + number % 5))
        tab.page.wait_for_timeout(23 * (7 * number % 13) % 90)
        tab.page.keyboard.press("1")
        tab.page.wait_for_timeout(23 * (5 * number % 13))
    assert tab.page.evaluate("() => window.editor.stage.isConnected")
    assert np.array_equal(tab.mask(), painted)
    tab.page.keyboard.press("z")
    assert not tab.mask().any()


def test_two_hundred_strokes_go_back_and_forth(tab: EditorPage) -> None:
    tab.size(3)
    for number in range(200):
        tab.click((4 + (number % 40) * 3.8, 6 + (number // 40) * 22))
    tab.wait_state("saved")
    painted = tab.mask()
    for _ in range(200):
        tab.page.keyboard.press("z")
    assert not tab.mask().any()
    expect(tab.page.get_by_role("button", name="Undo")).to_be_disabled()
    tab.wait_state("saved")
    assert not tab.stored().any()
    for _ in range(200):
        tab.page.keyboard.press("Shift+Z")
    assert np.array_equal(tab.mask(), painted)
    tab.assert_saved(painted)


@pytest.mark.parametrize("bar", ["Hide", "Lock"])
def test_a_hidden_or_locked_layer_is_not_painted(tab: EditorPage, bar: str) -> None:
    tab.stroke((30, 30), (90, 42))
    painted = tab.mask()
    button = tab.page.get_by_role("button", name=f"{bar} Acetowhite epithelium")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    tab.stroke((30, 80), (90, 80))
    tab.page.keyboard.press("z")
    tab.page.keyboard.press("p")
    tab.click((20, 20), (120, 20), (120, 100))
    tab.page.keyboard.press("Enter")
    assert np.array_equal(tab.mask(), painted)
    assert tab.shown().any() == (bar == "Lock")
    expect(tab.page.locator('[data-act="clear"]')).to_be_disabled()
    expect(tab.page.locator(".hint")).to_be_visible()
    tab.page.keyboard.press("b")
    tab.pick(Finding.MOSAIC)
    tab.stroke((30, 80), (90, 80))
    assert tab.mask(Finding.MOSAIC).any()
    button.click()
    tab.pick(Finding.ACETOWHITE)
    tab.stroke((30, 100), (90, 100))
    assert tab.mask()[100, 60]
    tab.assert_saved()


def test_all_layers_lie_on_one_canvas_and_the_active_one_is_strongest(tab: EditorPage) -> None:
    tab.size(21)
    tab.stroke((30, 30), (90, 30))
    tab.pick(Finding.MOSAIC)
    tab.stroke((60, 20), (60, 100))
    acetowhite, mosaic, both = (40, 30), (60, 80), (60, 30)
    colours = [tab.colour(*place) for place in (acetowhite, mosaic, both)]
    assert len({tuple(colour) for colour in colours}) == 3
    assert colours[0][2] > colours[0][0]
    assert colours[1][0] > colours[1][2]
    assert colours[1][3] > colours[0][3]
    tab.pick(Finding.ACETOWHITE)
    assert tab.colour(*acetowhite)[3] > tab.colour(*mosaic)[3]
    tab.page.get_by_role("button", name="Hide Mosaic").click()
    assert np.array_equal(tab.shown(), tab.mask(Finding.ACETOWHITE))
    tab.page.evaluate("() => { window.editor.canvas.outlineOnly = true; }")
    outline = tab.shown()
    assert not outline[30, 60]
    assert outline.any()
    assert not (outline & ~tab.mask(Finding.ACETOWHITE)).any()


def test_a_large_change_is_drawn_whole_though_in_bands(clinic: Clinic, image_id: int, new_tab: NewTab) -> None:
    large = clinic.add_image(image_id + 20_000, height_px=1100, width_px=1500)
    tab = new_tab().open(large)
    tab.size(500)
    tab.stroke((300, 300), (1200, 900))
    tab.pick(Finding.CERVIX)
    tab.stroke((1200, 300), (300, 900))
    both = tab.mask(Finding.ACETOWHITE) | tab.mask(Finding.CERVIX)
    assert np.array_equal(tab.shown(), both)
    tab.page.evaluate("() => window.editor.clear()")
    assert np.array_equal(tab.shown(), tab.mask(Finding.ACETOWHITE))
    tab.page.keyboard.press("z")
    assert np.array_equal(tab.shown(), both)


def test_a_layer_takes_memory_only_while_it_holds_something(tab: EditorPage) -> None:
    held = "() => window.editor.layers.filter((layer) => layer.mask !== null).map((layer) => layer.key)"
    tab.stroke((30, 30), (90, 42))
    tab.pick(Finding.MOSAIC)
    tab.stroke((30, 80), (90, 80))
    assert tab.page.evaluate(held) == ["1", "2"]
    tab.page.keyboard.press("z")
    tab.pick(Finding.ACETOWHITE)
    assert tab.page.evaluate(held) == ["1"]
    tab.pick(Finding.MOSAIC)
    tab.page.keyboard.press("Shift+Z")
    assert tab.mask()[80, 60]


def test_the_panel_tells_what_a_layer_holds(tab: EditorPage) -> None:
    panel = tab.page.get_by_role("group", name="Layers")
    picks = panel.get_by_role("radio")
    expect(picks).to_have_count(len(Finding))
    for pick, title in zip(picks.all(), TITLES, strict=True):
        assert (pick.get_attribute("aria-label") or "").startswith(title)
        expect(panel.get_by_role("button", name=f"Hide {title}")).to_be_visible()
        expect(panel.get_by_role("button", name=f"Lock {title}")).to_be_visible()
    expect(picks.first).to_have_attribute("aria-checked", "true")
    picks.nth(1).click()
    expect(picks.nth(1)).to_have_attribute("aria-checked", "true")
    expect(picks.first).to_have_attribute("aria-checked", "false")
    tab.stroke((30, 30), (90, 42))
    expect(picks.nth(1)).to_have_accessible_name("Mosaic, not submitted")
    tab.page.keyboard.press("z")
    expect(picks.nth(1)).to_have_accessible_name("Mosaic")


def test_submitting_hands_over_every_layer_that_changed(clinic: Clinic, image_id: int, tab: EditorPage) -> None:
    tab.pick(Finding.MOSAIC)
    tab.stroke((50, 36), (66, 40))
    tab.pick(Finding.CERVIX)
    tab.stroke((50, 80), (66, 80))
    tab.page.get_by_label("Note").fill("coarse")
    submit = tab.page.locator('[data-act="submit"]')
    submit.click()
    mosaic = tab.page.get_by_role("radio", name="Mosaic, submitted")
    mosaic.wait_for()
    versions = own_masks.submitted_masks(clinic.anna, image_id=image_id)
    assert {(one.finding, one.number, one.note) for one in versions} == {
        (Finding.MOSAIC, 1, "coarse"),
        (Finding.CERVIX, 1, "coarse"),
    }
    for one in versions:
        stored = own_masks.version_mask(clinic.anna, version_id=one.version_id)
        assert np.array_equal(stored, tab.mask(one.finding))
    tab.wait_ready()
    tab.pick(Finding.MOSAIC)
    tab.stroke((50, 60), (66, 60))
    submit.click()
    mosaic.wait_for()
    versions = own_masks.submitted_masks(clinic.anna, image_id=image_id)
    assert {(one.finding, one.number) for one in versions} == {(Finding.MOSAIC, 2), (Finding.CERVIX, 1)}
    tab.wait_ready()
    tab.pick(Finding.ACETOWHITE)
    submit.click()
    tab.page.get_by_role("button", name="There is none: no acetowhite epithelium").click()
    tab.page.get_by_text("Version 1 submitted").wait_for()
    versions = own_masks.submitted_masks(clinic.anna, image_id=image_id)
    assert {one.finding for one in versions} == {Finding.MOSAIC, Finding.CERVIX, Finding.ACETOWHITE}


def test_what_the_server_changed_comes_in_as_one_more_step(clinic: Clinic, image_id: int, tab: EditorPage) -> None:
    tab.stroke((30, 30), (90, 42))
    tab.wait_state("saved")
    painted = tab.mask()
    started = np.zeros((HEIGHT, WIDTH), np.bool_)
    started[70:100, 20:80] = True
    opened = own_masks.open_annotation(clinic.anna, image_id=image_id)
    own_masks.save_draft(
        clinic.anna,
        document_id=opened.document_id,
        base_seq=opened.seq,
        rle=encode_rle(started),
        strokes=0,
        active_ms=0,
    )
    tab.page.evaluate("() => window.editor.update({ ...window.editor.data, load: 99 }, window.editor.tell)")
    tab.page.wait_for_function("() => !window.editor.mask.pixels[30 * 160 + 30]")
    assert np.array_equal(tab.mask(), started)
    assert np.array_equal(tab.shown(), started)
    tab.page.keyboard.press("z")
    assert np.array_equal(tab.mask(), painted)
    tab.assert_saved(painted)


def test_references_are_shown_and_never_painted_on(image_id: int, tab: EditorPage) -> None:
    url = f"/colpo/images/{image_id}"
    tab.page.evaluate(
        "(url) => window.editor.panel.showReferences([{ title: 'Mask of Berta', url, colour: '#ffbf00' }])", url
    )
    reference = tab.page.get_by_role("img", name="Mask of Berta")
    expect(reference).to_be_visible()
    assert reference.bounding_box() == tab.page.locator(".plane .image").bounding_box()
    tab.page.get_by_role("button", name="Hide Mask of Berta").click()
    expect(reference).to_be_hidden()
