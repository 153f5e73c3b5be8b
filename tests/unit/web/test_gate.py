"""The gate on a small application: who gets through, what others are told, and what stands in every answer."""

import errno
from collections.abc import Callable
from contextlib import suppress

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from colpo_core.errors import (
    Blinding,
    Busy,
    ColpoError,
    Conflict,
    InputRejected,
    MaskRejected,
    NotFound,
    PermissionDenied,
    StudyLocked,
)
from colpo_core.services.common.callers import Caller
from colpo_core.services.people import signing_in
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry
from colpo_core.web import gate
from colpo_core.web.gate import OPEN_PATHS, actor_of, answering, refused, status_of
from colpo_core.web.signin_form import asked_from_elsewhere
from tests.support import store_rows
from tests.support.browsers import client_of

SECRET = "what only people who signed in may see"
SAME_ORIGIN = {"Origin": "http://localhost"}
STREAM = "ws://localhost/_stcore/stream"
PATHS = ["/", "/home", "/admin", "/cases?case=1", "/media/x.png", "/_stcore/health", "/_stcore/upload_file/a/b",
         "/component/x/index.html", "/static/js/index.js", "/scripts/v/0/x.js", "/colpo/images/1",
         "/login/", "/login/x", "/logout", "/LOGIN", "/colpo/health/", "//login", "/login%2Ffirst/../admin",
         "/colpo/session"]  # fmt: skip


async def show_secret(request: Request) -> Response:
    return PlainTextResponse(SECRET)


def say_who(request: Request) -> Response:
    return JSONResponse({"username": actor_of(request).username})


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    with suppress(WebSocketDisconnect):
        while True:
            await socket.send_text(f"heard {await socket.receive_text()}")


@pytest.fixture
def client(store: Store) -> TestClient:
    catch_all = Route("/{path:path}", show_secret, methods=["GET", "POST", "PUT", "DELETE", "OPTIONS"])
    stream = WebSocketRoute("/_stcore/stream", talk)
    routes = [Route("/who", answering(say_who)), stream, Mount("/", routes=[catch_all])]
    return client_of(store, routes, follow_redirects=False)


@pytest.fixture
def signed_in(client: TestClient, administrator: Caller, token_of: Callable[[Caller], str]) -> TestClient:
    client.cookies.set(signing_in.SESSION_COOKIE, token_of(administrator))
    return client


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"])
def test_nobody_gets_anything(client: TestClient, method: str) -> None:
    for path in PATHS:
        answer = client.request(method, path, headers=SAME_ORIGIN)
        assert answer.status_code == 401, path
        assert SECRET not in answer.text, path


def test_a_browser_is_sent_to_the_form(client: TestClient) -> None:
    for path in PATHS:
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code in {303, 401}, path
        assert SECRET not in answer.text, path
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/login"), path


def test_the_form_is_told_where_the_browser_wanted_to_go(client: TestClient) -> None:
    html = {"Accept": "text/html"}
    assert client.get("/", headers=html).headers["location"] == "/login"
    assert client.get("/cases?case=1&x=2", headers=html).headers["location"] == "/login?next=/cases%3Fcase%3D1%26x%3D2"
    assert client.post("/logout", headers=html | SAME_ORIGIN).headers["location"] == "/login"


def test_only_the_form_and_health_stand_open(client: TestClient) -> None:
    assert {"/login", "/login/first", "/colpo/health"} == OPEN_PATHS
    for path in OPEN_PATHS:
        assert client.get(path).status_code == 200
        assert client.put(path, headers=SAME_ORIGIN).status_code == 401


def test_a_made_up_cookie_is_nobody(client: TestClient, administrator: Caller) -> None:
    for token in ("", "guess", "token-of-ada"):
        client.cookies.set(signing_in.SESSION_COOKIE, token)
        assert client.get("/who").status_code == 401


def test_somebody_who_signed_in_gets_through_and_is_known(signed_in: TestClient) -> None:
    assert signed_in.get("/media/x.png").text == SECRET
    assert signed_in.get("/who").json() == {"username": "ada"}


def test_signing_out_and_deactivating_shut_the_gate_at_once(
    signed_in: TestClient, store: Store, administrator: Caller, token_of: Callable[[Caller], str]
) -> None:
    signing_in.sign_out(store, token=token_of(administrator))
    assert signed_in.get("/who").status_code == 401


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://localhost.evil.example"}, False),
        ({"Origin": "http://localhost:9999"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://localhost"}, True),
    ],
)
def test_what_changes_something_must_come_from_here(
    signed_in: TestClient, headers: dict[str, str], passes: bool
) -> None:
    for method in ("POST", "PUT", "DELETE"):
        answer = signed_in.request(method, "/anything", headers=headers)
        assert answer.status_code == (200 if passes else 403)
        assert (SECRET in answer.text) is passes


