import errno
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from colpo_core.errors import DiskRefuses, PermissionDenied
from colpo_core.services.common import exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.maintenance import back_ups
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store import backup as copies
from colpo_core.store.backup_folder import read_facts
from colpo_core.store.tables import AuditEntry, utc_now
from colpo_core.terms import ExposureKind
from tests.support.clinic import Clinic


@pytest.mark.sqlite
def test_the_log_says_when_the_last_one_was_made(administrator: Caller, annotator: Caller, tmp_path: Path) -> None:
    never = back_ups.last_back_up(annotator)
    assert (never.at, never.is_old) == (None, True)
    facts = back_ups.back_up(administrator, folder=tmp_path / "copy")
    found = back_ups.last_back_up(annotator)
    assert found.at is not None
    assert utc_now() - found.at < timedelta(minutes=1)
    assert (found.by, found.is_old, found.n_faults) == (administrator.actor.display_name, False, 0)
    assert read_facts(tmp_path / "copy") == facts


@pytest.mark.sqlite
def test_a_week_without_one_is_too_long(
    administrator: Caller, annotator: Caller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    back_ups.back_up(administrator, folder=tmp_path / "copy")
    for days, is_old in ((6.9, False), (7.1, True)):
        monkeypatch.setattr(back_ups, "utc_now", lambda days=days: utc_now() + timedelta(days=days))
        assert back_ups.last_back_up(annotator).is_old is is_old


@pytest.mark.sqlite
def test_what_waits_beside_the_store_is_in_the_copy(
    store: Store, administrator: Caller, annotator: Caller, tmp_path: Path
) -> None:
    case = Clinic(store).add_case()
    exposures._put_aside(store, [(annotator.person_id, case.case_id, ExposureKind.LABEL, 0)], utc_now())
    back_ups.back_up(administrator, folder=tmp_path / "copy")
    with store.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM exposures")) == 1


def test_only_administrators_copy_and_readers_ask_nothing(
    store: Store, annotator: Caller, reader: Caller, tmp_path: Path
) -> None:
    with pytest.raises(PermissionDenied):
        back_ups.back_up(annotator, folder=tmp_path / "copy")
    with pytest.raises(PermissionDenied):
        back_ups.last_back_up(reader)
    assert not (tmp_path / "copy").exists()
    with store.reading() as session:
        assert session.query(AuditEntry).filter_by(action="back up store").count() == 0


@pytest.mark.sqlite
def test_a_full_disk_is_said_written_down_and_made_up_for(
    administrator: Caller, annotator: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clinic(administrator.store).add_case()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(copies, "copy_file", full)
        with pytest.raises(DiskRefuses, match="No space left on device"):
            back_ups.back_up(administrator, folder=tmp_path / "copy")
    state = back_ups.last_back_up(annotator)
    assert (state.at, state.failed_at is not None) == (None, True)
    assert "No space left on device" in state.failure
    assert back_ups.back_up(administrator, folder=tmp_path / "copy").faults == ()
    assert back_ups.last_back_up(annotator).failed_at is None
    with monkeypatch.context() as broken:
        broken.setattr(copies, "copy_file", full)
        with pytest.raises(DiskRefuses):
            back_ups.restore(Settings(data_dir=tmp_path / "again"), folder=tmp_path / "copy")
    assert back_ups.restore(Settings(data_dir=tmp_path / "again"), folder=tmp_path / "copy").faults == ()


@pytest.mark.sqlite
def test_a_restore_is_written_down_in_the_store_that_it_made(administrator: Caller, tmp_path: Path) -> None:
    facts = back_ups.back_up(administrator, folder=tmp_path / "copy")
    again = Settings(data_dir=tmp_path / "again")
    back_ups.restore(again, folder=tmp_path / "copy")
    made = Store.open(again, make=False)
    with made.reading() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    made.close()
    assert entry is not None
    assert (entry.action, entry.detail) == ("restore store", {"made_at": facts.made_at.isoformat(), "lacking": 0})


@pytest.mark.sqlite
def test_a_disk_that_is_full_for_the_database_itself_is_said_and_written_down(
    administrator: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        with closing(sqlite3.connect(tmp_path / "small")) as connection:
            connection.execute("PRAGMA max_page_count = 1")
            connection.execute("CREATE TABLE pages (content)")

    def wrong(*_: object) -> None:
        raise sqlite3.OperationalError("no such table")

    monkeypatch.setattr(copies, "_copy_database", full)
    with pytest.raises(DiskRefuses, match="database or disk is full"):
        back_ups.back_up(administrator, folder=tmp_path / "copy")
    assert "database or disk is full" in back_ups.last_back_up(administrator).failure
    monkeypatch.setattr(copies, "_copy_database", wrong)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        back_ups.back_up(administrator, folder=tmp_path / "copy")
