"""A folder of back-ups is of one store and never takes less than it holds; earlier databases stay in it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from colpo_core.errors import Conflict, NotFound
from colpo_core.records.maintenance import FaultKind
from colpo_core.services.common.callers import Caller
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.backup import back_up, restore
from colpo_core.store.backup_folder import generations
from tests.support.clinic import PredictedClinic, do_something
from tests.support.whole_stores import whole_clinic

pytestmark = pytest.mark.sqlite


@pytest.fixture
def desk(administrator: Caller) -> PredictedClinic:
    return whole_clinic(administrator)


def test_another_store_or_an_older_or_emptier_one_never_replaces_a_back_up(
    store: Store, administrator: Caller, desk: PredictedClinic, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    back_up(store.settings, copy)
    before = set(copy.rglob("*"))
    new = Settings(data_dir=tmp_path / "typo")
    Store.open(new).close()
    with pytest.raises(Conflict, match="another store"):
        back_up(new, copy)
    restore(copy, older := Settings(data_dir=tmp_path / "older"))
    do_something(administrator)
    back_up(store.settings, copy)
    with pytest.raises(Conflict, match="does not know"):
        back_up(older, copy)
    desk.clinic.add_case()
    back_up(store.settings, copy)
    with pytest.raises(Conflict, match="holds more than the store does"):
        back_up(older, copy)
    assert before <= set(copy.rglob("*"))
    # A rotten database says no more whose it was; what is written beside it does.
    (copy / "colpodesk.sqlite").write_bytes(b"junk")
    with pytest.raises(Conflict, match="another store"):
        back_up(new, copy)
    assert FaultKind.COPY_REPLACED in {fault.kind for fault in back_up(store.settings, copy).faults}


def test_earlier_databases_stay_and_can_be_restored(store: Store, desk: PredictedClinic, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for number in range(5):
        back_up(store.settings, copy, kept=3)
        desk.clinic.add_case()
        assert len(generations(copy)) == min(number, 3)
    newest, *_, oldest = generations(copy)
    for name, n_cases in ((None, 7), (newest, 6), (oldest, 4)):
        again = Settings(data_dir=tmp_path / f"again-{n_cases}")
        assert restore(copy, again, generation=name).faults == ()
        with closing(sqlite3.connect(again.database_path)) as connection:
            assert connection.execute("SELECT count(*) FROM images").fetchone() == (n_cases,)
    with pytest.raises(NotFound, match=newest):
        restore(copy, Settings(data_dir=tmp_path / "none"), generation="yesterday")
