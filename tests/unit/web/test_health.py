"""Health without signing in."""

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from colpo_core.store import Store
from colpo_core.web import health
from tests.support.browsers import client_of


@pytest.fixture
def client(store: Store) -> TestClient:
    return client_of(store, health.routes(store))


def test_health_needs_no_sign_in_and_says_no_more(client: TestClient) -> None:
    answer = client.get("/colpo/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert client.get("/colpo/health/more").status_code == 401


def test_a_store_that_cannot_be_read_is_not_well(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(store: Store) -> bool:
        raise OperationalError("SELECT", {"code": "P-12"}, Exception("disk I/O error"))

    monkeypatch.setattr(health, "needs_first_administrator", fail)
    answer = client.get("/colpo/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "the store cannot be read"})
