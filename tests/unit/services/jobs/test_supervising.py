import threading
from dataclasses import replace

import pytest

from colpo_core.services.jobs import engine, supervising
from colpo_core.store import Store


def test_it_looks_again_and_again_whatever_fails(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, looked = [], threading.Event()

    def reconcile(_store: Store) -> list[int]:
        looks.append("jobs")
        raise RuntimeError("the database went away")

    def train_if_due(_store: Store) -> None:
        looks.append("training")
        if looks.count("training") == 3:
            looked.set()

    monkeypatch.setattr(engine, "reconcile", reconcile)
    monkeypatch.setattr(store, "settings", replace(store.settings, supervise_seconds=0.01))
    with supervising.supervising(store, [train_if_due]):
        assert looked.wait(30)
    n_looks = len(looks)
    assert looks[:4] == ["jobs", "training", "jobs", "training"]
    assert threading.active_count() < 10
    assert len(looks) == n_looks
