"""Somebody at the screen, for tests that walk through the program as a person would."""

import re
import time
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, WebSocket, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.conftest import Server
from tests.browser.mask_page import settle
from tests.browser.sign_in import SCREEN

PASSWORD = "a password of some length"
SOON = 20_000


class ScriptRuns:
    """Whether a page waits for a run of its script, read from the messages between the browser and the server."""

    def __init__(self, page: Page) -> None:
        self.is_waiting = False
        self._has_begun = False
        page.on("domcontentloaded", lambda _page: self._ask())  # a new page asks as soon as it is connected
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", self._read_sent)
        socket.on("framereceived", self._read_received)

    def _ask(self) -> None:
        self.is_waiting, self._has_begun = True, False

    def _read_sent(self, frame: bytes | str) -> None:
        if isinstance(frame, bytes) and BackMsg.FromString(frame).WhichOneof("type") == "rerun_script":
            self._ask()

    def _read_received(self, frame: bytes | str) -> None:
        if not isinstance(frame, bytes):
            return
        message = ForwardMsg.FromString(frame)
        if message.WhichOneof("type") == "new_session":
            self._has_begun = True
        elif message.WhichOneof("type") == "script_finished" and self._has_begun:
            self.is_waiting = message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN


class Visitor:
    """Somebody at the screen, who keeps pictures of what they see where a folder for them is named."""

    def __init__(self, server: Server, context: BrowserContext, pictures: Path | None) -> None:
        self.server = server
        self.page: Page = context.new_page()
        self.page.set_default_timeout(SOON)
        self._runs = ScriptRuns(self.page)
        self._pictures = pictures

    def open(self, address: str = "") -> None:
        self.page.goto(f"{self.server.url}/{address}")
        self.settle()

    def go(self, menu: str) -> None:
        """Choose a page in the menu."""
        link = self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=menu, exact=True)
        address = link.get_attribute("href")
        assert address
        link.click()
        self.page.wait_for_url(re.compile(rf"{re.escape(address)}/?(\?.*)?$"))
        self.settle()

    def settle(self) -> None:
        """Wait until Streamlit has drawn what it was asked for."""
        self.page.wait_for_load_state()
        self.page.wait_for_timeout(50)  # what was pressed is sent
        if self.page.get_by_test_id("stApp").count():
            deadline = time.monotonic() + SOON / 1000
            while self._runs.is_waiting and time.monotonic() < deadline:
                self.page.wait_for_timeout(10)
            settle(self.page)

    def press(self, name: str, *, exact: bool = False) -> None:
        self.button(name, exact=exact).click()
        self.settle()

    def button(self, name: str, *, exact: bool = False) -> Locator:
        return self.page.get_by_role("button", name=name, exact=exact).first

    def field(self, label: str) -> Locator:
        """A text field; the help icon beside it has the same label."""
        return self.page.get_by_role("textbox", name=label, exact=True)

    def sees(self, text: str | re.Pattern[str], *, within: int = SOON) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=within)

    def keep(self, name: str, *, height_px: int = SCREEN["height"]) -> None:
        """Keep a picture of the page, as a screen of that height shows it; none where no folder was named."""
        if self._pictures is None:
            return
        self.page.set_viewport_size({**SCREEN, "height": height_px})
        self.page.mouse.move(700, 4)  # no tooltip lies over the page
        self.settle()
        self.page.wait_for_timeout(800)  # images and charts fade in
        self.page.screenshot(path=self._pictures / f"{name}.png")
        self.page.set_viewport_size(SCREEN)

    def sign_in(self, username: str) -> None:
        self.open()
        self.page.get_by_label("Username").fill(username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.button("Sign in").click()
        self.page.get_by_test_id("stApp").wait_for()
        self.settle()

    def choose(self, label: str, option: str) -> None:
        """Choose in a select box or a multiple choice."""
        self.page.get_by_role("combobox", name=re.compile(f"^{label}|{label}$")).first.click()
        self.page.get_by_role("option", name=option, exact=True).click()
        self.settle()
