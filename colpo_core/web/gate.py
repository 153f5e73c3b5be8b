"""The gate: middleware before everything else that lets nobody through who has not signed in.

It stands before Streamlit's own routes too: what `st.image` serves under `/media`, uploads, components and the
WebSocket. On the WebSocket it asks again at every message, because a callback or a fragment runs without the page's
own check: somebody who is signed out can press nothing any more.
"""

import inspect
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import colpo_core.web.addresses  # noqa: F401 - routes name rows
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
from colpo_core.services.common.machine_errors import machine_error
from colpo_core.services.people import signing_in
from colpo_core.services.studies.refusals import note_refusal
from colpo_core.store import Store
from colpo_core.terms import Role
from colpo_core.web.browser_sessions import Uploads, without_foreign_session
from colpo_core.web.cookies import token_of
from colpo_core.web.headers import with_safe_headers
from colpo_core.web.hosts import is_own_origin, refuse_host
from colpo_core.web.limits import GATE, NOTING, READING, Lane, in_lane
from colpo_core.web.signin_form import asked_from_elsewhere

_HEALTH = "/colpo/health"
OPEN_PATHS = frozenset({"/login", "/login/first", _HEALTH})
MOST_SOCKETS_A_PERSON = 40
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN_METHODS = frozenset({"GET", "HEAD", "POST"})
_NO_PAGES = ("/_stcore/", "/colpo/", "/component/", "/media/", "/scripts/", "/static/")
_FOR_ADMINISTRATORS = ("/_stcore/metrics",)
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
        uploads: Decides about files that are put into the server's memory; none may be where it is None.
    """

    def __init__(self, app: ASGIApp, store: Store, uploads: Uploads | None = None) -> None:
        self._app = app
        self._store = store
        self._uploads = uploads
        self._sockets: Counter[int] = Counter()

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
        refusal = refuse_host(connection, self._store.settings.hosts) or _refuse_other_site(connection)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if scope["path"] == _HEALTH and scope["method"] in _SAFE_METHODS:
            await self._app(scope, receive, send)  # also while nobody can be looked up
            return
        try:
            actor = await self._actor(connection)
        except Exception as error:
            await refused(error)(scope, receive, send)
            return
        scope.setdefault("state", {})["actor"] = actor
        if actor is None:
            is_open = scope["path"] in OPEN_PATHS and scope["method"] in _OPEN_METHODS
            behind = self._app if is_open else _refuse(connection, scope["method"])
            await behind(scope, receive, send)
            return
        if _comes_from_elsewhere(connection):
            await HTMLResponse(asked_from_elsewhere(_target(connection)))(scope, receive, send)
            return
        await self._let_in(connection, actor, receive, self._counting_refusals(scope, send, actor))

    async def _let_in(self, connection: HTTPConnection, actor: Actor, receive: Receive, send: Send) -> None:
        scope = connection.scope
        if scope["path"].startswith(_FOR_ADMINISTRATORS) and actor.role is not Role.ADMINISTRATOR:
            await PlainTextResponse("This is for administrators.", status_code=403)(scope, receive, send)
            return
        if self._uploads is None:
            await self._app(scope, receive, send)
            return
        with self._uploads.admitting(connection, actor) as refusal:
            await (refusal or self._app)(scope, receive, send)

    def _counting_refusals(self, scope: Scope, send: Send, actor: Actor) -> Send:
        """Write down that a reader was refused an address of the program; a token of another reader is one, too."""
        if actor.role is not Role.READER or not scope["path"].startswith("/colpo/"):
            return send

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _REFUSALS:
                what = f"{scope['method']} {scope['path']}"
                try:
                    await in_lane(NOTING, note_refusal, Caller(self._store, actor), what=what)
                except Busy as error:
                    log_incident(error)  # the refusal stands, and the log says that it could not be counted
            await send(message)

        return counting

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        actor = await self._who_opens(connection)
        if actor is None:
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return

        is_closed = False

        async def receive_while_signed_in() -> Message:
            nonlocal is_closed
            message = await receive()
            if message["type"] == "websocket.receive" and await self._actor_or_none(connection) is None:
                is_closed = True
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
                return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}
            return message

        async def send_while_open(message: Message) -> None:
            if not is_closed:
                await send(message)

        self._sockets[actor.person_id] += 1
        try:
            await self._app(without_foreign_session(scope, actor), receive_while_signed_in, send_while_open)
        finally:
            self._sockets[actor.person_id] -= 1

    async def _who_opens(self, connection: HTTPConnection) -> Actor | None:
        """Who may open a WebSocket; None where nobody may."""
        if refuse_host(connection, self._store.settings.hosts) is not None or not is_same_origin(connection):
            return None
        actor = await self._actor_or_none(connection)
        return None if actor is None or self._sockets[actor.person_id] >= MOST_SOCKETS_A_PERSON else actor

    async def _actor_or_none(self, connection: HTTPConnection) -> Actor | None:
        """Who has signed in; nobody too while that cannot be found out: the page connects again by itself."""
        try:
            return await self._actor(connection)
        except Exception as error:
            if machine_error(error) is None:
                log_incident(error)
            return None

    async def _actor(self, connection: HTTPConnection) -> Actor | None:
        token = token_of(connection)
        if not token:
            return None
        return await in_lane(GATE, signing_in.actor_for_token, self._store, token=token)


def is_same_origin(connection: HTTPConnection) -> bool:
    """Whether a request was made by a page of this very site.

    Browsers say so themselves, either by `Sec-Fetch-Site` (over HTTPS and on loopback) or by `Origin` (with every
    request that changes something). What says neither is no browser that we can protect, and is refused.
    """
    fetch_site = connection.headers.get("sec-fetch-site")
    if fetch_site is not None and connection.scope["type"] == "http":
        return fetch_site in {"same-origin", "none"}
    return is_own_origin(connection)


def _refuse_other_site(connection: HTTPConnection) -> Response | None:
    """Refuse what another site wants changed, and what it asks of the program's own addresses: looking counts, too."""
    path, method = connection.scope["path"], connection.scope["method"]
    is_foreign = (
        _is_from_elsewhere(connection) and path.startswith(_NO_PAGES) and path not in OPEN_PATHS
        if method in _SAFE_METHODS
        else not is_same_origin(connection)
    )
    if not is_foreign:
        return None
    return JSONResponse({"error": "This request came from another site."}, status_code=403)


