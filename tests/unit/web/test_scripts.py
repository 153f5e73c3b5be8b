"""The program's own modules over HTTP: behind the gate, by version, and kept for good."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.web.scripts import script_routes
from tests.support.browsers import client_of

MODULES = {"entry.js": b"// entry", "mask_editor/codec.js": "export const size = '3 × 4';\n".encode()}
CODEC = "/scripts/v1/0/mask_editor/codec.js"


@pytest.fixture
def client(store: Store, administrator: Caller, token_of: Callable[[Caller], str]) -> TestClient:
    return client_of(store, script_routes("v1", MODULES), token_of(administrator))


def test_a_module_is_served_as_it_is_and_may_be_kept(client: TestClient) -> None:
    response = client.get(CODEC)
    assert response.content == MODULES["mask_editor/codec.js"]
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["cache-control"] == "private, max-age=31536000, immutable"
    again = client.get(CODEC, headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/scripts/v1/3/mask_editor/codec.js").content == response.content, "another attempt"


@pytest.mark.parametrize(
    "path",
    [
        "/scripts/v0/0/mask_editor/codec.js",
        "/scripts/v1/0/mask_editor/other.js",
        "/scripts/v1/0/mask_editor/editor.py",
        "/scripts/v1/0/../../app.py",
        "/scripts/v1/0/mask_editor/../../../app.py",
        "/scripts/v1/0/",
        "/scripts/v1/x/entry.js",
    ],
)
def test_nothing_else_is_served_and_no_other_version(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.headers["cache-control"] == "no-store"


def test_nobody_gets_one_without_a_sign_in(client: TestClient) -> None:
    client.cookies.clear()
    for headers in ({}, {"Accept": "text/html"}):
        assert client.get(CODEC, headers=headers, follow_redirects=False).status_code == 401
