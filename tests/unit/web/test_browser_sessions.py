"""Whose a session of the screens is, and how much may be put into it."""

from collections.abc import Callable, Collection

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from colpo_core.services.common.callers import Caller
from colpo_core.services.people import signing_in
from colpo_core.store import Store
from colpo_core.web import browser_sessions
from colpo_core.web.browser_sessions import SESSIONS, BrowserSessions, Uploads
from colpo_core.web.gate import Gate
from tests.support.browsers import SITE

ORIGIN = {"Origin": SITE}
MB = 1024 * 1024


class Files:
    """What waits in the server's memory, by session."""

    def __init__(self) -> None:
        self.waiting: dict[str, int] = {}
        self.closed: set[str] = set()

    def bytes_of(self, session_ids: Collection[str] | None) -> int:
        return sum(size for session, size in self.waiting.items() if session_ids is None or session in session_ids)

    def forget_left(self, session_ids: Collection[str]) -> None:
        for session in self.closed & set(session_ids):
            self.waiting.pop(session, None)


Open = Callable[[Caller], TestClient]


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def open_page(store: Store, files: Files, token_of: Callable[[Caller], str], monkeypatch: pytest.MonkeyPatch) -> Open:
    """A browser of somebody who has opened the session `of-NAME`."""
    sessions = BrowserSessions()
    monkeypatch.setattr(browser_sessions, "MOST_BYTES_A_PERSON", 10 * MB)
    monkeypatch.setattr(browser_sessions, "MOST_BYTES", 15 * MB)

    async def take(request: Request) -> Response:
        session = request.path_params["session"]
        files.waiting[session] = files.waiting.get(session, 0) + len(await request.body())
        return Response(status_code=204)

    app = Starlette(routes=[Route("/_stcore/upload_file/{session}/{file}", take, methods=["PUT", "DELETE"])])
    gate = Gate(app, store, Uploads(files, sessions))

    def open_it(caller: Caller) -> TestClient:
        sessions.claim(f"of-{caller.actor.username}", caller.person_id)
        client = TestClient(gate, base_url=SITE, headers=ORIGIN)
        client.cookies.set(signing_in.SESSION_COOKIE, token_of(caller))
        return client

    return open_it


def put(client: TestClient, session: str, n_bytes: int) -> int:
    return client.put(f"/_stcore/upload_file/{session}/x", content=bytes(n_bytes)).status_code


def test_a_reader_has_no_page_that_takes_a_file(open_page: Open, reader: Caller, files: Files) -> None:
    client = open_page(reader)
    assert put(client, "of-rita", 10) == 403
    assert files.waiting == {}


def test_nobody_puts_a_file_into_anothers_page_or_takes_one_out(
    open_page: Open, annotator: Caller, administrator: Caller, files: Files
) -> None:
    open_page(administrator)
    anna = open_page(annotator)
    assert put(anna, "of-ada", 10) == 403
    assert put(anna, "of-nobody", 10) == 403
    assert anna.delete("/_stcore/upload_file/of-ada/x").status_code == 403
    assert put(anna, "of-anna", 10) == 204
    assert set(files.waiting) == {"of-anna"}


def test_what_one_person_leaves_lying_is_bounded(open_page: Open, annotator: Caller, files: Files) -> None:
    anna = open_page(annotator)
    assert [put(anna, "of-anna", 4 * MB) for _ in range(4)] == [204, 204, 413, 413]
    assert files.waiting["of-anna"] == 8 * MB
    files.closed.add("of-anna")  # her page is closed: what lies there is given back when it is in the way
    assert put(anna, "of-anna", 4 * MB) == 204


def test_what_all_together_leave_lying_is_bounded(
    open_page: Open, annotator: Caller, administrator: Caller, files: Files
) -> None:
    assert put(open_page(annotator), "of-anna", 9 * MB) == 204
    assert put(open_page(administrator), "of-ada", 9 * MB) == 413


def test_a_file_whose_length_is_not_said_is_refused(open_page: Open, annotator: Caller) -> None:
    client = open_page(annotator)
    answer = client.put("/_stcore/upload_file/of-anna/x", content=iter([b"1", b"2"]))
    assert answer.status_code == 411


def test_a_session_keeps_its_first_owner() -> None:
    sessions = BrowserSessions()
    sessions.claim("s", 1)
    sessions.claim("s", 2)
    assert (sessions.owner("s"), sessions.owner("t"), sessions.of(1)) == (1, None, frozenset({"s"}))


def test_sessions_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_sessions, "_MOST_SESSIONS", 3)
    sessions = BrowserSessions()
    for number in range(9):
        sessions.claim(str(number), 1)
    assert sessions.of(1) == frozenset({"6", "7", "8"})


def test_a_websocket_that_names_anothers_session_gets_a_new_one(
    store: Store, annotator: Caller, administrator: Caller, token_of: Callable[[Caller], str]
) -> None:
    SESSIONS.claim("session-of-ada", administrator.person_id)
    SESSIONS.claim("session-of-anna", annotator.person_id)

    async def say(socket: WebSocket) -> None:
        await socket.accept(subprotocol="streamlit")
        await socket.send_text(socket.headers["sec-websocket-protocol"])
        await socket.close()

    client = TestClient(Gate(Starlette(routes=[WebSocketRoute("/_stcore/stream", say)]), store), base_url=SITE)
    client.cookies.set(signing_in.SESSION_COOKIE, token_of(annotator))

    def seen(session: str) -> str:
        protocols = ["streamlit", "xsrf", session]
        address = SITE.replace("http", "ws") + "/_stcore/stream"
        with client.websocket_connect(address, headers=dict(ORIGIN), subprotocols=protocols) as socket:
            return socket.receive_text().replace(" ", "")

    assert seen("session-of-anna") == "streamlit,xsrf,session-of-anna"
    assert seen("not-known-yet") == "streamlit,xsrf,not-known-yet"
    assert seen("session-of-ada") == "streamlit,xsrf"
