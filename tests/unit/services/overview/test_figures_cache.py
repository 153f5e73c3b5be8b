from datetime import timedelta
from pathlib import Path

import pytest

from colpo_core.services.common.callers import Caller
from colpo_core.services.overview import figures_cache
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import utc_now
from tests.support.clinic import PredictedClinic, do_something


class Counting:
    """Figures that take as long to count as a test says, each count one more than the last."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.now, self.count = store, 0.0, 0
        monkeypatch.setattr(figures_cache.time, "monotonic", lambda: self.now)

    def asked(self, *, takes: float) -> int:
        def make() -> int:
            self.now += takes
            self.count += 1
            return self.count

        with self.store.reading() as session:
            return figures_cache.cached_figures(self.store, session, "a test of its own", (), make)


@pytest.fixture
def counting(store: Store, monkeypatch: pytest.MonkeyPatch) -> Counting:
    return Counting(store, monkeypatch)


def test_figures_are_kept_until_something_is_done(counting: Counting, administrator: Caller) -> None:
    assert [counting.asked(takes=1.0) for _ in range(2)] == [1, 1]
    do_something(administrator)
    assert counting.asked(takes=1.0) == 2
    assert figures_cache.counted_since(counting.store) is None


def test_figures_that_take_long_to_count_stand_for_a_while(counting: Counting, administrator: Caller) -> None:
    def asked_after(seconds: float, *, takes: float) -> int:
        do_something(administrator)
        counting.now += seconds
        return counting.asked(takes=takes)

    assert asked_after(0.0, takes=6.0) == 1
    assert asked_after(179.0, takes=6.0) == 1
    assert asked_after(2.0, takes=100.0) == 2
    assert asked_after(599.0, takes=100.0) == 2
    since = figures_cache.counted_since(counting.store)
    assert since is not None
    assert abs(utc_now() - since) < timedelta(minutes=5)
    assert asked_after(2.0, takes=1.0) == 3
    assert figures_cache.counted_since(counting.store) is None
    assert asked_after(0.0, takes=1.0) == 4


def test_figures_of_one_model_are_not_shown_as_anothers(counting: Counting, administrator: Caller) -> None:
    predicted = PredictedClinic(administrator)
    assert [counting.asked(takes=60.0) for _ in range(2)] == [1, 1]
    predicted.add_checkpoint("model-2", administrator)
    assert counting.asked(takes=60.0) == 2


def test_another_stores_figures_say_nothing_of_ours(counting: Counting, tmp_path: Path) -> None:
    counting.asked(takes=60.0)
    assert figures_cache.counted_since(counting.store) is not None
    another = Store.open(Settings(data_dir=tmp_path / "another"))
    assert figures_cache.counted_since(another) is None
    another.close()
