"""The store: a database with the settings that lose nothing, and the folder of files beside it.

On SQLite WAL lets readers go on while somebody writes; FULL keeps what was acknowledged through a power cut; a writing
transaction takes its lock at once (BEGIN IMMEDIATE), because one that reads first and writes later is refused when
another has written in between, whatever the time-out.

On PostgreSQL it is the same: one transaction writes at a time, under a lock that it takes at its beginning and that
goes with it, so that what was read in it is still true when it writes; a reading one sees one moment.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from colpo_core.cluster_parts import ClusterPart, load_part
from colpo_core.errors import Busy
from colpo_core.settings import Settings
from colpo_core.store.blobs import BlobFolder
from colpo_core.store.case_summaries import FollowedSession, lacks_summaries, settle, sum_up
from colpo_core.store.presence import (
    check_presence,
    connect_existing,
    damaged_database,
    holds_files,
    lost_database,
    no_store,
)
from colpo_core.store.private import make_private
from colpo_core.store.schema import WRITER_LOCK, prepare_schema
from colpo_core.store.shared_files import SharedFiles

_BUSY_SECONDS = 30
_CONNECTIONS = 40
# Whoever waits for the writer holds a connection meanwhile: as many as this, so that readers never wait for one.
_WRITERS_AT_ONCE = 20


class Store:
    """All that the program keeps.

    Attributes:
        settings: Where things lie.
        files: Files that several machines share; None where the store's folder holds all of them.
        blobs: Content-addressed files.
    """

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.settings = settings
        self.files = _shared_files(settings)
        self.blobs = _blobs(settings, self.files)
        self._reader = engine
        self._writer = engine.execution_options(colpo_writes=True)
        self._writers = threading.BoundedSemaphore(_WRITERS_AT_ONCE)

    @classmethod
    def open(cls, settings: Settings, *, make: bool = True) -> "Store":
        """Open the store.

        Args:
            settings: Where it lies.
            make: Whether to make a new one where there is none.

        Raises:
            NotFound: There is none, and none is to be made; nothing was written.
            StoreDamaged: The database is lost or empty beside the files of a store, or it is damaged.
            StoreMismatch: The store's schema is older or newer than the program.
        """
        if not check_presence(settings) and not make:
            raise no_store(settings)
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private(settings.data_dir)
        engine = make_engine(settings, make=make)
        try:
            with telling_damage(settings):
                if not inspect(engine).get_table_names():
                    if holds_files(settings) and not inspect(engine).get_table_names():
                        raise lost_database(settings)
                    if not make:
                        raise no_store(settings)
                prepare_schema(engine, lock_path=settings.data_dir / "schema.lock")
                store = cls(settings, engine)
                store.blobs.sweep()
                store._complete_summaries()
        except BaseException:
            engine.dispose()
            raise
        return store

    @contextmanager
    def writing(self, *, patience_ms: int = _BUSY_SECONDS * 1000) -> Iterator[Session]:
        """A session whose changes are committed at the end, or none of them.

        Args:
            patience_ms: How long to wait while somebody else writes, before `OperationalError`.

        Raises:
            Busy: So many wait for the same that there was no place to wait in.
        """
        writer = self._writer.execution_options(colpo_patience_ms=patience_ms)
        if not self._writers.acquire(timeout=patience_ms / 1000):
            raise Busy(
                "Others are writing to the store at this moment. Nothing was changed; try again in a few seconds."
            )
        try:
            with FollowedSession(writer, expire_on_commit=False) as session, session.begin():
                yield session
                settle(session)
        finally:
            self._writers.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one moment of the store and changes nothing."""
        with Session(self._reader, expire_on_commit=False, autoflush=False) as session:
            yield session

    def _complete_summaries(self) -> None:
        with self.reading() as session:
            if session.scalar(lacks_summaries()) is None:
                return
        with self.writing() as session:
            sum_up(session, None)

    def close(self) -> None:
        """Give all connections back."""
        self._reader.dispose()


def _shared_files(settings: Settings) -> SharedFiles | None:
    if not settings.files_url:
        return None
    files: SharedFiles = load_part(ClusterPart.SHARED_FILES)(settings.files_url)
    return files


def _blobs(settings: Settings, files: SharedFiles | None) -> BlobFolder:
    if files is None:
        return BlobFolder(settings.blobs_dir)
    limit_bytes = settings.cache_gb * 1e9
    blobs: BlobFolder = load_part(ClusterPart.SHARED_BLOBS)(settings.blobs_dir, files, limit_bytes=limit_bytes)
    return blobs


@contextmanager
def telling_damage(settings: Settings) -> Iterator[None]:
    """Say in a sentence that a SQLite file cannot be read as a database."""
    try:
        yield
    except DatabaseError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        raise damaged_database(settings) from error


def make_engine(settings: Settings, *, make: bool = False) -> Engine:
    """An engine on the settings' database, with what both need to lose nothing.

    Args:
        settings: Where the database is.
        make: Whether a SQLite file may be made where there is none; a server's database is there in any case.
    """
    return _postgresql(settings.database_url) if settings.database_url else _sqlite(settings, make=make)


def _sqlite(settings: Settings, *, make: bool) -> Engine:
    path = settings.database_path

    def connect() -> sqlite3.Connection:
        # A file that somebody has moved away meanwhile is an error: an empty one in its place would be another store.
        options = {"timeout": _BUSY_SECONDS, "isolation_level": None, "check_same_thread": False}
        return connect_existing(path, **options)

    if make and not path.exists():
        path.touch(mode=0o600)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        creator=connect,
        pool_size=_CONNECTIONS // 2,
        max_overflow=_CONNECTIONS // 2,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own type is private
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_SECONDS * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    writes = options.get("colpo_writes", False)
    if writes:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={options.get('colpo_patience_ms', _BUSY_SECONDS * 1000)}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: str) -> Engine:
    # A connection that a restarted server has closed is noticed before it is used.
    engine = create_engine(url, pool_size=_CONNECTIONS // 2, max_overflow=_CONNECTIONS // 2, pool_pre_ping=True)
    event.listen(engine, "begin", _begin_on_postgresql)
    return engine


def _begin_on_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("colpo_writes", False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {options.get('colpo_patience_ms', _BUSY_SECONDS * 1000)}")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
    # The lock is had; the time-out was meant for it alone.
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
