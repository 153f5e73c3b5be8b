"""The beginning and the end of the web process."""

import asyncio
import gc
import logging
from collections.abc import Iterator

import pytest

from colpo_core.services import engine
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.web.lifespan import lifespan_of


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
