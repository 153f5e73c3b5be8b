"""The headers of every answer."""

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.web.headers import CONTENT_SECURITY_POLICY
from tests.support.browsers import client_of


async def answer(request: Request) -> Response:
    caching = request.query_params.get("caching")
    headers = {"Access-Control-Allow-Origin": "*"} | ({"Cache-Control": caching} if caching else {})
    return PlainTextResponse("text", headers=headers)


@pytest.fixture
def client(store: Store, administrator: Caller, token_of: Callable[[Caller], str]) -> TestClient:
    return client_of(store, [Route("/{path:path}", answer)], token_of(administrator))


def test_every_answer_is_shut_in(client: TestClient) -> None:
    refused = TestClient(client.app)
    for response in (client.get("/cases"), client.get("/colpo/images/1"), refused.get("/cases")):
        policy = response.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    ("path", "caching", "kept"),
    [
        ("/cases", None, "no-store"),
        ("/media/x.png", "public, max-age=86400", "no-store"),
        ("/colpo/images/1", None, "no-store"),
        ("/colpo/images/1", "private, no-cache", "private, no-cache"),
        ("/static/js/index.js", "public, max-age=31536000, immutable", "public, max-age=31536000, immutable"),
    ],
)
def test_nothing_of_a_patient_stays_in_a_shared_cache(
    client: TestClient, path: str, caching: str | None, kept: str
) -> None:
    response = client.get(path, params={"caching": caching} if caching else None)
    assert response.headers["cache-control"] == kept


def test_the_one_script_inside_streamlits_page_is_let_through() -> None:
    """A new release of Streamlit may change it: then put its hash into `headers.py`, after reading what it does."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text()
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in inline]
    assert len(hashes) == 1
    assert f"'sha256-{hashes[0]}'" in CONTENT_SECURITY_POLICY
