"""A reader reads with keys in a real browser, and all that the browser received is looked through."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Response, WebSocket, expect
from sqlalchemy import select

from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing
from colpo_core.store import Store
from colpo_core.store.tables import Case, Image, Reading, StudyCase
from colpo_core.terms import Label
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
N_CASES = 4


class Ear:
    """Keeps every byte that a page receives, but for the program's own static files.

    Of images it keeps address and headers: a browser lets go of them as soon as the next one is shown, and every byte
    of them is looked through in `tests/integration/test_blinding.py`.
    """

    def __init__(self, page: Page) -> None:
        self.heard: list[bytes] = []
        self._replies: list[Response] = []
        page.on("response", lambda reply: self._replies.append(reply))
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.heard.append(as_bytes(frame)))

    def take_down(self) -> None:
        """Read what came so far; a browser forgets it when it leaves the page."""
        for reply in self._replies:
            if "/static/" not in reply.url:
                is_kept = reply.status == 200 and reply.url.startswith("http")
                body = reply.body() if is_kept and reply.request.resource_type != "image" else b""
                self.heard.append(f"{reply.url} {reply.all_headers()}".encode() + body)
        self._replies.clear()

    def everything(self) -> bytes:
        self.take_down()
        return b"\n".join(self.heard)


def as_bytes(frame: str | bytes) -> bytes:
    return frame if isinstance(frame, bytes) else frame.encode()


@pytest.fixture
def study_id(administrator: Caller, reader: Caller, add_case: Callable[..., int]) -> int:
    for index in range(N_CASES):
        add_case(Label.HSIL if index % 2 else Label.NORMAL)
    study = designing.create_study(administrator, name="Reading one", reader_ids=[reader.person_id])
    designing.open_study(administrator, study_id=study.id)
    return study.id


@pytest.fixture
def page(new_page: Callable[..., Page], new_server: Server, reader: Caller, token_of: Callable[[Caller], str]) -> Page:
    return new_page(new_server, token_of(reader))


def test_a_study_is_read_with_keys_and_nothing_unblinds(
    page: Page, store: Store, study_id: int, new_server: Server
) -> None:
    ear = Ear(page)
    page.goto(f"{new_server.url}/read?study={study_id}")
    where = page.locator(".where")
    expect(where).to_have_text(f"1 of {N_CASES}", timeout=60_000)
    expect(page.get_by_role("button", name="Confirm")).to_be_disabled()

    image = page.get_by_role("img", name="The image to read").first
    page.get_by_role("button", name="Brighter").click()
    page.get_by_role("button", name="Brighter").click()
    expect(image).to_have_css("filter", "brightness(1.2)")
    page.get_by_role("button", name="Brightness as it is").click()
    expect(image).to_have_css("filter", "none")

    page.keyboard.press("Enter")
    page.keyboard.press("2")
    expect(page.get_by_role("radio", name="HSIL")).to_be_checked()
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(page.get_by_role("radio", name="Normal")).to_be_checked()
    expect(page.get_by_role("button", name="Confirm")).to_be_disabled()
    page.keyboard.press("8")
    page.keyboard.press("p")
    paused = page.get_by_role("dialog", name="Paused")
    expect(paused).to_be_visible()
    paused.click(position={"x": 450, "y": 300}, trial=True)  # it lies over the image
    page.keyboard.press("3")
    page.keyboard.press("p")
    expect(page.get_by_role("dialog", name="Paused")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(where).to_have_text(f"2 of {N_CASES}")
    expect(page.get_by_role("button", name="Confirm")).to_be_disabled()

    ear.take_down()
    page.reload()
    for number in range(2, N_CASES + 1):
        expect(where).to_have_text(f"{number} of {N_CASES}", timeout=60_000)
        page.get_by_role("radio", name="HSIL").click()
        page.get_by_role("slider").fill("50")
        page.get_by_role("button", name="Confirm").dblclick()
    expect(page.get_by_role("heading", name="All read")).to_be_visible()

    with store.reading() as session:
        rows = session.scalars(select(Reading).order_by(Reading.id)).all()
        assert [(row.call, row.confidence) for row in rows] == [(Label.NORMAL, 80), *[(Label.HSIL, 50)] * (N_CASES - 1)]
        assert all(row.active_ms is not None for row in rows)
        shown = session.scalars(select(StudyCase)).all()
        cases = [session.get_one(Case, row.case_id) for row in shown]
        hashes = [session.get_one(Image, row.image_id).sha256 for row in shown]
        secrets = [word for case in cases for word in (case.patient.code, str(case.case_date))] + hashes
    heard = ear.everything()
    assert heard.count(b"/colpo/readings/") >= N_CASES
    assert b"The image to read" in heard, "the messages of the page were not heard"
    assert [word for word in secrets if word.encode() in heard] == []
