"""Under which names the program answers."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from colpo_core.services.people import signing_in
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.web.hosts import host_of, is_own_origin, refuse_host
from colpo_core.web.routes import routes
from tests.support.browsers import client_of

HOSTS = frozenset({"colpo.clinic.example"})


def connection(*hosts: str, scheme: str = "http", **headers: str) -> HTTPConnection:
    named = [(b"host", host.encode()) for host in hosts]
    others = [(name.encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "scheme": scheme, "headers": named + others})


@pytest.mark.parametrize(
    ("host", "scheme", "status"),
    [
        ("localhost:8501", "http", None),
        ("127.0.0.1:8501", "http", None),
        ("[::1]:8501", "http", None),
        ("LOCALHOST", "http", None),
        ("colpo.clinic.example", "https", None),
        ("colpo.clinic.example:443", "https", None),
        ("colpo.clinic.example", "http", 403),
        ("evil.example", "http", 421),
        ("evil.example", "https", 421),
        ("localhost.evil.example", "http", 421),
        ("localhost:8501@evil.example", "http", 421),
        ("127.0.0.1.evil.example", "http", 421),
        ("localhost/../evil", "http", 421),
        ("localhost:port", "http", 421),
        ("", "http", 421),
    ],
)
def test_a_name_is_the_programs_own_or_refused(host: str, scheme: str, status: int | None) -> None:
    refusal = refuse_host(connection(host, scheme=scheme), HOSTS)
    assert (refusal.status_code if refusal else None) == status


def test_two_names_are_none() -> None:
    assert host_of(connection("localhost", "evil.example")) == ""


@pytest.mark.parametrize(
    ("origin", "scheme", "is_own"),
    [
        ("http://localhost", "http", True),
        ("https://localhost", "http", False),
        ("https://localhost", "https", True),
        ("http://localhost", "https", False),
        ("http://localhost:1", "http", False),
        ("null", "http", False),
    ],
)
def test_an_origin_has_the_same_scheme_too(origin: str, scheme: str, is_own: bool) -> None:
    assert is_own_origin(connection("localhost", scheme=scheme, origin=origin)) is is_own


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    opened = Store.open(replace(settings, hosts=HOSTS))
    yield client_of(opened, routes(opened), follow_redirects=False)
    opened.close()


def test_a_page_whose_name_was_pointed_here_cannot_make_the_first_administrator(client: TestClient) -> None:
    foreign = {"Host": "evil.example", "Origin": "http://evil.example"}
    form = {"username": "intruder", "display_name": "", "password": "wool lamp harbour", "again": "wool lamp harbour"}
    answer = client.post("/login/first", data=form, headers=foreign)
    assert answer.status_code == 421
    assert signing_in.SESSION_COOKIE not in client.cookies
    assert 'action="/login/first"' in client.get("/login").text


def test_the_websocket_asks_for_the_name_as_well(client: TestClient) -> None:
    headers = {"Host": "evil.example", "Origin": "http://evil.example"}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream", headers=headers):
        pass


def test_no_password_is_asked_for_on_a_plain_connection_of_the_network(client: TestClient) -> None:
    answer = client.get("/login", headers={"Host": "colpo.clinic.example"})
    assert answer.status_code == 403
    assert "https://" in answer.text
    assert "<form" not in answer.text
