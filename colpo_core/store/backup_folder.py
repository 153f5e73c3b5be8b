"""What lies in a folder of back-ups: whose they are, which databases are kept, and which files were read when.

The newest database lies where a store has it, earlier ones in `generations`; the files are shared by all of them, since
a file never changes.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from colpo_core.errors import Conflict, InputRejected, NotFound
from colpo_core.records.maintenance import BackUpFacts, FaultKind, StoreFault
from colpo_core.settings import Settings
from colpo_core.store.blobs import copy_file, file_sha256, flush_folder, write_file
from colpo_core.store.presence import connect_existing
from colpo_core.store.shared_files import blob_place

FACTS_FILE = "back-up.json"
_NEXT_FACTS_FILE = "back-up.next.json"
_READ_FILE = "read.json"
_GENERATIONS = "generations"
WRITING = ".writing"
_COUNTED = ("people", "patients", "images")


def check_target(settings: Settings, folder: Path) -> None:
    """Refuse a folder that is no place for a back-up.

    Raises:
        InputRejected: It lies in the store or around it, is a file, or holds something else.
    """
    store, target = settings.data_dir.resolve(), folder.resolve()
    if store.is_relative_to(target) or target.is_relative_to(store):
        raise InputRejected("A back-up inside the store, or around it, would be lost with it. Name another folder.")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputRejected(f"{folder} is a file. Name a folder.")
    names = {path.name for path in folder.iterdir()}
    own = Settings(data_dir=folder)
    expected = {
        FACTS_FILE, _NEXT_FACTS_FILE, _READ_FILE, _GENERATIONS, own.database_path.name + WRITING, own.blobs_dir.name,
        own.checkpoints_dir.name,
    }  # fmt: skip
    if names and FACTS_FILE not in names and not names <= expected:
        raise InputRejected(f"{folder} holds something else. Name a new folder, or that of an earlier back-up.")


def check_history(folder: Path, database: Path) -> None:
    """Refuse to put a database into a folder that holds another store's, or more of this one.

    The same store has gone on from a back-up where its log has the back-up's last line.

    Raises:
        Conflict: It would replace what it does not hold; nothing was changed.
    """
    before = Settings(data_dir=folder).database_path
    with closing(connect_existing(database)) as new:
        now = _History(new)
        try:
            stated = read_facts(folder).store
        except NotFound:
            stated = ""
        _check_store(folder, stated, now.store)
        if not before.exists():
            return
        try:
            with closing(connect_existing(before)) as old:
                was = _History(old)
        except sqlite3.DatabaseError:
            return  # it is not kept as a generation, and the back-up says that it was damaged
        continues = was.last_line is None or now.has(new, was.last_line)
    _check_store(folder, was.store, now.store)
    more = [
        f"{was.counts[name]} {name}, not {now.counts[name]}" for name in _COUNTED if was.counts[name] > now.counts[name]
    ]
    if more:
        raise Conflict(
            f"The back-up in {folder} holds more than the store does ({'; '.join(more)}). Look which store COLPO_DATA "
            "names, and name a new folder; nothing was changed."
        )
    if not continues:
        raise Conflict(
            f"The back-up in {folder} holds work that this store does not know: it is newer, or of another copy of the "
            "store. Name a new folder; nothing was changed."
        )


def _check_store(folder: Path, was: str, now: str) -> None:
    if was and was != now:
        raise Conflict(f"{folder} holds the back-up of another store. Name a new folder; nothing was changed.")


class _History:
    """What tells one database from another."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.store = store_uuid(connection)
        self.counts = {name: _scalar(connection, f"SELECT count(*) FROM {name}") for name in _COUNTED}  # noqa: S608 - names of ours
        self.last_line = connection.execute(
            "SELECT id, at, action, subject FROM audit_log ORDER BY id DESC LIMIT 1"
        ).fetchone()

    def has(self, connection: sqlite3.Connection, line: tuple[Any, ...]) -> bool:
        query = "SELECT id, at, action, subject FROM audit_log WHERE id = ?"
        return bool(connection.execute(query, line[:1]).fetchone() == line)


def store_uuid(connection: sqlite3.Connection) -> str:
    """The identity that a database says it has; empty where it is from before stores had one."""
    has_table = _scalar(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'store_identity'")
    return str(_scalar(connection, "SELECT uuid FROM store_identity")) if has_table else ""


def schema_of(connection: sqlite3.Connection) -> str:
    """The version of a database's tables."""
    return str(_scalar(connection, "SELECT version_num FROM alembic_version"))


def _scalar(connection: sqlite3.Connection, query: str) -> Any:  # noqa: ANN401 - whatever the database holds
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]


def publish(folder: Path, database: Path, facts: BackUpFacts, *, kept: int) -> bool:
    """Put a finished database in its place, and keep the one before as a generation.

    What the facts say is written beside it first, so that a crash in between leaves database and facts that fit.

    Args:
        folder: The folder of back-ups.
        database: The new database, on the same disk.
        facts: What the back-up holds.
        kept: How many earlier databases stay.

    Returns:
        Whether the database that lay there was the one that had been written.
    """
    target = Settings(data_dir=folder).database_path
    write_file(folder / _NEXT_FACTS_FILE, _written(facts))
    was_whole = _keep_generation(folder, target)
    # What another program wrote ahead belongs to the database that goes.
    for end in ("-wal", "-shm"):
        target.with_name(target.name + end).unlink(missing_ok=True)
    database.replace(target)
    flush_folder(folder)
    (folder / _NEXT_FACTS_FILE).replace(folder / FACTS_FILE)
    flush_folder(folder)
    for name in generations(folder)[kept:]:
        (folder / _GENERATIONS / f"{name}.sqlite").unlink(missing_ok=True)
        (folder / _GENERATIONS / f"{name}.json").unlink(missing_ok=True)
    return was_whole


