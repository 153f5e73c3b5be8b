"""No finished stroke is lost, whatever happens to the network, the tab, the session or the server in between."""

import numpy as np
import pytest
from playwright.sync_api import Route, expect

from colpo_core.images.masks import encode_rle
from colpo_core.services.annotations import own_masks
from colpo_core.terms import Finding
from tests.browser.mask_page import HEIGHT, SAVE_PATH, WIDTH, Clinic, EditorPage, NewTab

pytestmark = [pytest.mark.browser, pytest.mark.alone]

TOP, MIDDLE, BOTTOM = ((30, 20), (90, 20)), ((30, 60), (90, 60)), ((30, 100), (90, 100))


def test_offline_keeps_every_stroke(tab: EditorPage) -> None:
    tab.page.context.set_offline(True)
    for stroke in (TOP, MIDDLE, BOTTOM):
        tab.stroke(*stroke)
    tab.wait_state("offline")
    expect(tab.page.get_by_text("Offline: 3 strokes kept")).to_be_visible()
    assert len(tab.kept()) == 1
    assert not tab.stored().any()
    tab.page.context.set_offline(False)
    tab.assert_saved()
    assert tab.kept() == []


def test_answers_that_are_lost_lose_nothing(clinic: Clinic, image_id: int, tab: EditorPage) -> None:
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
    for stroke in (TOP, MIDDLE, BOTTOM):
        tab.stroke(*stroke)
    tab.wait_state("saved")
    assert lost == 3
    assert np.array_equal(tab.stored(), tab.mask())
    opened = own_masks.open_annotation(clinic.anna, image_id=image_id)
    assert opened.strokes == 3


@pytest.mark.parametrize("reaches_server", [True, False])
def test_a_tab_left_right_after_the_stroke_keeps_it(
    clinic: Clinic, image_id: int, tab: EditorPage, reaches_server: bool
) -> None:
    tab.accept_dialogs()
    if not reaches_server:
        clinic.server.kill()
    tab.stroke(*TOP)
    painted = tab.mask()
    if reaches_server:
        tab.page.reload()
    else:
        tab.page.goto("about:blank")
        clinic.server.start()
        assert not tab.stored().any()
        tab.page.goto(f"{tab.url}/annotate?image={image_id}")
    tab.wait_ready()
    tab.wait_state("saved")
    assert painted.any()
    assert np.array_equal(tab.mask(), painted)
    assert np.array_equal(tab.stored(), painted)
    assert clinic.seq(image_id) == 1
    assert tab.kept() == []


def test_one_is_asked_before_leaving_strokes_behind_and_not_otherwise(tab: EditorPage) -> None:
    asked = tab.accept_dialogs()
    tab.stroke(*TOP)
    tab.wait_state("saved")
    tab.page.reload()
    assert asked == []
    tab.wait_ready()
    accept_saves = tab.refuse_saves()
    tab.stroke(*MIDDLE)
    tab.wait_state("offline")
    tab.page.reload()
    assert asked == ["beforeunload"]
    accept_saves()
    tab.wait_ready()
    tab.wait_state("saved")
    assert tab.stored()[60, 60]


@pytest.mark.parametrize("has_locks", [True, False])
def test_strokes_of_a_closed_tab_are_sent_though_their_image_is_not_open(
    clinic: Clinic, image_id: int, new_tab: NewTab, has_locks: bool
) -> None:
    other_image = clinic.add_image(image_id + 10_000)
    tab = new_tab().open(image_id)
    if not has_locks:  # A browser gives locks over HTTPS alone.
        tab.page.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
        tab.open(image_id)
    tab.page.context.set_offline(True)
    tab.stroke(*TOP)
    tab.pick(Finding.MOSAIC)
    tab.stroke(*BOTTOM)
    tab.wait_state("offline")
    acetowhite, mosaic = tab.mask(Finding.ACETOWHITE), tab.mask(Finding.MOSAIC)
    again = tab.another()
    assert not clinic.stored(image_id).any()
    tab.page.close()
    again.page.context.set_offline(False)
    again.open(other_image)
    again.wait_state("saved")
    assert np.array_equal(clinic.stored(image_id), acetowhite)
    assert np.array_equal(clinic.stored(image_id, Finding.MOSAIC), mosaic)
    assert not again.mask(Finding.ACETOWHITE).any()
    again.wait_nothing_kept()


