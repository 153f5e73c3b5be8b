"""A case's images in a real browser: stages side by side under one zoom, and a specimen's site on the picture."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from colpo_core.records.cases.cases import SpecimenSite
from colpo_core.services.cases.case import get_case
from colpo_core.services.cases.histology import add_specimen
from colpo_core.store.tables import Case, Patient
from colpo_core.terms import Grade, SpecimenKind, Stage
from tests.browser.conftest import Server
from tests.browser.mask_page import FIND, TOKEN, Clinic
from tests.browser.sign_in import TALL

pytestmark = pytest.mark.browser

SIZES = {Stage.NATIVE: (640, 480), Stage.ACETIC_ACID: (320, 240), Stage.LUGOL: (300, 300)}
PLACES = "() => window.found.panes.map((pane) => pane.sheet.place())"


class CaseOfStages(Clinic):
    """One case of three stages in images of three sizes, and the person who looks."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        with self.store.writing() as session:
            case = Case(patient=Patient(code="p-1"))
            for seed, (stage, (width_px, height_px)) in enumerate(SIZES.items()):
                self.make_image(session, case, seed, stage=stage, width_px=width_px, height_px=height_px)
            session.flush()
            self.case_id = case.id
            self.image_ids = {image.stage: image.id for image in case.images}

    def add_specimen(self) -> int:
        return add_specimen(self.anna, case_id=self.case_id, kind=SpecimenKind.PUNCH_BIOPSY, grade=Grade.CIN3)

    def site(self, specimen_id: int) -> SpecimenSite | None:
        case = get_case(self.anna, case_id=self.case_id)
        return next(specimen.site for specimen in case.specimens if specimen.id == specimen_id)


@pytest.fixture(scope="module")
def clinic(server: Server) -> Iterator[CaseOfStages]:
    clinic = CaseOfStages(server)
    yield clinic
    clinic.store.close()


@pytest.fixture
def page(new_page: Callable[..., Page], clinic: CaseOfStages) -> Page:
    return new_page(clinic.server, TOKEN, viewport=TALL)


def open_case(page: Page, clinic: CaseOfStages) -> None:
    page.goto(f"{clinic.server.url}/cases?case={clinic.case_id}")
    page.locator(".viewer .pane").first.wait_for()


def compare(page: Page, clinic: CaseOfStages) -> None:
    open_case(page, clinic)
    page.get_by_text("Compare stages").click()
    expect(page.locator(".viewer .pane")).to_have_count(len(SIZES))
    page.wait_for_function(FIND, arg="imageViewer")
    page.wait_for_function("() => window.found.panes.every((pane) => pane.isLoaded)")


def assert_alike(places: list[dict[str, Any]]) -> None:
    for place in places[1:]:
        assert place == pytest.approx(places[0], abs=1e-6)


def drag(page: Page, number: int, dx: float, dy: float) -> None:
    box = page.locator(".viewer .pane").nth(number).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()


def test_what_one_image_shows_the_others_show(page: Page, clinic: CaseOfStages) -> None:
    compare(page, clinic)
    assert page.locator(".viewer .title:visible").all_inner_texts() == ["Native", "Acetic acid", "Lugol's iodine"]
    assert page.evaluate(PLACES)[0] == pytest.approx({"x": 0.5, "y": 0.5, "zoom": 1})
    middle = page.locator(".viewer .pane").nth(1)
    middle.click(position={"x": 40, "y": 40})
    middle.hover(position={"x": 40, "y": 40})
    for _ in range(5):
        page.mouse.wheel(0, -100)
    page.wait_for_function("() => window.found.place.zoom > 2")
    places = page.evaluate(PLACES)
    assert_alike(places)
    assert places[0]["x"] < 0.5, "what lay under the pointer stayed under it"
    drag(page, 2, 50, 30)
    moved = page.evaluate(PLACES)
    assert_alike(moved)
    assert moved[0]["x"] < places[0]["x"]
    page.keyboard.press("ArrowRight")
    assert page.evaluate(PLACES)[0]["x"] > moved[0]["x"]
    page.set_viewport_size({"width": 1100, "height": 900})
    assert_alike(page.evaluate(PLACES))
    page.keyboard.press("0")
    for place in page.evaluate(PLACES):
        assert place == pytest.approx({"x": 0.5, "y": 0.5, "zoom": 1})


def test_an_image_that_has_moved_is_shifted_unlinked_and_keeps_its_shift(page: Page, clinic: CaseOfStages) -> None:
    compare(page, clinic)
    page.locator(".viewer .pane").nth(0).click()
    page.keyboard.press("+")
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Unlinked")).to_have_attribute("aria-pressed", "false")
    first = page.evaluate(PLACES)[0]
    drag(page, 1, 40, 0)
    apart = page.evaluate(PLACES)
    assert apart[0] == pytest.approx(first)
    shift = apart[1]["x"] - apart[0]["x"]
    assert shift < -0.02
    page.keyboard.press("l")
    drag(page, 0, -30, 10)
    together = page.evaluate(PLACES)
    assert together[0]["x"] > apart[0]["x"]
    assert together[1]["x"] - together[0]["x"] == pytest.approx(shift)