@pytest.mark.parametrize("origin", [None, "http://evil.example"])
def test_the_websocket_is_refused_to_other_sites(signed_in: TestClient, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    with pytest.raises(WebSocketDisconnect), signed_in.websocket_connect(STREAM, headers=headers):
        pass


def test_the_websocket_is_refused_to_nobody(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(STREAM, headers=SAME_ORIGIN):
        pass


def test_an_open_websocket_ends_with_the_sign_in(
    signed_in: TestClient, store: Store, administrator: Caller, token_of: Callable[[Caller], str]
) -> None:
    with signed_in.websocket_connect(STREAM, headers=SAME_ORIGIN) as socket:
        socket.send_text("one")
        assert socket.receive_text() == "heard one"
        signing_in.sign_out(store, token=token_of(administrator))
        socket.send_text("two")
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PermissionDenied("No."), 403),
        (Blinding("No."), 403),
        (NotFound("No."), 404),
        (Conflict("No."), 409),
        (StudyLocked("No."), 422),
        (InputRejected("No."), 422),
        (MaskRejected("No."), 422),
    ],
)
def test_an_error_has_a_status(error: ColpoError, status: int) -> None:
    assert status_of(error) == status


@pytest.mark.parametrize("is_async", [False, True])
def test_answering_turns_errors_into_sentences(is_async: bool, caplog: pytest.LogCaptureFixture) -> None:
    def plain(request: Request) -> Response:
        if request.query_params.get("known"):
            raise NotFound("There is no such image.")
        raise RuntimeError("Mrs Miller, born 1980")

    async def later(request: Request) -> Response:
        return plain(request)

    client = TestClient(Starlette(routes=[Route("/x", answering(later if is_async else plain))]))
    known, unknown = client.get("/x?known=1"), client.get("/x")
    assert (known.status_code, known.json()) == (404, {"error": "There is no such image."})
    assert unknown.status_code == 500
    assert "incident number" in unknown.json()["error"]
    assert "Miller" not in unknown.text + caplog.text
    assert "builtins.RuntimeError" in caplog.text


def test_a_route_outside_the_gate_knows_nobody() -> None:
    client = TestClient(Starlette(routes=[Route("/who", answering(say_who))]))
    assert client.get("/who").status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", ["/colpo/images/1", "/media/x.png", "/_stcore/health", "/scripts/v/0/x.js"])
def test_another_site_cannot_make_somebody_look(signed_in: TestClient, site: str, path: str) -> None:
    for method in ("GET", "HEAD"):
        assert signed_in.request(method, path, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert signed_in.get(path, headers={"Sec-Fetch-Site": "same-origin"}).text == SECRET
    assert signed_in.get(path, headers={"Sec-Fetch-Site": "none"}).text == SECRET


def test_what_another_site_asks_for_is_nobodys_attempt(
    store: Store, reader: Caller, token_of: Callable[[Caller], str]
) -> None:
    client = client_of(store, [Route("/colpo/images/{rest}", answering(say_who))], token_of(reader))
    before = store_rows.count(store, AuditEntry)
    assert client.get("/colpo/images/1", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert store_rows.count(store, AuditEntry) == before
    assert client.get("/colpo/nowhere").status_code == 404
    assert store_rows.count(store, AuditEntry) == before + 1


def test_a_link_of_another_site_to_a_page_is_asked_about(signed_in: TestClient) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    answer = signed_in.get('/review?prediction=1&x="><b>', headers=followed)
    assert SECRET not in answer.text
    assert "Open this page?" in answer.text
    assert "<b>" not in answer.text
    assert 'href="/review?prediction=1' in answer.text
    assert 'href="/evil.example/x"' in asked_from_elsewhere("//evil.example/x")
    assert signed_in.get("/", headers=followed).text == SECRET
    assert signed_in.get("/review?prediction=1", headers=followed | {"Sec-Fetch-Site": "none"}).text == SECRET


def test_figures_of_the_server_are_for_administrators(
    client: TestClient, annotator: Caller, administrator: Caller, token_of: Callable[[Caller], str]
) -> None:
    for caller, status in ((annotator, 403), (administrator, 200)):
        client.cookies.set(signing_in.SESSION_COOKIE, token_of(caller))
        assert client.get("/_stcore/metrics").status_code == status


def test_a_person_has_so_many_pages_open(signed_in: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MOST_SOCKETS_A_PERSON", 1)
    one = signed_in.websocket_connect(STREAM, headers=dict(SAME_ORIGIN))
    another = signed_in.websocket_connect(STREAM, headers=dict(SAME_ORIGIN))
    with one, pytest.raises(WebSocketDisconnect), another:
        pass
    with signed_in.websocket_connect(STREAM, headers=dict(SAME_ORIGIN)) as again:
        again.send_text("back")
        assert again.receive_text() == "heard back"


def test_what_the_machine_refuses_is_said_instead_of_an_incident(client: TestClient) -> None:
    for error, status in ((Busy("Later.", retry_after=7), 503), (OSError(errno.ENOSPC, "full"), 507)):
        answer = refused(error)
        assert answer.status_code == status
    assert refused(Busy("Later.", retry_after=7)).headers["retry-after"] == "7"
