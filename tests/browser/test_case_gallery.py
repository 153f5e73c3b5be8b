"""The gallery of cases in a real browser: keys, quick selecting over pages, and the way to a case and back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Case, Person
from tests.browser.conftest import Server
from tests.browser.sign_in import TALL, add_sign_in
from tests.support.clinic import Clinic

pytestmark = pytest.mark.browser

TOKEN = "token-of-painter"
N_CASES = 53
CARD = ".gallery .card"


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    store = Store.open(Settings(data_dir=server.data_dir))
    Clinic(store).add_cohort(N_CASES, masked=False)
    with store.writing() as session:
        painter = session.scalars(select(Person).where(Person.username == "painter")).one()
        add_sign_in(session, painter.id, TOKEN)
        assert len(session.scalars(select(Case.id)).all()) == N_CASES
    store.close()
    return server


@pytest.fixture
def page(new_page: Callable[..., Page], server: Server) -> Page:
    page = new_page(server, TOKEN, viewport=TALL)
    page.goto(f"{server.url}/cases")
    page.get_by_text(f"{N_CASES} cases").wait_for()
    page.get_by_text("Gallery", exact=True).click()
    expect(page.locator(CARD)).to_have_count(50)
    return page


def test_quick_clicks_and_keys_select_over_several_pages(page: Page) -> None:
    for place in range(6):  # faster than the server answers
        page.locator(f"{CARD} input").nth(place).click()
    page.locator(CARD).nth(5).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    expect(page.get_by_text("7 cases selected")).to_be_visible()
    expect(page.locator(f"{CARD}.selected")).to_have_count(7)
    page.get_by_role("button", name="Next").click()
    expect(page.locator(CARD)).to_have_count(3)
    page.locator(f"{CARD} input").nth(1).click()
    expect(page.get_by_text("8 cases selected")).to_be_visible()
    page.get_by_role("button", name="Before").click()
    expect(page.locator(CARD)).to_have_count(50)
    expect(page.locator(f"{CARD}.selected")).to_have_count(7)
    page.get_by_role("button", name="All that fit").click()
    expect(page.get_by_text(f"{N_CASES} cases selected").first).to_be_visible()
    expect(page.locator(f"{CARD}.selected")).to_have_count(50)


def test_a_key_opens_a_case_and_its_button_leads_back_to_the_gallery(page: Page) -> None:
    page.locator("img").first.evaluate("image => image.decode()")
    page.locator(CARD).first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases?case={N_CASES - 1}")
    expect(page.get_by_text(f"case {N_CASES - 1}, 1 image")).to_be_visible()
    page.get_by_role("button", name="All cases").click()
    expect(page.get_by_text(f"{N_CASES} cases")).to_be_visible()
    expect(page.locator(CARD)).to_have_count(50)
