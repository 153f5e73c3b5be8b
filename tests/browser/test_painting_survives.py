"""What may happen to a clinician in the middle of painting: the server dies, the network goes, the tab is closed, the
page is reloaded, the sign-in ends. Every finished stroke is on the server afterwards, and on the screen."""

import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from colpo_core.images.masks import decode_rle
from colpo_core.services.annotations import own_masks
from colpo_core.services.common.callers import Caller
from colpo_core.settings import Settings
from colpo_core.store import Store
from tests.browser.conftest import Server
from tests.browser.sign_in import SCREEN, sign_in_browser, signed_in
from tests.painting import ward
from tests.painting.browser_kills import paint_through_kills
from tests.painting.kills import check_store
from tests.painting.screen import Tab
from tests.painting.ward import Annotator, Seat

pytestmark = [pytest.mark.browser, pytest.mark.alone]

N_KILLS = 5
WIDTH, HEIGHT = 640, 480
PATIENCE_S = 20
SAVES = "**/colpo/annotations/i*"


class Clinic:
    """A server, its store, and the one person who paints."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.store = Store.open(Settings(data_dir=server.data_dir))
        self.anna: Annotator = ward.add_annotator_with_password(self.store, "anna")

    def stored(self, seat: Seat) -> NDArray[np.bool_]:
        opened = own_masks.open_annotation(Caller(self.store, self.anna.actor), image_id=seat.image_id)
        return decode_rle(opened.rle, height_px=seat.height_px, width_px=seat.width_px)


@pytest.fixture(scope="module")
def clinic(server: Server) -> Iterator[Clinic]:
    clinic = Clinic(server)
    yield clinic
    clinic.store.close()


@pytest.fixture
def seat(clinic: Clinic) -> Iterator[Seat]:
    """An image that nobody has painted on; the sign-in is good, whatever a test before has done to it."""
    ward.drop_sign_ins(clinic.store)
    ward.sign_in(clinic.store, clinic.anna)
    image_id = ward.add_image(clinic.store, width_px=WIDTH, height_px=HEIGHT)
    yield ward.seat(clinic.store, clinic.anna, image_id)
    if clinic.server.process is None:
        clinic.server.start()


@pytest.fixture
def context(chromium: Browser, clinic: Clinic) -> Iterator[BrowserContext]:
    context = signed_in(chromium, clinic.server.url, clinic.anna.token, viewport=SCREEN)
    yield context
    context.close()


@pytest.fixture
def new_tab(context: BrowserContext, clinic: Clinic, seat: Seat) -> Callable[[], Tab]:
    return lambda: Tab(context.new_page(), clinic.server.url, seat)


@pytest.fixture
def tab(new_tab: Callable[[], Tab]) -> Tab:
    return new_tab().open()


def paint_rows(tab: Tab, numbers: Iterable[int], *, n_rows: int) -> None:
    for number in numbers:
        tab.stroke(*tab.row(number, n_rows))


def cut_saves(tab: Tab) -> None:
    """Let no save reach the server."""
    tab.page.route(SAVES, lambda route: route.abort() if route.request.method == "PUT" else route.continue_())


def sign_in_again(tab: Tab) -> Tab:
    """Fill in the form that the page has come to, and be led back to the image."""
    tab.sign_in_by_form()
    tab.page.wait_for_url(f"**/annotate?image={tab.seat.image_id}")
    return tab.wait_ready()


def assert_all_is_saved(clinic: Clinic, tab: Tab, n_strokes: int, n_rows: int | None = None) -> None:
    """The server holds what the screen shows, and every stroke of `Tab.row` is in it from end to end.

    A tab that opens shows what the server holds, and a moment later what another tab has left behind; so this waits.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        tab.wait_state("saved")
        missing = missing_strokes(tab, n_strokes, n_rows or n_strokes)
        if not missing or time.monotonic() > deadline:
            break
        tab.page.wait_for_timeout(300)
    assert missing == []
    tab.wait_state("saved")
    assert np.array_equal(clinic.stored(tab.seat), tab.shown())


