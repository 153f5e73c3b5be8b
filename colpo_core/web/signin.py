"""Signing in and out over plain HTTP: a form that works without a script.

The cookie is out of reach of scripts (HttpOnly), stays on this site (SameSite=Lax), and holds a random token that the
store can revoke at any moment.
"""

from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from colpo_core.errors import ColpoError, Conflict, InputRejected, SignInRefused
from colpo_core.records.people import SignIn
from colpo_core.services.people import accounts as people
from colpo_core.services.people import signing_in
from colpo_core.store import Store
from colpo_core.web.signin_form import first_administrator_form, sign_in_form

_MAX_FORM_BYTES = 16_384
_HOME = "/"


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

    async def show(self, request: Request) -> Response:
        """The form, or straight on for somebody who is signed in already."""
        target = safe_target(request.query_params.get("next", _HOME))
        if request.scope.get("state", {}).get("actor") is not None:
            return RedirectResponse(target, status_code=303)
        if await run_in_threadpool(people.needs_first_administrator, self._store):
            return HTMLResponse(first_administrator_form())
        notice = "You are signed out." if "out" in request.query_params else ""
        return HTMLResponse(sign_in_form(target=target, notice=notice))

    async def sign_in(self, request: Request) -> Response:
        """Take the form."""
        form = await _form(request)
        target = safe_target(form.get("next", _HOME))
        username = form.get("username", "")
        try:
            signed = await run_in_threadpool(
                signing_in.sign_in, self._store, username=username, password=form.get("password", "")
            )
        except SignInRefused as error:
            return HTMLResponse(sign_in_form(target=target, username=username, error=str(error)), status_code=401)
        return await self._enter(request, signed, target)

    async def create_first_administrator(self, request: Request) -> Response:
        """Make the first account and sign it in; of two at once, the second is told to sign in."""
        form = await _form(request)
        username, display_name = form.get("username", ""), form.get("display_name", "")
        try:
            if form.get("password", "") != form.get("again", ""):
                raise InputRejected("The two passwords differ. Type the same one twice.")
            await run_in_threadpool(
                people.create_first_administrator,
                self._store,
                username=username,
                display_name=display_name,
                password=form.get("password", ""),
            )
            signed = await run_in_threadpool(
                signing_in.sign_in, self._store, username=username, password=form.get("password", "")
            )
        except Conflict as error:
            return HTMLResponse(sign_in_form(target=_HOME, error=str(error)), status_code=409)
        except ColpoError as error:
            page = first_administrator_form(username=username, display_name=display_name, error=str(error))
            return HTMLResponse(page, status_code=422)
        return await self._enter(request, signed, _HOME)

    async def sign_out(self, request: Request) -> Response:
        """End this session and let the browser forget what it has seen.

        Not what it keeps: strokes that wait to be saved lie in the tab's database until their painter comes back.
        """
        token = request.cookies.get(signing_in.SESSION_COOKIE, "")
        await run_in_threadpool(signing_in.sign_out, self._store, token=token)
        response = RedirectResponse("/login?out", status_code=303, headers={"Clear-Site-Data": '"cache"'})
        response.delete_cookie(signing_in.SESSION_COOKIE, path="/", httponly=True, samesite="lax")
        return response

    async def _enter(self, request: Request, signed: SignIn, target: str) -> Response:
        before = request.cookies.get(signing_in.SESSION_COOKIE, "")
        if before:
            await run_in_threadpool(signing_in.sign_out, self._store, token=before)
        response = RedirectResponse(target, status_code=303)
        response.set_cookie(
            signing_in.SESSION_COOKIE,
            signed.token,
            max_age=int(self._store.settings.session_hours * 3600),
            path="/",
            httponly=True,
            samesite="lax",
            secure=self._store.settings.secure_cookie,
        )
        return response


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