def _is_from_elsewhere(connection: HTTPConnection) -> bool:
    return connection.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}


def _comes_from_elsewhere(connection: HTTPConnection) -> bool:
    """Whether a link of another site leads to a page: what it shows counts as seen, so it is asked about first."""
    path = connection.scope["path"]
    is_page = path != "/" and not path.startswith((*_NO_PAGES, "/login", "/logout"))
    return is_page and connection.headers.get("sec-fetch-mode") == "navigate" and _is_from_elsewhere(connection)


def actor_of(request: Request) -> Actor:
    """Who the gate let through.

    Raises:
        PermissionDenied: Nobody is signed in: the route stands open or outside the gate.
    """
    actor = request.scope.get("state", {}).get("actor")
    if not isinstance(actor, Actor):
        raise PermissionDenied("Sign in first.")
    return actor


def answering(handler: Callable[[Request], Any], *, lane: Lane = READING) -> Callable[[Request], Awaitable[Response]]:
    """Make a route of a handler: its errors become JSON `{"error": sentence}` with a fitting status.

    A plain function runs in a thread, so that it may ask the store; an async one must not block.

    Args:
        handler: Takes the request and returns a Response.
        lane: Whose threads a plain function takes.
    """

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        try:
            if inspect.iscoroutinefunction(handler):
                return cast(Response, await handler(request))
            actor = request.scope.get("state", {}).get("actor")
            person = actor.person_id if isinstance(actor, Actor) else None
            return cast(Response, await lane.run(lambda: handler(request), person=person))
        except Exception as error:
            return refused(error)

    return endpoint


def refused(error: Exception) -> Response:
    """What answers an error: its sentence, or the number of an incident."""
    known = machine_error(error)
    if known is not None:
        headers = {"Retry-After": str(known.retry_after)} if isinstance(known, Busy) else None
        return JSONResponse({"error": str(known)}, status_code=status_of(known), headers=headers)
    number = log_incident(error)
    return JSONResponse(
        {"error": f"Something unforeseen went wrong. Tell your administrator the incident number {number}."},
        status_code=500,
    )


def status_of(error: ColpoError) -> int:
    """The HTTP status that says what an error says."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 422)


def _refuse(connection: HTTPConnection, method: str) -> Response:
    """A browser that wants a page is sent to the sign-in form; anything else is told to sign in."""
    path = connection.scope["path"]
    if path.startswith(_NO_PAGES) or "text/html" not in connection.headers.get("accept", ""):
        return PlainTextResponse("Sign in first.", status_code=401)
    if path == "/" or method not in {"GET", "HEAD"}:
        return RedirectResponse("/login", status_code=303)
    return RedirectResponse(f"/login?next={quote(_target(connection), safe='/')}", status_code=303)


def _target(connection: HTTPConnection) -> str:
    query = connection.scope["query_string"].decode("latin-1")
    return str(connection.scope["path"]) + (f"?{query}" if query else "")