def missing_strokes(tab: Tab, n_strokes: int, n_rows: int) -> list[int]:
    """The numbers of the strokes that the screen does not show from end to end."""
    shown = tab.shown()
    lines = [tab.row(number, n_rows) for number in range(n_strokes)]
    return [n for n, ((x0, y), (x1, _)) in enumerate(lines, start=1) if not shown[int(y), int(x0) : int(x1)].all()]


def test_painting_goes_on_through_kills(clinic: Clinic, tab: Tab) -> None:
    figures = paint_through_kills(clinic.server, tab, n_kills=N_KILLS, seed=1)
    assert figures.n_kills == N_KILLS
    assert figures.n_strokes > N_KILLS
    assert figures.n_missing == 0
    assert figures.is_the_screen
    assert list(check_store(clinic.server.data_dir)) == []


def test_no_dialog_lies_over_the_image_while_the_server_is_away(clinic: Clinic, tab: Tab) -> None:
    """Streamlit says that the connection is lost some seconds after it is, over all of the page."""
    tab.page.evaluate(
        """() => {
          window.dialogs = 0;
          new MutationObserver((changes) => {
            for (const change of changes)
              for (const node of change.addedNodes)
                if (node.textContent.includes("Connection error")) window.dialogs += 1;
          }).observe(document.body, { childList: true, subtree: true });
        }"""
    )
    clinic.server.kill()
    tab.stroke(*tab.row(0, 2))
    tab.page.wait_for_function("() => window.dialogs > 0", timeout=30_000)
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    tab.stroke(*tab.row(1, 2))
    tab.page.get_by_text("2 strokes kept").wait_for()
    clinic.server.start()
    assert_all_is_saved(clinic, tab, 2)


def test_a_cut_network_keeps_strokes_until_it_is_back(clinic: Clinic, context: BrowserContext, tab: Tab) -> None:
    tab.stroke(*tab.row(0, 4))
    tab.wait_state("saved")
    context.set_offline(True)
    paint_rows(tab, (1, 2), n_rows=4)
    tab.wait_state("offline")
    tab.page.get_by_text("2 strokes kept").wait_for()
    context.set_offline(False)
    tab.stroke(*tab.row(3, 4))
    assert_all_is_saved(clinic, tab, 4)


@pytest.mark.parametrize("how", [pytest.param("network", marks=pytest.mark.slow), "server"])
def test_a_closed_tab_loses_nothing(
    clinic: Clinic, context: BrowserContext, seat: Seat, tab: Tab, new_tab: Callable[[], Tab], how: str
) -> None:
    tab.stroke(*tab.row(0, 3))
    tab.wait_state("saved")
    if how == "network":
        context.set_offline(True)
    else:
        clinic.server.kill()
    paint_rows(tab, (1, 2), n_rows=3)
    tab.page.close()
    assert clinic.stored(seat).any()
    if how == "network":
        context.set_offline(False)
    else:
        clinic.server.start()
    assert_all_is_saved(clinic, new_tab().open(), 3)


def test_a_tab_that_crashes_loses_nothing(clinic: Clinic, tab: Tab, new_tab: Callable[[], Tab]) -> None:
    clinic.server.kill()
    paint_rows(tab, range(2), n_rows=2)
    with pytest.raises(Error):
        tab.page.goto("chrome://crash")
    tab.page.close()
    clinic.server.start()
    assert_all_is_saved(clinic, new_tab().open(), 2)


@pytest.mark.parametrize(
    "is_up", [pytest.param(True, marks=pytest.mark.slow, id="server up"), pytest.param(False, id="server down")]
)
def test_a_reload_in_mid_stroke_keeps_the_finished_ones(clinic: Clinic, tab: Tab, is_up: bool) -> None:
    if not is_up:
        cut_saves(tab)
    paint_rows(tab, range(3), n_rows=4)
    tab.begin_stroke(*tab.row(3, 4))
    tab.page.reload()
    tab.page.unroute(SAVES)
    tab.page.mouse.up()
    tab.wait_ready()
    assert_all_is_saved(clinic, tab, 3, n_rows=4)
    assert not tab.shown()[int(tab.row(3, 4)[0][1])].any()


