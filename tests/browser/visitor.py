"""Somebody at the screen, for tests that walk through the program as a person would."""

import re
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, ViewportSize, expect

from tests.browser.conftest import Server

PASSWORD = "a password of some length"
SCREEN: ViewportSize = {"width": 1366, "height": 768}
SOON = 20_000


class Visitor:
    """Somebody at the screen, who keeps pictures of what they see."""

    def __init__(self, server: Server, context: BrowserContext, pictures: Path) -> None:
        self.server = server
        self.page: Page = context.new_page()
        self.page.set_default_timeout(SOON)
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
        self.page.wait_for_timeout(200)  # what was pressed reaches the server, and the page says that it runs
        if self.page.get_by_test_id("stApp").count():
            self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
            expect(self.page.locator("[data-stale=true]")).to_have_count(0)

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
        """Keep a picture of the page, as a screen of that height shows it."""
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
