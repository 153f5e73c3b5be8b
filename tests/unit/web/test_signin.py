"""The sign-in form over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from starlette.testclient import TestClient

from colpo_core.services.people import accounts as people
from colpo_core.services.people import signing_in
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.web import cookies, signin
from colpo_core.web.signin import safe_target
from tests.support.browsers import client_of

pytestmark = pytest.mark.usefixtures("cheap_hashes")

PASSWORD = "wool lamp harbour"
HERE = {"Origin": "http://localhost"}
FIRST = {"username": "chief", "display_name": "The Chief", "password": PASSWORD, "again": PASSWORD}


def form_of(store: Store) -> TestClient:
    return client_of(store, signin.routes(store), follow_redirects=False)


@pytest.fixture
def client(store: Store) -> TestClient:
    return form_of(store)


@pytest.fixture
def chief(store: Store) -> str:
    people.create_first_administrator(store, username="chief", display_name="The Chief", password=PASSWORD)
    return "chief"


def post(client: TestClient, path: str, **fields: str) -> httpx.Response:
    return client.post(path, data=fields, headers=HERE)


def test_the_first_start_makes_the_administrator_and_signs_in(client: TestClient, store: Store) -> None:
    assert 'action="/login/first"' in client.get("/login").text
    answer = post(client, "/login/first", **FIRST)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get("/colpo/session").status_code == 204
    assert 'action="/login"' in form_of(store).get("/login").text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"again": "something else"}, "The two passwords differ"),
        ({"password": "short", "again": "short"}, "at least 10 characters"),
        ({"username": "two words"}, "A username has"),
        ({"username": ""}, "A username has"),
    ],
)
def test_a_refused_first_form_says_why_and_keeps_what_was_typed(
    client: TestClient, store: Store, change: dict[str, str], sentence: str
) -> None:
    answer = post(client, "/login/first", **(FIRST | change))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="The Chief"' in answer.text
    assert PASSWORD not in answer.text
    assert people.needs_first_administrator(store)


def test_of_two_first_forms_at_once_one_wins(store: Store) -> None:
    def attempt(number: int) -> int:
        return post(form_of(store), "/login/first", **(FIRST | {"username": f"chief{number}"})).status_code

    with ThreadPoolExecutor(3) as pool:
        outcomes = sorted(pool.map(attempt, range(3)))
    assert outcomes == [303, 409, 409]


def test_the_first_form_is_shut_afterwards(client: TestClient, chief: str) -> None:
    answer = post(client, "/login/first", **(FIRST | {"username": "intruder"}))
    assert answer.status_code == 409
    assert "made already" in answer.text
    assert 'action="/login"' in answer.text


def test_signing_in_goes_where_the_browser_wanted(client: TestClient, chief: str) -> None:
    answer = post(client, "/login", username=chief, password=PASSWORD, next="/cases?case=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases?case=1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "Path=/;" in cookie
    assert "secure" not in cookie.lower()
    assert client.get("/login?next=/train").headers["location"] == "/train"


def test_behind_tls_the_cookie_is_of_this_host_alone_and_secure(settings: Settings) -> None:
    store = Store.open(replace(settings, hosts=frozenset({"colpo.clinic.example"})))
    site = "https://colpo.clinic.example"
    client = client_of(store, signin.routes(store), follow_redirects=False, base_url=site)
    answer = client.post("/login/first", data=FIRST, headers={"Origin": site})
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-colpodesk_session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert client.get("/colpo/session").status_code == 204
    token = client.cookies[cookies.HOST_COOKIE]
    client.cookies.clear()
    client.cookies.set(signing_in.SESSION_COOKIE, token)  # what a plain page of the network could have set
    assert client.get("/colpo/session").status_code == 401
    store.close()


def test_a_wrong_password_says_so_and_repeats_nothing_secret(client: TestClient, chief: str) -> None:
    answer = post(client, "/login", username='"><script>', password="not this one", next="/cases")
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert "not this one" not in answer.text
    assert "<script>" not in answer.text
    assert 'name="next" value="/cases"' in answer.text
    assert "set-cookie" not in answer.headers


def test_the_block_is_said(client: TestClient, chief: str) -> None:
    for _ in range(5):
        answer = post(client, "/login", username=chief, password="not this one")
    assert "blocked for 5 minutes" in answer.text
    assert "blocked for another" in post(client, "/login", username=chief, password=PASSWORD).text


def test_signing_in_again_ends_the_session_before(client: TestClient, store: Store, chief: str) -> None:
    post(client, "/login", username=chief, password=PASSWORD)
    before = client.cookies[signing_in.SESSION_COOKIE]
    post(client, "/login", username=chief, password=PASSWORD)
    assert client.cookies[signing_in.SESSION_COOKIE] != before
    assert signing_in.actor_for_token(store, token=before) is None


def test_signing_out_ends_the_session_and_empties_the_browser(client: TestClient, store: Store, chief: str) -> None:
    post(client, "/login", username=chief, password=PASSWORD)
    token = client.cookies[signing_in.SESSION_COOKIE]
    assert client.get("/logout").status_code == 405
    answer = client.post("/logout", headers=HERE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?out")
    assert answer.headers["clear-site-data"] == '"cache"'  # and not "storage": unsaved strokes lie there
    assert signing_in.SESSION_COOKIE not in client.cookies
    assert signing_in.actor_for_token(store, token=token) is None
    assert "You are signed out." in client.get("/login?out").text


@pytest.mark.parametrize("path", ["/login", "/login/first", "/logout"])
def test_another_site_cannot_post(client: TestClient, store: Store, path: str) -> None:
    answer = client.post(path, data=FIRST, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert people.needs_first_administrator(store)


def test_a_broken_form_is_a_wrong_password(client: TestClient, chief: str) -> None:
    headers = HERE | {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"\xff\xfe", b"a=" + b"x" * 100_000, b"username", b"&" * 15_000):
        assert client.post("/login", content=body, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("/", "/"),
        ("/cases?case=12", "/cases?case=12"),
        ("/read", "/read"),
        ("", "/"),
        ("cases", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\tevil", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("javascript:alert(1)", "/"),
        ("/logout", "/"),
        ("/login?next=/login", "/"),
        ("/colpo/images/1", "/"),
    ],
)
def test_next_stays_in_the_program(asked: str, target: str) -> None:
    assert safe_target(asked) == target


def test_the_form_needs_nothing_else(client: TestClient, chief: str) -> None:
    page = client.get("/login").text
    for word in ("<script", "http://", "https://", "@import", "url("):
        assert word not in page.replace("http://www.w3.org/2000/svg", "")