def _keep_generation(folder: Path, database: Path) -> bool:
    if not database.exists():
        return True
    try:
        facts = read_facts(folder)
    except NotFound:
        return False
    if file_sha256(database) != facts.database_sha256:
        return False
    place = folder / _GENERATIONS / f"{facts.made_at:%Y-%m-%dT%H-%M-%S-%f}.sqlite"
    copy_file(database, place)
    write_file(place.with_suffix(".json"), _written(facts))
    return True


def generations(folder: Path) -> tuple[str, ...]:
    """Names of the earlier databases of a folder, the newest first."""
    return tuple(sorted((path.stem for path in (folder / _GENERATIONS).glob("*.json")), reverse=True))


def copy_of(folder: Path, generation: str | None = None) -> tuple[Path, BackUpFacts]:
    """A database of a folder that is the one that was written, and what its back-up says of itself.

    Args:
        folder: The folder of back-ups.
        generation: One of `generations`; the newest back-up when None.

    Raises:
        NotFound: There is no such back-up.
        Conflict: The database is not the one that was written.
    """
    if generation is None:
        database, facts = Settings(data_dir=folder).database_path, read_facts(folder)
    else:
        known = generations(folder)
        if generation not in known:
            listed = ", ".join(known) or "none"
            raise NotFound(f"There is no generation {generation} in {folder}. Those that are kept: {listed}.")
        database = folder / _GENERATIONS / f"{generation}.sqlite"
        facts = _read(database.with_suffix(".json"), folder)
    if not database.exists() or file_sha256(database) != facts.database_sha256:
        kept = generations(folder)
        other = f" Earlier ones are kept: --generation {kept[0]}." if kept and generation is None else ""
        raise Conflict(
            "The back-up's database is not the one that was written: it has been opened or changed since, or its disk "
            f"is failing. Take another back-up.{other}"
        )
    return database, facts


def read_facts(folder: Path) -> BackUpFacts:
    """What the newest copy of a folder says of itself.

    Raises:
        NotFound: There is no copy in the folder, or it never became whole.
    """
    following = folder / _NEXT_FACTS_FILE
    database = Settings(data_dir=folder).database_path
    if following.exists() and database.exists():
        facts = _read(following, folder)
        if file_sha256(database) == facts.database_sha256:  # a crash came between the database and its facts
            return facts
    return _read(folder / FACTS_FILE, folder)


def _read(path: Path, folder: Path) -> BackUpFacts:
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        made_at = datetime.fromisoformat(written.pop("made_at"))
        faults = [StoreFault(**{**fault, "kind": FaultKind(fault["kind"])}) for fault in written.pop("faults", ())]
        for sha256 in written.pop("damaged", ()):  # as an earlier version wrote it
            place = blob_place(sha256)
            faults.append(StoreFault(FaultKind.LOST, place, f"{place} was damaged in the store."))
        return BackUpFacts(made_at=made_at, faults=tuple(faults), **written)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotFound(f"There is no finished back-up in {folder}.") from error


def _written(facts: BackUpFacts) -> bytes:
    return json.dumps(asdict(facts) | {"made_at": facts.made_at.isoformat()}, indent=2).encode()


class ReadFiles:
    """When each file of a back-up was last read and held against its hash, with the store's file that it is a copy of.

    A file whose size and time of change are as they were then need not be read again for some days.
    """

    def __init__(self, folder: Path, store: Path, *, today: date, read_again_after_days: int) -> None:
        self._folder, self._store, self._today = folder, store, today
        self._days = read_again_after_days
        self._read = dict(self._entries())

    def knows(self, place: str) -> bool:
        """Whether a file was whole in the back-up at some time."""
        return place in self._read

    def is_fresh(self, place: str) -> bool:
        """Whether a file and its copy are as they were when they were read last, not many days ago."""
        entry = self._read.get(place)
        if entry is None or self._marks(place) != entry[1:]:
            return False
        return 0 <= (self._today - date.fromisoformat(entry[0])).days < self._days

    def note(self, place: str) -> None:
        """Write down that a file and its copy have been read and are whole."""
        self._read[place] = [self._today.isoformat(), *self._marks(place)]

    def save(self) -> None:
        """Keep it in the back-up's folder."""
        write_file(self._folder / _READ_FILE, json.dumps(self._read).encode())

    def _marks(self, place: str) -> list[int]:
        marks = []
        for root in (self._store, self._folder):
            try:
                found = (root / place).stat()
                marks += [found.st_size, found.st_mtime_ns]
            except OSError:
                marks += [-1, -1]
        return marks

    def _entries(self) -> Iterator[tuple[str, list[Any]]]:
        try:
            written = json.loads((self._folder / _READ_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none yet, or damaged: everything is read again
            return
        if isinstance(written, dict):
            for place, entry in written.items():
                if isinstance(entry, list) and len(entry) == 5 and isinstance(entry[0], str):
                    yield place, entry
