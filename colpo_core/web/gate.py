"""The gate: middleware before everything else that lets nobody through who has not signed in.

It stands before Streamlit's own routes too: what `st.image` serves under `/media`, uploads, components and the
WebSocket. On the WebSocket it asks again at every message, because a callback or a fragment runs without the page's
own check: somebody who is signed out can press nothing any more.
"""

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from colpo_core.errors import (
    Blinding,
    Busy,
    ColpoError,
    Conflict,
    DiskRefuses,
    FilesUnreachable,
    NotFound,
    PermissionDenied,
    ShownNoMore,
)
from colpo_core.records.people import Actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.incidents import log_incident
from colpo_core.services.people import signing_in
from colpo_core.services.studies.refusals import note_refusal
from colpo_core.store import Store
from colpo_core.terms import Role
from colpo_core.web.headers import with_safe_headers

OPEN_PATHS = frozenset({"/login", "/login/first", "/colpo/health"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN_METHODS = frozenset({"GET", "HEAD", "POST"})
_NO_PAGES = ("/_stcore/", "/colpo/", "/component/", "/media/", "/scripts/", "/static/")
_POLICY_VIOLATION = 1008
_REFUSALS = frozenset({403, 404, 405})
_STATUS: tuple[tuple[type[ColpoError], int], ...] = (
    (PermissionDenied, 403),
    (ShownNoMore, 410),
    (Blinding, 403),
    (NotFound, 404),
    (Conflict, 409),
    (FilesUnreachable, 503),
    (Busy, 503),
    (DiskRefuses, 507),
)


class Gate:
    """ASGI middleware: signed in, or nothing but the sign-in form.

    Args:
        app: What stands behind the gate.
        store: Where the sign-ins are kept.
    """

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app = app
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse or hand on one connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, with_safe_headers(scope, send))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        method: str = scope["method"]
        if method not in _SAFE_METHODS and not is_same_origin(connection):
            refusal: Response = JSONResponse({"error": "This request came from another site."}, status_code=403)
            await refusal(scope, receive, send)
            return
        actor = await self._actor(connection)
        scope.setdefault("state", {})["actor"] = actor
        if actor is None and not (scope["path"] in OPEN_PATHS and method in _OPEN_METHODS):
            await _refuse(connection, method)(scope, receive, send)
            return
        await self._app(scope, receive, send if actor is None else self._counting_refusals(scope, send, actor))

    def _counting_refusals(self, scope: Scope, send: Send, actor: Actor) -> Send:
        """Write down that a reader was refused an address of the program; a token of another reader is one, too."""
        if actor.role is not Role.READER or not scope["path"].startswith("/colpo/"):
            return send

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _REFUSALS:
                what = f"{scope['method']} {scope['path']}"
                await run_in_threadpool(note_refusal, Caller(self._store, actor), what=what)
            await send(message)

        return counting

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        if not is_same_origin(connection) or await self._actor(connection) is None:
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return

        is_closed = False

        async def receive_while_signed_in() -> Message:
            nonlocal is_closed
            message = await receive()
            if message["type"] == "websocket.receive" and await self._actor(connection) is None:
                is_closed = True
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
                return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}
            return message

        async def send_while_open(message: Message) -> None:
            if not is_closed:
                await send(message)

        await self._app(scope, receive_while_signed_in, send_while_open)

    async def _actor(self, connection: HTTPConnection) -> Actor | None:
        token = connection.cookies.get(signing_in.SESSION_COOKIE, "")
        if not token:
            return None
        return await run_in_threadpool(signing_in.actor_for_token, self._store, token=token)


def is_same_origin(connection: HTTPConnection) -> bool:
    """Whether a request was made by a page of this very site.

    Browsers say so themselves, either by `Sec-Fetch-Site` (over HTTPS and on loopback) or by `Origin` (with every
    request that changes something). What says neither is no browser that we can protect, and is refused.
    """
    fetch_site = connection.headers.get("sec-fetch-site")
    if fetch_site is not None and connection.scope["type"] == "http":
        return fetch_site in {"same-origin", "none"}
    origin = connection.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower()


def actor_of(request: Request) -> Actor:
    """Who the gate let through.

    Raises:
        PermissionDenied: Nobody is signed in: the route stands open or outside the gate.
    """
    actor = request.scope.get("state", {}).get("actor")
    if not isinstance(actor, Actor):
        raise PermissionDenied("Sign in first.")
    return actor


def answering(handler: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    """Make a route of a handler: its errors become JSON `{"error": sentence}` with a fitting status.

    A plain function runs in a thread, so that it may ask the store; an async one must not block.

    Args:
        handler: Takes the request and returns a Response.
    """

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        try:
            if inspect.iscoroutinefunction(handler):
                return cast(Response, await handler(request))
            return cast(Response, await run_in_threadpool(handler, request))
        except ColpoError as error:
            headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Busy) else None
            return JSONResponse({"error": str(error)}, status_code=status_of(error), headers=headers)
        except Exception as error:
            number = log_incident(error)
            return JSONResponse(
                {"error": f"Something unforeseen went wrong. Tell your administrator the incident number {number}."},
                status_code=500,
            )

    return endpoint


def status_of(error: ColpoError) -> int:
    """The HTTP status that says what an error says."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 422)


def _refuse(connection: HTTPConnection, method: str) -> Response:
    """A browser that wants a page is sent to the sign-in form; anything else is told to sign in."""
    path, query = connection.scope["path"], connection.scope["query_string"].decode("latin-1")
    if path.startswith(_NO_PAGES) or "text/html" not in connection.headers.get("accept", ""):
        return PlainTextResponse("Sign in first.", status_code=401)
    if path == "/" or method not in {"GET", "HEAD"}:
        return RedirectResponse("/login", status_code=303)
    target = path + (f"?{query}" if query else "")
    return RedirectResponse(f"/login?next={quote(target, safe='/')}", status_code=303)
