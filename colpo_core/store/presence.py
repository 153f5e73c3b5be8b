"""Whether there is a store, before anything is opened: a lost database must never become a new, empty store."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from colpo_core.errors import NotFound, StoreDamaged
from colpo_core.settings import Settings
from colpo_core.store.shared_files import BLOBS, CHECKPOINTS

_WAY_BACK = (
    "Nothing was changed. Put the database back, or restore the newest back-up: name a new, empty folder in COLPO_DATA "
    "and run `python -m colpo_core store restore BACKUP`; what lies in {folder} now stays until you delete it."
)


def lost_database(settings: Settings) -> StoreDamaged:
    """What to say where files of a store lie beside a database that is missing or empty."""
    what = "is empty" if settings.database_url or settings.database_path.exists() else "is missing"
    name = "The database that COLPO_DATABASE_URL names" if settings.database_url else str(settings.database_path)
    return StoreDamaged(
        f"{name} {what}, but photographs, checkpoints or jobs of a store lie in {settings.data_dir}. "
        + _WAY_BACK.format(folder=settings.data_dir)
    )


def damaged_database(settings: Settings) -> StoreDamaged:
    """What to say where the database's file cannot be read as one."""
    return StoreDamaged(
        f"{settings.database_path} is damaged: it is not a whole database. "
        + _WAY_BACK.format(folder=settings.data_dir)
    )


def no_store(settings: Settings) -> NotFound:
    """What to say where there is no store and none is to be made."""
    where = "the database that COLPO_DATABASE_URL names" if settings.database_url else str(settings.data_dir)
    return NotFound(
        f"There is no store in {where}, and none was made. Set COLPO_DATA to the folder of your store, or make a new "
        "store with `python -m colpo_core serve`, `demo` or `import`."
    )


def holds_files(settings: Settings) -> bool:
    """Whether files lie in the store's folder that only a database gives a meaning."""
    parts = (settings.data_dir / BLOBS, settings.data_dir / CHECKPOINTS, settings.jobs_dir)
    return any(_holds_a_file(part) for part in parts)


def check_presence(settings: Settings) -> bool:
    """Look at the database's file without opening it as one.

    Returns:
        Whether there is a database to open. Where it lies on a server, that is not known before it is asked.

    Raises:
        StoreDamaged: The file is lost or empty beside the files of a store, or it is damaged.
    """
    if settings.database_url:
        return True
    has_files = holds_files(settings)  # asked first: a store's files come after its tables
    path = settings.database_path
    if not path.exists():
        # What was written ahead of a database is of no use to another one, and a new one would delete it.
        if has_files or path.with_name(f"{path.name}-wal").exists():
            raise lost_database(settings)
        return False
    if not path.stat().st_size:
        if has_files:
            raise lost_database(settings)
        return False
    if _is_damaged(path):
        raise damaged_database(settings)
    return True


def connect_existing(path: Path, **options: object) -> sqlite3.Connection:
    """Open a SQLite file that is there, whatever letters its name has; none is made.

    Raises:
        sqlite3.OperationalError: There is no such file.
    """
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, **options)  # type: ignore[call-overload,no-any-return]


def _is_damaged(path: Path) -> bool:
    """Ask SQLite alone.

    Opened and closed as a plain file, the database would lose the locks of every connection that this process holds on
    it, and another process that closes it would delete what was written ahead.
    """
    try:
        with closing(connect_existing(path, timeout=30)) as connection:
            stated = _number(connection, "page_count") * _number(connection, "page_size")
            ahead = path.with_name(f"{path.name}-wal")
            there = path.stat().st_size + (ahead.stat().st_size if ahead.exists() else 0)
            return there < stated and connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",)
    except sqlite3.OperationalError:
        raise  # it cannot be read now: held by somebody, or the disk fails
    except sqlite3.DatabaseError:
        return True


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _holds_a_file(folder: Path) -> bool:
    return any(files for _, _, files in os.walk(folder))
