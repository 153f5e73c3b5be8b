"""The beginning and the end of the web process."""

import asyncio
import gc
import logging
import socket
from collections.abc import Iterator

import pytest

from colpo_core.services.jobs import engine
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.web.lifespan import lifespan_of, send_small_answers_at_once


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    ours = logging.getLogger("colpo_core")
    handlers, level = list(ours.handlers), ours.level
    yield
    gc.unfreeze()
    ours.handlers = handlers
    ours.setLevel(level)


def test_it_reconciles_the_jobs_and_frees_the_collector(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Store] = []

    def reconcile(store: Store, **_: float) -> list[int]:
        asked.append(store)
        return []

    monkeypatch.setattr(engine, "reconcile", reconcile)
    store = Store.open(settings)

    async def live() -> None:
        async with lifespan_of(store)(None):
            assert gc.get_freeze_count() > 1000

    asyncio.run(live())
    assert asked == [store]


def test_connections_of_a_listening_socket_send_at_once() -> None:
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert send_small_answers_at_once() >= 1
        client.connect(server.getsockname())
        accepted, _ = server.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
