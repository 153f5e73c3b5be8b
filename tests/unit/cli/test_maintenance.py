"""Commands of the store as a whole: what they say, and with which status they end."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from colpo_core.cli.main import main
from colpo_core.services.common.callers import Caller
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.shared_files import blob_place
from tests.support.whole_stores import rot, whole_clinic

pytestmark = pytest.mark.sqlite


def call(folder: Path, *words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], env={"COLPO_DATA": str(folder)})


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("worklist",),
        ("cases", "list"),
        ("store", "back-up", "copy"),
        ("store", "check"),
        ("store", "heal"),
        ("store", "upgrade"),
        ("people", "list"),
        ("jobs", "list"),
        ("worker",),
    ],
)
def test_a_mistyped_folder_is_said_and_no_store_is_made(tmp_path: Path, words: tuple[str, ...]) -> None:
    told = call(tmp_path / "typo", *words)
    assert told.exit_code == 1
    assert f"There is no store in {tmp_path / 'typo'}, and none was made." in told.output
    assert list(tmp_path.iterdir()) == []


def test_a_demonstration_makes_a_store_and_says_so(tmp_path: Path) -> None:
    told = call(tmp_path / "new", "demo", "--fill-only", "--cases", 3)
    assert told.exit_code == 0
    assert f"A new store was made in {tmp_path / 'new'}." in told.output


@pytest.mark.parametrize("words", [("status",), ("store", "upgrade"), ("store", "check"), ("serve",), ("demo",)])
def test_a_lost_or_damaged_database_ends_every_command_with_the_way_back(
    store: Store, administrator: Caller, words: tuple[str, ...]
) -> None:
    whole_clinic(administrator)
    store.close()
    database = store.settings.database_path
    for content, sentence in ((None, "is missing"), (b"", "is empty"), (b"junk", "is damaged")):
        database.unlink(missing_ok=True)
        if content is not None:
            database.write_bytes(content)
        told = call(store.settings.data_dir, *words)
        assert (told.exit_code, type(told.exception)) == (1, SystemExit)
        assert sentence in told.output
        assert "store restore" in told.output


def test_a_newer_store_ends_every_command_with_a_sentence(store: Store) -> None:
    store.close()
    with closing(sqlite3.connect(store.settings.database_path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    for words in (("store", "upgrade"), ("status",), ("store", "check")):
        told = call(store.settings.data_dir, *words)
        assert (told.exit_code, type(told.exception)) == (1, SystemExit)
        assert "newer version of the program" in told.output


def test_check_back_up_heal_and_restore_end_with_1_and_names_where_anything_is_wrong(
    store: Store, administrator: Caller, tmp_path: Path
) -> None:
    desk = whole_clinic(administrator)
    folder, copy = store.settings.data_dir, tmp_path / "a copy"
    assert "Nothing is wrong." in call(folder, "store", "check").output
    assert call(folder, "store", "back-up", copy).exit_code == 0
    with store.reading() as session:
        rotten, gone = (
            blob_place(sha256) for (sha256,) in session.execute(text("SELECT sha256 FROM images ORDER BY id LIMIT 2"))
        )
    rot(folder / rotten)
    (folder / gone).unlink()
    for words in (("check",), ("check", "--json"), ("back-up", copy)):
        told = call(folder, "store", *words)
        assert told.exit_code == 1
        assert rotten in told.output
        assert gone in told.output
    assert f"store heal '{copy}'" in call(folder, "store", "back-up", copy).output
    assert "2 files were put back" in call(folder, "store", "heal", copy).output
    assert call(folder, "store", "check").exit_code == 0
    (copy / gone).unlink()
    told = call(tmp_path / "again", "store", "restore", copy)
    assert told.exit_code == 1
    assert gone in told.output
    assert len(desk.cases) == 3
    assert "lacking" in log_of(Settings(data_dir=tmp_path / "again"))
    assert call(folder, "store", "generations", copy).exit_code == 0


def log_of(settings: Settings) -> str:
    with closing(sqlite3.connect(settings.database_path)) as connection:
        query = "SELECT detail FROM audit_log WHERE action = 'restore store'"
        return " ".join(detail for (detail,) in connection.execute(query))


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_status_warns_where_others_can_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Other accounts" not in call(store.settings.data_dir, "status").output
    store.settings.data_dir.chmod(0o755)
    monkeypatch.setattr(
        "colpo_core.store.engine.make_private", lambda _folder: None
    )  # as on a disk without permissions
    assert "Other accounts of this machine can read" in call(store.settings.data_dir, "status").output
