"""Where the store cannot be opened every address says why, and nobody is asked to become administrator."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from colpo_core.web.refused_store import RefusedStore

CHECKOUT = Path(__file__).resolve().parents[3]
LOST_STORE = """
import app
from starlette.testclient import TestClient
client = TestClient(app.app)
for path in ("/login", "/login/first", "/", "/colpo/health"):
    answer = client.get(path)
    print(answer.status_code, "is missing" in answer.text, "dministrator" in answer.text)
print(client.post("/login/first", data={"username": "eve", "password": "a long password"}).status_code)
"""


@pytest.fixture
def client() -> TestClient:
    behind = Starlette(
        routes=[Route("/{rest:path}", lambda _request: PlainTextResponse("let through"))],
        middleware=[Middleware(RefusedStore, sentence="It is <lost>.")],
    )
    return TestClient(behind)


@pytest.mark.parametrize("path", ["/", "/login", "/login/first", "/colpo/images/1", "/_stcore/health"])
def test_every_address_says_why(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 503
    assert "It is &lt;lost&gt;." in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client.post(path).status_code == 503


def test_health_is_short_and_a_websocket_is_closed(client: TestClient) -> None:
    assert client.get("/colpo/health").json() == {"status": "the store cannot be opened"}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
        pass


def test_the_program_itself_asks_nobody_to_become_administrator_of_a_lost_store(tmp_path: Path) -> None:
    (tmp_path / "blobs" / "ab").mkdir(parents=True)
    (tmp_path / "blobs" / "ab" / "x").write_bytes(b"photograph")
    done = subprocess.run(
        [sys.executable, "-c", LOST_STORE], cwd=CHECKOUT, env=os.environ | {"COLPO_DATA": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-5:] == [*["503 True False"] * 3, "503 False False", "503"]
    assert not (tmp_path / "colpodesk.sqlite").exists()