def test_a_closed_tab_s_strokes_become_a_step_of_the_tab_that_shows_the_image(
    clinic: Clinic, image_id: int, new_tab: NewTab
) -> None:
    first = new_tab().open(image_id)
    second = first.another().open(image_id)
    second.page.context.set_offline(True)
    first.stroke(*TOP)
    first.wait_state("offline")
    painted = first.mask()
    first.page.close()
    second.page.wait_for_timeout(500)
    second.page.context.set_offline(False)
    second.page.wait_for_function("() => window.editor.mask.pixels.includes(1)")
    second.wait_state("saved")
    assert np.array_equal(second.mask(), painted)
    assert np.array_equal(second.shown(), painted)
    assert np.array_equal(clinic.stored(image_id), painted)
    second.page.keyboard.press("z")
    assert not second.mask().any()


def test_two_closed_tabs_leave_both_their_strokes(clinic: Clinic, image_id: int, new_tab: NewTab) -> None:
    first = new_tab().open(image_id)
    second = first.another().open(image_id)
    third = first.another()
    first.page.context.set_offline(True)
    for tab, stroke in ((first, TOP), (second, BOTTOM)):
        tab.stroke(*stroke)
        tab.wait_state("offline")
    assert len(first.kept()) == 2
    both = first.mask() | second.mask()
    first.page.close()
    second.page.close()
    third.page.context.set_offline(False)
    third.page.goto(f"{third.url}/annotate?image={image_id}")
    third.wait_asking()
    assert clinic.stored(image_id).any()
    third.page.get_by_role("button", name="Join both").click()
    third.wait_state("saved")
    assert np.array_equal(clinic.stored(image_id), both)
    assert np.array_equal(third.mask(), both)


def test_another_person_s_strokes_wait_for_that_person(image_id: int, tab: EditorPage) -> None:
    code = list(encode_rle(np.ones((HEIGHT, WIDTH), np.bool_)))
    key = f"i{image_id}-p999-mosaic 00ff"
    tab.page.evaluate(
        """([key, code]) => new Promise((done) => {
          const request = indexedDB.open("colpodesk", 1);
          request.onsuccess = () => {
            const writing = request.result.transaction("strokes", "readwrite");
            const next = { code: Uint8Array.from(code), strokes: 1, steps: 1, activeMs: 5 };
            writing.objectStore("strokes").put({ documentId: key.split(" ")[0], base: 0, sending: null, next }, key);
            writing.oncomplete = () => { request.result.close(); done(); };
          };
        })""",
        [key, code],
    )
    tab.open(image_id)
    tab.stroke(*TOP)
    tab.wait_state("saved")
    assert tab.kept() == [key]


def test_strokes_outlive_leaving_the_image(clinic: Clinic, image_id: int, new_tab: NewTab) -> None:
    clinic.add_image(image_id + 10_000)
    tab = new_tab().open(image_id)
    accept_saves = tab.refuse_saves()
    tab.stroke(*TOP)
    painted = tab.mask()
    tab.wait_state("offline")
    tab.page.get_by_role("button", name="Next image").click()
    tab.page.wait_for_url(lambda url: f"image={image_id}" not in url)
    tab.wait_ready()
    expect(tab.page.get_by_text("Offline: 1 stroke kept")).to_be_visible()
    accept_saves()
    tab.wait_state("saved")
    assert np.array_equal(clinic.stored(image_id), painted)
    assert not tab.mask().any()


def test_a_server_that_dies_in_between_loses_nothing(clinic: Clinic, tab: EditorPage) -> None:
    tab.stroke(*TOP)
    clinic.server.kill()
    tab.stroke(*MIDDLE)
    tab.wait_state("offline")
    clinic.server.start()
    tab.assert_saved()
    assert tab.mask()[20, 60]
    assert tab.mask()[60, 60]


