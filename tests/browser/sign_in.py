"""Browsers of people who are signed in, without a walk through the form."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, ViewportSize

from colpo_core.services.people.signing_in import SESSION_COOKIE

TALL: ViewportSize = {"width": 1366, "height": 900}


def sign_in_browser(context: BrowserContext, url: str, token: str) -> None:
    """Give a browser the cookie of a sign-in."""
    context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": url}])


def signed_in(browser: Browser, url: str, token: str, **options: Any) -> BrowserContext:
    """A new profile of a browser that holds the cookie of a sign-in; the options are those of `new_context`."""
    context = browser.new_context(**options)
    sign_in_browser(context, url, token)
    return context
