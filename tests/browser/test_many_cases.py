"""A store of 100,000 cases in a real browser: the list, the gallery and the dashboard, with a picture of each."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from benchmarks.filled_store import fill
from colpo_core.datasets.manifest import Manifest
from colpo_core.labels import RULES_VERSION
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Person, Snapshot
from colpo_core.terms import LabelSource, Role
from tests.browser.conftest import Server
from tests.browser.sign_in import TALL, add_sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOKEN = "token-of-ada"
N_CASES = 100_000
CARD = ".gallery .card"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("many") / "data"
    store = Store.open(Settings(data_dir=folder))
    fill(store, N_CASES)
    with store.writing() as session:
        content = Manifest((), (), LabelSource.HISTOLOGY, RULES_VERSION, 0, (0.7, 0.15, 0.15)).to_json()
        for snapshot in session.query(Snapshot):
            snapshot.sha256 = store.blobs.put(content)
        ada = session.query(Person).filter_by(role=Role.ADMINISTRATOR).first()
        add_sign_in(session, ada.id, TOKEN)
    store.close()
    server = Server(folder).start()
    yield server
    server.kill()


@pytest.fixture
def page(new_page: Callable[..., Page], server: Server) -> Page:
    page = new_page(server, TOKEN, viewport=TALL)
    page.set_default_timeout(60_000)
    return page


def keep(page: Page, name: str, tmp_path: Path) -> None:
    """Keep a picture where `COLPO_SCREENSHOTS` names a folder, else with the test."""
    folder = Path(os.environ.get("COLPO_SCREENSHOTS") or tmp_path)
    picture = page.screenshot(path=folder / f"{name}.png")
    assert len(picture) > 20_000, "there is something on it"


def test_the_gallery_is_filtered_sorted_and_paged(page: Page, server: Server, tmp_path: Path) -> None:
    page.goto(f"{server.url}/cases")
    page.get_by_text("500+").first.wait_for()
    page.get_by_text("Gallery", exact=True).click()
    expect(page.locator(CARD)).to_have_count(50)
    keep(page, "gallery-100000", tmp_path)
    first = page.locator(CARD).first.inner_text()
    page.get_by_role("button", name="Next").click()
    expect(page.locator(CARD).first).not_to_have_text(first)
    page.goto(f"{server.url}/cases?grade=cin3&model=false_negative&sort=uncertainty")
    page.get_by_text("500+").or_(page.get_by_text(" cases;")).first.wait_for()
    page.get_by_text("Gallery", exact=True).click()
    expect(page.locator(CARD)).to_have_count(50)
    expect(page.locator(CARD).first).to_contain_text("CIN3")
    keep(page, "gallery-100000-filtered", tmp_path)


@pytest.mark.parametrize(("tab", "words"), [("cohort", "Cases per month"), ("model", "ROC curve"), ("watch", "Drift")])
def test_the_dashboard_counts_all_of_them(page: Page, server: Server, tmp_path: Path, tab: str, words: str) -> None:
    page.goto(f"{server.url}/dashboard?tab={tab}")
    page.get_by_text(words).first.wait_for()
    page.get_by_text(f"{N_CASES:,}").first.wait_for()
    expect(page.get_by_text("Something unforeseen")).to_have_count(0)
    page.wait_for_timeout(1500)
    keep(page, f"dashboard-100000-{tab}", tmp_path)
