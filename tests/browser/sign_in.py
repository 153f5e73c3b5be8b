"""Browsers of people who are signed in, without a walk through the form."""

import hashlib
from datetime import timedelta
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ViewportSize
from sqlalchemy.orm import Session

from colpo_core.services.people.signing_in import SESSION_COOKIE
from colpo_core.store.tables import SignInSession, utc_now

SCREEN: ViewportSize = {"width": 1366, "height": 768}
TALL: ViewportSize = {"width": 1366, "height": 900}


def add_sign_in(session: Session, person_id: int, token: str) -> None:
    """Write down that a person is signed in; `token` is what the cookie holds."""
    token_sha256 = hashlib.sha256(token.encode()).hexdigest()
    expires_at = utc_now() + timedelta(hours=6)
    session.add(SignInSession(token_sha256=token_sha256, person_id=person_id, expires_at=expires_at))


def sign_in_browser(context: BrowserContext, url: str, token: str) -> None:
    """Give a browser the cookie of a sign-in."""
    context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": url}])


def signed_in(browser: Browser, url: str, token: str, **options: Any) -> BrowserContext:
    """A new profile of a browser that holds the cookie of a sign-in; the options are those of `new_context`."""
    context = browser.new_context(**options)
    sign_in_browser(context, url, token)
    return context
