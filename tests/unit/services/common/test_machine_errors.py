"""What the machine refuses, as a sentence; with the errors that SQLite and the system really raise."""

import errno
import sqlite3

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from colpo_core.errors import Busy, DiskRefuses, InputRejected, NotFound
from colpo_core.services.common.machine_errors import disk_error, machine_error
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Image


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EDQUOT, "is full"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "does not take or give"),
    ],
)
def test_a_disk_that_refuses_a_file_is_said(number: int, words: str) -> None:
    found = disk_error(OSError(number, "in the system's words", "/store/of/patient-7.png"))
    assert words in str(found)
    assert "What was confirmed before is kept." in str(found)
    assert "patient" not in str(found)


def test_an_error_of_another_kind_stays_what_it_is() -> None:
    for error in (OSError(errno.ENOENT, "gone"), ValueError("x"), sqlite3.IntegrityError("y"), OverflowError("z")):
        assert machine_error(error) is None


def test_the_cause_counts_too() -> None:
    try:
        try:
            raise OSError(errno.ENOSPC, "no space")
        except OSError as error:
            raise RuntimeError("could not write") from error
    except RuntimeError as error:
        assert isinstance(machine_error(error), DiskRefuses)


def test_a_sentence_stays_itself() -> None:
    error = NotFound("There is none.")
    assert machine_error(error) is error


@pytest.fixture
def sqlite(store: Store) -> Store:
    if store.settings.database_url:
        pytest.skip("of SQLite")
    return store


def test_a_full_and_a_read_only_database_are_said(sqlite: Store) -> None:
    for pragma, words in (("max_page_count=1", "is full"), ("query_only=ON", "read-only")):
        with pytest.raises(Exception) as raised, sqlite.writing() as session:
            session.execute(text(f"PRAGMA {pragma}"))
            session.execute(text("CREATE TABLE grows AS SELECT randomblob(100000) AS bytes"))
        assert words in str(disk_error(raised.value)), pragma


def test_a_database_that_others_hold_is_busy(sqlite: Store) -> None:
    with sqlite.writing() as first:
        first.execute(text("SELECT 1"))
        with pytest.raises(Exception) as raised, sqlite.writing(patience_ms=1) as second:
            second.execute(text("SELECT 1"))
    assert isinstance(machine_error(raised.value), Busy)
    assert isinstance(machine_error(PoolTimeout("no connection")), Busy)


def test_a_number_that_no_row_can_have_is_said(sqlite: Store) -> None:
    with pytest.raises(OverflowError) as raised, sqlite.reading() as session:
        find_row(session, Image, 2**63)
    assert isinstance(machine_error(raised.value), InputRejected)