@pytest.mark.parametrize("choice", ["Take the newer one", "Put mine on top", "Join both"])
def test_two_tabs_do_not_overwrite_each_other(clinic: Clinic, image_id: int, new_tab: NewTab, choice: str) -> None:
    first, second = new_tab().open(image_id), new_tab().open(image_id)
    for tab in (first, second):
        tab.pick(Finding.MOSAIC)
        tab.size(15)
    first.stroke(*TOP)
    first.stroke((60, 20), (60, 60))
    first.wait_state("saved")
    second.stroke(*MIDDLE)
    second.wait_asking()
    newer, mine = first.mask(), second.mask()
    expect(second.page.get_by_role("alertdialog")).to_contain_text("Mosaic: changed elsewhere")
    expect(second.page.get_by_role("alertdialog")).to_contain_text(f"both: {(newer & mine).sum()} px")
    assert np.array_equal(second.shown(), newer | mine)
    assert (newer & mine)[60, 60]
    places = ((60, 20), (85, 60), (60, 60))
    assert len({tuple(second.colour(*place)) for place in places}) == 3
    second.stroke(*BOTTOM)
    assert np.array_equal(second.mask(), mine)
    assert np.array_equal(clinic.stored(image_id, Finding.MOSAIC), newer)
    second.page.get_by_role("button", name=choice).click()
    second.wait_state("saved")
    left = {"Take the newer one": newer, "Put mine on top": mine, "Join both": newer | mine}[choice]
    before = {"Take the newer one": mine, "Put mine on top": newer, "Join both": newer}[choice]
    assert np.array_equal(second.mask(), left)
    assert np.array_equal(second.shown(), left)
    assert np.array_equal(clinic.stored(image_id, Finding.MOSAIC), left)
    second.page.keyboard.press("z")
    second.wait_state("saved")
    assert np.array_equal(second.mask(), before)
    assert np.array_equal(clinic.stored(image_id, Finding.MOSAIC), before)


def test_a_conflict_left_behind_is_kept_until_it_is_decided(clinic: Clinic, image_id: int, new_tab: NewTab) -> None:
    other_image = clinic.add_image(image_id + 10_000)
    tab = new_tab().open(image_id)
    again = tab.another()
    tab.page.context.set_offline(True)
    tab.stroke(*TOP)
    tab.wait_state("offline")
    mine = tab.mask()
    newer = np.zeros((HEIGHT, WIDTH), np.bool_)
    newer[80:110, 20:60] = True
    document = own_masks.open_annotation(clinic.anna, image_id=image_id).document_id
    own_masks.save_draft(clinic.anna, document_id=document, base_seq=0, rle=encode_rle(newer), strokes=1, active_ms=9)
    # Not before: a tab that closes may still send its strokes, and the tab that is left sends what the closed one kept.
    tab.page.close()
    again.page.context.set_offline(False)
    again.open(other_image)
    again.wait_state("elsewhere")
    assert len(again.kept()) == 1
    assert np.array_equal(clinic.stored(image_id), newer)
    again.page.get_by_role("link", name="Open that image").click()
    again.wait_asking()
    again.page.reload()
    again.wait_asking()
    assert np.array_equal(again.shown(), mine | newer)
    again.page.get_by_role("button", name="Put mine on top").click()
    again.wait_state("saved")
    assert np.array_equal(clinic.stored(image_id), mine)
    assert again.kept() == []


def test_signing_in_again_saves_what_was_kept(clinic: Clinic, tab: EditorPage) -> None:
    clinic.sign_out()
    tab.stroke(*TOP)
    tab.wait_state("sign-in")
    expect(tab.page.get_by_text("Signed out: 1 stroke kept")).to_be_visible()
    link = tab.page.get_by_role("link", name="Sign in again")
    expect(link).to_have_attribute("href", "/login")
    expect(link).to_have_attribute("target", "_blank")
    assert not tab.stored().any()
    tab.stroke(*MIDDLE)
    expect(tab.page.get_by_text("Signed out: 2 strokes kept")).to_be_visible()
    clinic.sign_in()
    tab.assert_saved()


def test_a_refused_mask_is_said_and_kept(tab: EditorPage) -> None:
    sentence = "This mask is too detailed to be stored."

    def refuse(route: Route) -> None:
        if route.request.method == "PUT":
            route.fulfill(status=413, json={"error": sentence})
        else:
            route.continue_()

    tab.page.route(SAVE_PATH, refuse)
    tab.stroke(*TOP)
    tab.wait_state("refused")
    expect(tab.page.get_by_text(f"Not saved. {sentence}")).to_be_visible()
    assert len(tab.kept()) == 1
    tab.page.unroute(SAVE_PATH)
    tab.stroke(*MIDDLE)
    tab.assert_saved()


def test_a_save_tells_its_strokes_and_the_time_of_painting(clinic: Clinic, image_id: int, new_tab: NewTab) -> None:
    tab = new_tab()
    tab.open(image_id)
    tab.refuse_saves()
    tab.stroke(*TOP)
    tab.page.wait_for_timeout(1200)
    tab.stroke(*MIDDLE)
    tab.page.keyboard.press("z")
    tab.wait_state("offline")
    tab.page.unroute(SAVE_PATH)
    tab.wait_state("saved")
    opened = own_masks.open_annotation(clinic.anna, image_id=image_id)
    assert opened.strokes == 2
    assert opened.active_ms >= 1000