@pytest.mark.slow
def test_an_expired_sign_in_is_renewed_beside_the_page(
    clinic: Clinic, context: BrowserContext, seat: Seat, tab: Tab
) -> None:
    be_quicker_than_the_watch(tab)
    ward.let_sign_in_expire(clinic.store, clinic.anna)
    paint_rows(tab, range(2), n_rows=2)
    tab.wait_state("sign-in")
    assert not clinic.stored(seat).any()
    with context.expect_page() as opened:
        tab.page.get_by_role("link", name="Sign in again").click()
    form = Tab(opened.value, tab.url, seat)
    form.sign_in_by_form()
    tab.page.bring_to_front()
    assert_all_is_saved(clinic, tab, 2)


def test_an_expired_sign_in_and_a_reload_lose_nothing(clinic: Clinic, tab: Tab) -> None:
    ward.let_sign_in_expire(clinic.store, clinic.anna)
    paint_rows(tab, range(2), n_rows=2)
    tab.wait_state("sign-in")
    tab.page.reload()
    assert_all_is_saved(clinic, sign_in_again(tab), 2)


@pytest.mark.slow
def test_signing_out_elsewhere_drops_no_stroke(clinic: Clinic, context: BrowserContext, seat: Seat, tab: Tab) -> None:
    be_quicker_than_the_watch(tab)
    other = sign_out_elsewhere(clinic, context)
    paint_rows(tab, range(2), n_rows=2)
    tab.wait_state("sign-in")
    other.goto(f"{clinic.server.url}/login")
    Tab(other, tab.url, seat).sign_in_by_form()
    tab.page.bring_to_front()
    assert_all_is_saved(clinic, tab, 2)


def test_signing_out_elsewhere_takes_the_page_and_no_stroke(clinic: Clinic, context: BrowserContext, tab: Tab) -> None:
    """The strokes wait for the network, the person signs out in another tab, and the page goes to the sign-in form."""
    cut_saves(tab)
    paint_rows(tab, range(2), n_rows=2)
    tab.wait_state("offline")
    sign_out_elsewhere(clinic, context).close()  # a tab behind another one is drawn once a second
    tab.page.unroute(SAVES)
    tab.page.wait_for_url("**/login?next=*")
    assert_all_is_saved(clinic, sign_in_again(tab), 2)


def sign_out_elsewhere(clinic: Clinic, context: BrowserContext) -> Page:
    """Sign out as the menu does, in a tab of its own."""
    other = context.new_page()
    other.goto(f"{clinic.server.url}/colpo/health")
    other.evaluate("() => fetch('/logout', { method: 'POST' }).then((answer) => answer.text())")
    return other


def be_quicker_than_the_watch(tab: Tab) -> None:
    """Every ten seconds a page whose sign-in is over goes to the form by itself; here the person comes first."""
    tab.page.evaluate("() => clearInterval(window.colpoDeskWatch)")


@pytest.mark.slow
def test_somebody_else_in_between_neither_sees_nor_drops_them(
    clinic: Clinic, context: BrowserContext, seat: Seat, tab: Tab, new_tab: Callable[[], Tab]
) -> None:
    """Anna's sign-in ends before her strokes are saved, Bea uses the machine, and Anna comes back."""
    ward.let_sign_in_expire(clinic.store, clinic.anna)
    paint_rows(tab, range(2), n_rows=2)
    tab.wait_state("sign-in")
    tab.page.close()
    bea = ward.add_annotator(clinic.store, f"bea-{seat.image_id}")
    sign_in_browser(context, clinic.server.url, bea.token)
    hers = Tab(context.new_page(), clinic.server.url, ward.seat(clinic.store, bea, seat.image_id)).open()
    hers.wait_state("saved")
    assert not hers.shown().any()
    hers.page.close()
    ward.drop_sign_ins(clinic.store)
    ward.sign_in(clinic.store, clinic.anna)
    sign_in_browser(context, clinic.server.url, clinic.anna.token)
    assert_all_is_saved(clinic, new_tab().open(), 2)