def test_a_cross_shows_the_same_place_on_the_others(page: Page, clinic: CaseOfStages) -> None:
    compare(page, clinic)
    first = page.locator(".viewer .pane").nth(0)
    box = first.bounding_box()
    assert box is not None
    first.hover(position={"x": box["width"] / 2, "y": box["height"] / 2})
    expect(page.locator(".viewer .twin:visible")).to_have_count(2)
    expect(first.locator(".twin")).to_be_hidden()
    second = page.locator(".viewer .pane").nth(1)
    cross, frame = second.locator(".twin").bounding_box(), second.bounding_box()
    assert cross is not None
    assert frame is not None
    assert cross["x"] + cross["width"] / 2 == pytest.approx(frame["x"] + frame["width"] / 2, abs=1.5)


def start_placing(page: Page, number: int) -> None:
    page.get_by_role("tab", name="Histology").click()
    popovers = page.locator("[data-testid=stPopover]").filter(has_text="location_on")
    popovers.nth(number).get_by_role("button").click()
    page.get_by_role("button", name="Click on the image").click()
    wait_for_question(page)


def wait_for_question(page: Page) -> None:
    page.locator(".viewer .asks", has_text="Site of specimen").wait_for()
    page.wait_for_function(FIND, arg="imageViewer")
    page.wait_for_function("() => window.found.isLoaded")
    page.wait_for_function("() => document.activeElement.shadowRoot?.activeElement?.className === 'viewer'")


def at(page: Page, x_px: float, y_px: float) -> tuple[float, float]:
    """Where a point of the image lies in the window."""
    box = page.locator(".viewer .stage").bounding_box()
    assert box is not None
    there = page.evaluate("([x, y]) => window.found.view.toScreen(x, y)", [x_px, y_px])
    return box["x"] + there["x"], box["y"] + there["y"]


def test_a_site_is_placed_by_a_click_and_not_by_a_drag(page: Page, clinic: CaseOfStages) -> None:
    specimen_id = clinic.add_specimen()
    open_case(page, clinic)
    start_placing(page, 0)
    x, y = at(page, 60, 50)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 20, steps=4)  # moves the image
    page.mouse.up()
    expect(page.locator(".viewer .asks")).to_be_visible()
    page.mouse.click(*at(page, 60, 50))
    expect(page.locator(".viewer .mark span")).to_have_text("1")
    expect(page.get_by_role("img", name="Specimen 1: Punch biopsy, CIN3")).to_have_count(1)
    site = clinic.site(specimen_id)
    assert site is not None
    assert site.image_id == clinic.image_ids[Stage.ACETIC_ACID]
    assert (site.x_px, site.y_px) == pytest.approx((60, 50), abs=1)
    expect(page.locator(".viewer .asks")).to_be_hidden()
    page.mouse.click(*at(page, 200, 200))
    page.wait_for_timeout(300)
    assert clinic.site(specimen_id) == site, "a click is a click again"
    mark = page.locator(".viewer .mark").bounding_box()
    assert mark is not None
    assert (mark["x"], mark["y"]) == pytest.approx(at(page, 60, 50), abs=2)


def test_a_site_is_placed_with_the_keys_alone(page: Page, clinic: CaseOfStages) -> None:
    specimen_id = clinic.add_specimen()
    open_case(page, clinic)
    page.get_by_role("tab", name="Histology").click()
    button = page.locator("[data-testid=stPopover]").filter(has_text="location_on").last.get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Click on the image").focus()
    page.keyboard.press("Enter")
    wait_for_question(page)
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
    expected = page.evaluate(
        "() => { const v = window.found; return [160 + 16 / v.view.scale, 120 - 9 / v.view.scale]; }"
    )
    page.keyboard.press("Enter")
    expect(page.locator(".viewer .asks")).to_be_hidden()
    expect(page.get_by_text("Site set")).to_be_visible()
    site = clinic.site(specimen_id)
    assert site is not None
    assert (site.x_px, site.y_px) == pytest.approx(expected, abs=0.01)


def test_escape_leaves_it(page: Page, clinic: CaseOfStages) -> None:
    specimen_id = clinic.add_specimen()
    open_case(page, clinic)
    start_placing(page, -1)
    page.keyboard.press("Escape")
    expect(page.locator(".viewer .asks")).to_be_hidden()
    page.mouse.click(*at(page, 100, 100))
    page.wait_for_timeout(300)
    assert clinic.site(specimen_id) is None
