"""A lost, empty or damaged database is never taken for a new store, and what opens nothing makes nothing."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from colpo_core.errors import NotFound, StoreDamaged
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.presence import check_presence, connect_existing, holds_files
from tests.conftest import add_person
from tests.support.clinic import Clinic

pytestmark = pytest.mark.sqlite


@pytest.fixture
def filled(store: Store) -> Settings:
    """The settings of a store with a photograph; nobody has it open."""
    Clinic(store).add_case()
    store.close()
    with closing(sqlite3.connect(store.settings.database_path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store.settings


def test_where_there_is_no_store_none_is_made_unless_asked(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "typo")
    with pytest.raises(NotFound, match=r"There is no store in .*typo, and none was made"):
        Store.open(settings, make=False)
    assert not settings.data_dir.exists()
    Store.open(settings).close()
    Store.open(settings, make=False).close()


@pytest.mark.parametrize("make", [True, False])
def test_a_lost_database_beside_files_is_refused_with_the_way_back(filled: Settings, make: bool) -> None:
    filled.database_path.unlink()
    before = sorted(filled.data_dir.rglob("*"))
    with pytest.raises(StoreDamaged, match=r"is missing, but photographs.*store restore"):
        Store.open(filled, make=make)
    assert sorted(filled.data_dir.rglob("*")) == before


@pytest.mark.parametrize("make", [True, False])
def test_an_empty_database_beside_files_is_refused_and_left(filled: Settings, make: bool) -> None:
    filled.database_path.write_bytes(b"")
    with pytest.raises(StoreDamaged, match=r"is empty, but photographs.*store restore"):
        Store.open(filled, make=make)
    assert filled.database_path.read_bytes() == b""


@pytest.mark.parametrize("part", ["blobs/ab/x", "checkpoints/m/card.json", "jobs/1/log.txt"])
def test_a_database_without_tables_beside_any_file_of_a_store_is_refused(tmp_path: Path, part: str) -> None:
    settings = Settings(data_dir=tmp_path)
    (tmp_path / part).parent.mkdir(parents=True)
    (tmp_path / part).write_bytes(b"x")
    with closing(sqlite3.connect(settings.database_path)) as connection:
        connection.execute("PRAGMA user_version = 3")  # no table, and yet not a file of no length
    with pytest.raises(StoreDamaged, match="is empty"):
        Store.open(settings)


def test_what_was_written_ahead_of_a_lost_database_is_kept(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    ahead = tmp_path / "colpodesk.sqlite-wal"
    ahead.write_bytes(b"pages")
    with pytest.raises(StoreDamaged, match="is missing"):
        Store.open(settings)
    assert ahead.read_bytes() == b"pages"


@pytest.mark.parametrize("content", [b"junk", b"SQLite format 3\x00" + b"\xff" * 5000])
def test_junk_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.database_path.write_bytes(content)
    with pytest.raises(StoreDamaged, match="is damaged"):
        Store.open(settings)


@pytest.mark.parametrize("kept", [0.05, 0.5, 0.95])
def test_a_truncated_database_is_refused_in_a_sentence(filled: Settings, kept: float) -> None:
    content = filled.database_path.read_bytes()
    filled.database_path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(StoreDamaged, match="is damaged"):
        Store.open(filled)


def test_a_database_that_vanishes_while_it_is_served_is_an_error_and_no_new_store(filled: Settings) -> None:
    store = Store.open(filled)
    store.close()  # its next connection opens the file anew
    filled.database_path.unlink()
    with pytest.raises(Exception, match="unable to open database file"), store.reading() as session:
        session.connection()
    assert not filled.database_path.exists()


@pytest.mark.parametrize("name", ["진료 데이터 ø #1?", "q?x=1", "p 100%25 x", "a&mode=ro#b"])
def test_any_letter_in_the_name_of_the_folder_names_that_folder(tmp_path: Path, name: str) -> None:
    settings = Settings(data_dir=tmp_path / name)
    Clinic(made := Store.open(settings))
    made.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert settings.database_path.stat().st_size > 0
    with closing(connect_existing(settings.database_path)) as connection:
        assert connection.execute("SELECT username FROM people").fetchall() == [("painter",)]


def test_an_empty_folder_and_a_store_are_told_apart(filled: Settings, tmp_path: Path) -> None:
    assert check_presence(filled)
    assert holds_files(filled)
    assert not check_presence(Settings(data_dir=tmp_path / "other"))
    assert check_presence(Settings(data_dir=tmp_path / "other", database_url="postgresql+psycopg://db/x"))


def test_looking_at_an_open_database_takes_no_lock_from_it(store: Store) -> None:
    def people_by_another_process() -> str:
        code = (
            "import sqlite3 as s, sys; print(s.connect(sys.argv[1]).execute('SELECT count(*) FROM people').fetchone())"
        )
        command = [sys.executable, "-c", code, str(store.settings.database_path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    add_person(store, "first")
    assert check_presence(store.settings)
    assert people_by_another_process() == "(1,)"  # whoever closes last deletes what was written ahead
    add_person(store, "second")
    assert people_by_another_process() == "(2,)"
