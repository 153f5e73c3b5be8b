"""Signing in and out over plain HTTP: a form that works without a script.

The cookie is out of reach of scripts (HttpOnly), stays on this site (SameSite=Lax), and holds a random token that the
store can revoke at any moment.
"""

import asyncio
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from colpo_core.errors import Busy, ColpoError, Conflict, InputRejected, SignInRefused
from colpo_core.records.people import SignIn
from colpo_core.services.common.machine_errors import machine_error
from colpo_core.services.people import accounts as people
from colpo_core.services.people import signing_in
from colpo_core.store import Store
from colpo_core.web.cookies import forget_token, is_https, set_token, token_of
from colpo_core.web.gate import refused, status_of
from colpo_core.web.limits import ACCOUNTS, PASSWORDS, FailuresByAddress, in_lane
from colpo_core.web.signin_form import first_administrator_form, sign_in_form

_MAX_FORM_BYTES = 16_384
_HOME = "/"
_REFUSED_AFTER_SECONDS = 1.0


def routes(store: Store) -> list[Route]:
    """The routes of signing in and out.

    Args:
        store: The open store.
    """
    desk = _Desk(store)
    return [
        Route("/login", desk.show, methods=["GET"]),
        Route("/login", desk.sign_in, methods=["POST"]),
        Route("/login/first", desk.show, methods=["GET"]),
        Route("/login/first", desk.create_first_administrator, methods=["POST"]),
        Route("/logout", desk.sign_out, methods=["POST"]),
        Route("/colpo/session", _say_signed_in, methods=["GET"]),
    ]


def safe_target(text: str) -> str:
    """Where to go after signing in: a path of this program, never another site.

    Args:
        text: What the address said.

    Returns:
        The path with its query, or `/` where it is anything else.
    """
    if not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable() or " " in text:
        return _HOME
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or parts.path.startswith(("/login", "/logout", "/colpo/", "/_stcore/", "/media/")):
        return _HOME
    return parts.path + (f"?{parts.query}" if parts.query else "")


class _Desk:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._failures = FailuresByAddress()

    async def show(self, request: Request) -> Response:
        """The form, or straight on for somebody who is signed in already."""
        target = safe_target(request.query_params.get("next", _HOME))
        if request.scope.get("state", {}).get("actor") is not None:
            return RedirectResponse(target, status_code=303)
        if await in_lane(ACCOUNTS, people.needs_first_administrator, self._store):
            return HTMLResponse(first_administrator_form())
        notice = "You are signed out." if "out" in request.query_params else ""
        return HTMLResponse(sign_in_form(target=target, notice=notice))

    async def sign_in(self, request: Request) -> Response:
        """Take the form."""
        form = await _form(request)
        target = safe_target(form.get("next", _HOME))
        username = form.get("username", "")
        try:
            signed = await self._sign_in(request, username, form.get("password", ""))
        except ColpoError as error:
            await _hold_back(error)
            return _refused(sign_in_form(target=target, username=username, error=str(error)), error)
        return await self._enter(request, signed, target)

    async def create_first_administrator(self, request: Request) -> Response:
        """Make the first account and sign it in; of two at once, the second is told to sign in."""
        form = await _form(request)
        username, display_name = form.get("username", ""), form.get("display_name", "")
        try:
            if form.get("password", "") != form.get("again", ""):
                raise InputRejected("The two passwords differ. Type the same one twice.")
            await in_lane(
                PASSWORDS,
                people.create_first_administrator,
                self._store,
                username=username,
                display_name=display_name,
                password=form.get("password", ""),
            )
            signed = await self._sign_in(request, username, form.get("password", ""))
        except Conflict as error:
            return HTMLResponse(sign_in_form(target=_HOME, error=str(error)), status_code=409)
        except Busy as error:
            page = first_administrator_form(username=username, display_name=display_name, error=str(error))
            await _hold_back(error)
            return _refused(page, error)
        except ColpoError as error:
            page = first_administrator_form(username=username, display_name=display_name, error=str(error))
            return HTMLResponse(page, status_code=422)
        return await self._enter(request, signed, _HOME)

    async def sign_out(self, request: Request) -> Response:
        """End this session and let the browser forget what it has seen.

        Not what it keeps: strokes that wait to be saved lie in the tab's database until their painter comes back.
        """
        try:
            await in_lane(ACCOUNTS, signing_in.sign_out, self._store, token=token_of(request))
        except Exception as error:
            return refused(error)
        response = RedirectResponse("/login?out", status_code=303, headers={"Clear-Site-Data": '"cache"'})
        forget_token(response, https=is_https(request))
        return response

    async def _sign_in(self, request: Request, username: str, password: str) -> SignIn:
        """Sign somebody in, unless too many of her address have failed, or the machine refuses.

        Raises:
            SignInRefused: The name or the password is wrong.
            Busy: Too many sign in at this moment, or failed just now.
            DiskRefuses: The store's disk is full or read-only.
        """
        address = request.client.host if request.client else ""
        self._failures.count(address)
        try:
            signed = await in_lane(PASSWORDS, signing_in.sign_in, self._store, username=username, password=password)
        except SignInRefused:
            raise
        except Exception as error:
            self._failures.forgive(address)
            known = machine_error(error)
            if known is None:
                raise
            raise known from error
        self._failures.forgive(address)
        return signed

    async def _enter(self, request: Request, signed: SignIn, target: str) -> Response:
        before = token_of(request)
        if before:
            await in_lane(ACCOUNTS, signing_in.sign_out, self._store, token=before)
        response = RedirectResponse(target, status_code=303)
        max_age = int(self._store.settings.session_hours * 3600)
        set_token(response, signed.token, max_age=max_age, https=is_https(request))
        return response


async def _hold_back(error: ColpoError) -> None:
    """Whoever asks too much gets the answer late, so that asking again at once gains nothing; it costs no thread."""
    if isinstance(error, Busy):
        await asyncio.sleep(_REFUSED_AFTER_SECONDS)


def _refused(page: str, error: ColpoError) -> Response:
    """The form again, with why; a refused sign-in is 401, and where too many sign in at once 429."""
    status = 401 if isinstance(error, SignInRefused) else 429 if isinstance(error, Busy) else status_of(error)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Busy) else None
    return HTMLResponse(page, status_code=status, headers=headers)


async def _say_signed_in(request: Request) -> Response:
    """An open page asks this from time to time; the gate answers 401 when the sign-in is over."""
    return Response(status_code=204)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a small form, the last of each name; empty where the body is too long or no form."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM_BYTES:
            return {}
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}
