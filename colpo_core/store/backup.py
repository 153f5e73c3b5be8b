"""Copies of a store that can be opened as one, made while the program runs.

The database is copied first and in one pass, so that the copy is one moment of it. Files are written before the rows
that name them and never change, so whatever the copied database names ought to lie in the store by then: each is asked
for, those that are new or changed are read on both sides at once, and all others every few days. The database takes
its place last: a copy that stops half way leaves the one before.
"""

import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC
from pathlib import Path

from filelock import FileLock, Timeout

from colpo_core.errors import Conflict, InputRejected, StoreDamaged
from colpo_core.records.maintenance import KEPT_GENERATIONS, BackUpFacts, FaultKind, Healed, StoreFault
from colpo_core.settings import Settings
from colpo_core.store.backup_folder import (
    WRITING,
    ReadFiles,
    check_history,
    check_target,
    copy_of,
    publish,
    schema_of,
    store_uuid,
)
from colpo_core.store.blobs import BlobFolder, copy_file, file_sha256, flush_folder
from colpo_core.store.presence import connect_existing
from colpo_core.store.private import make_private
from colpo_core.store.tables import utc_now
from colpo_core.store.walk import FileState, NamedFile, named_files, state_of

READ_AGAIN_AFTER_DAYS = 7
_RESTORING = "restore.unfinished"


def back_up(settings: Settings, folder: Path, *, verify: bool = False, kept: int = KEPT_GENERATIONS) -> BackUpFacts:
    """Copy a store into a folder, or bring the copy that lies there up to the present.

    Args:
        settings: Where the store lies; it may be in use.
        folder: Where the copy goes: new, empty, or an earlier copy of the same store.
        verify: Read every file on both sides, and not only those that are new, changed or not read for a week.
        kept: How many earlier databases stay in the folder.

    Returns:
        What the copy holds. What was not whole is named: a copy that was missing or damaged was replaced by the store's
        file; a file that is whole in the copy alone stays there; one that is whole on neither side is lost.

    Raises:
        InputRejected: The folder lies in the store or around it, or holds something else; or the database is not here.
        Conflict: The folder holds another store's back-up or more of this one, another back-up is under way, or the
            copied database is not whole; nothing was changed.
    """
    if settings.database_url:
        raise InputRejected(
            "The database lies on PostgreSQL: back it up there, such as with pg_dump, and then copy the folder "
            f"{settings.data_dir}, in this order."
        )
    check_target(settings, folder)
    lock = FileLock(settings.data_dir / "back-up.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise Conflict("Another back-up of this store is under way. Wait until it has finished.") from error
    try:
        return _back_up(settings, folder, verify=verify, kept=kept)
    finally:
        lock.release()


def _back_up(settings: Settings, folder: Path, *, verify: bool, kept: int) -> BackUpFacts:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_private(folder)
    BlobFolder(Settings(data_dir=folder).blobs_dir).sweep()
    name = settings.database_path.name
    unfinished = folder / f"{name}{WRITING}"
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    try:
        _copy_database(settings.database_path, unfinished)
        check_history(folder, unfinished)
        read = ReadFiles(
            folder, settings.data_dir, today=utc_now().date(),
            read_again_after_days=0 if verify else READ_AGAIN_AFTER_DAYS,
        )  # fmt: skip
        copying = _Copying(settings.data_dir, folder, read)
        with closing(connect_existing(unfinished)) as connection:
            files = list(named_files(lambda query: connection.execute(query), settings.data_dir, folder))
            schema, store = schema_of(connection), store_uuid(connection)
        try:
            for file in files:
                copying.bring(file)
        finally:
            read.save()
        facts = BackUpFacts(
            made_at=utc_now(),
            schema=schema,
            database_sha256=file_sha256(unfinished),
            files=1 + copying.n_whole,
            size_bytes=unfinished.stat().st_size + copying.size_bytes,
            copied_files=copying.n_copied,
            faults=tuple(copying.faults),
            store=store,
        )
        if publish(folder, unfinished, facts, kept=kept):
            return facts
        sentence = f"The back-up's database {name} was not the one that had been written; it was replaced."
        return replace(facts, faults=(*facts.faults, StoreFault(FaultKind.COPY_REPLACED, name, sentence)))
    finally:
        unfinished.unlink(missing_ok=True)


class _Copying:
    """Brings one file after the other, and says what was not whole."""

    def __init__(self, store: Path, folder: Path, read: ReadFiles) -> None:
        self._store, self._folder, self._read = store, folder, read
        self.n_copied = self.n_whole = self.size_bytes = 0
        self.faults: list[StoreFault] = []

    def bring(self, file: NamedFile) -> None:
        """See to it that the copy has a file whole, where that can be."""
        if not self._read.is_fresh(file.place):
            here, there = state_of(self._store, file), state_of(self._folder, file)
            if here is not FileState.WHOLE:
                self._fault_in_store(file, here, there)
            elif there is not FileState.WHOLE:
                self._copy(file, there)
            if FileState.WHOLE not in (here, there):
                return
            if here is FileState.WHOLE:
                self._read.note(file.place)
        self.n_whole += 1
        self.size_bytes += (self._folder / file.place).stat().st_size

    def _copy(self, file: NamedFile, there: FileState) -> None:
        copy_file(self._store / file.place, self._folder / file.place)
        self.n_copied += 1
        if state_of(self._folder, file) is not FileState.WHOLE:
            raise StoreDamaged(
                f"{self._folder} does not keep what is written to it: {file.place} came back changed. Its disk may be "
                "failing; back up to another one."
            )
        if there is FileState.DAMAGED or self._read.knows(file.place):
            sentence = f"In the back-up, {file.what} was {there.value}; it was copied anew: {file.place}"
            self.faults.append(StoreFault(FaultKind.COPY_REPLACED, file.place, sentence))

    def _fault_in_store(self, file: NamedFile, here: FileState, there: FileState) -> None:
        if there is FileState.WHOLE:
            sentence = (
                f"In the store, {file.what} is {here.value}; the back-up has it whole. Put it back with "
                f"`python -m colpo_core store heal {shlex.quote(str(self._folder))}`: {file.place}"
            )
            self.faults.append(StoreFault(FaultKind.ONLY_IN_BACK_UP, file.place, sentence))
            return
        sentence = (
            f"In the store, {file.what} is {here.value}, and this back-up does not have it. Look for it in another "
            f"back-up, with `python -m colpo_core store heal FOLDER`: {file.place}"
        )
        self.faults.append(StoreFault(FaultKind.LOST, file.place, sentence))


def restore(folder: Path, settings: Settings, *, generation: str | None = None) -> BackUpFacts:
    """Make a store from a copy, read every file of it on the way, and end all sign-ins.

    Args:
        folder: The copy.
        settings: Where the store goes: a folder that is empty, or in which a restore was broken off.
        generation: An earlier database of the folder; the newest when None.

    Returns:
        What the copy says of itself; its faults are the files that the store lacks now.

    Raises:
        NotFound: There is no copy in the folder, or no such generation.
        Conflict: Something lies there already, or the copied database is not the one that was written.
    """
    database, facts = copy_of(folder, generation)
    unfinished = settings.data_dir / _RESTORING
    is_empty = not settings.data_dir.exists() or not any(settings.data_dir.iterdir())
    if not is_empty and (not unfinished.exists() or settings.database_path.exists()):
        raise Conflict(f"{settings.data_dir} is not empty. Name an empty folder in COLPO_DATA; nothing was changed.")
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_private(settings.data_dir)
    unfinished.touch(mode=0o600)
    written = {fault.place: fault for fault in facts.faults}
    faults, n_whole, size_bytes = [], 0, 0
    with closing(connect_existing(database)) as connection:
        files = list(named_files(lambda query: connection.execute(query), folder))
    for file in files:
        state = _fetch(folder, settings.data_dir, file)
        if state is FileState.WHOLE:
            n_whole += 1
            size_bytes += (settings.data_dir / file.place).stat().st_size
            continue
        before = written.get(file.place)
        known = "" if before is None else f" When the back-up was made: {before.sentence}"
        sentence = f"In the back-up, {file.what} is {state.value}; the store lacks it: {file.place}.{known}"
        faults.append(StoreFault(FaultKind.NOT_RESTORED, file.place, sentence))
    _place_database(database, settings.database_path)
    unfinished.unlink()
    size_bytes += settings.database_path.stat().st_size
    return replace(facts, files=1 + n_whole, size_bytes=size_bytes, faults=tuple(faults))


def heal(settings: Settings, folder: Path, *, on_file: Callable[[str], object] = lambda _place: None) -> Healed:
    """Put files back into a store that are missing or damaged in it and whole in a copy.

    Args:
        settings: Where the store lies; it may be in use.
        folder: The copy: a back-up, or an older folder of a store.
        on_file: Told the place of each file that was put back.
    """
    healed, left = [], []
    with closing(connect_existing(settings.database_path)) as connection:
        files = list(named_files(lambda query: connection.execute(query), settings.data_dir, folder))
    for file in files:
        here = state_of(settings.data_dir, file)
        if here is FileState.WHOLE:
            continue
        there = _fetch(folder, settings.data_dir, file)
        if there is FileState.WHOLE:
            healed.append(file.place)
            on_file(file.place)
            continue
        kind = FaultKind.MISSING if here is FileState.MISSING else FaultKind.DAMAGED
        sentence = f"In the store, {file.what} is {here.value}, and in {folder} it is {there.value}: {file.place}"
        left.append(StoreFault(kind, file.place, sentence))
    return Healed(tuple(healed), tuple(left))


def _fetch(source: Path, target: Path, file: NamedFile) -> FileState:
    """Copy a file that is whole, and say how it was found; one that the target has whole is left."""
    if state_of(target, file) is FileState.WHOLE:
        return FileState.WHOLE
    state = state_of(source, file)
    if state is FileState.WHOLE:
        copy_file(source / file.place, target / file.place)
        state = state_of(target, file)
    return state


def _copy_database(source: Path, target: Path) -> None:
    with closing(connect_existing(source)) as live, closing(connect_existing(target)) as copy:
        live.backup(copy)  # in one pass: in steps it starts anew with every write
        copy.execute("PRAGMA journal_mode=DELETE")
        if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise Conflict("The copied database is not whole. The store's disk may be failing; keep earlier back-ups.")


def _place_database(database: Path, target: Path) -> None:
    """Copy a database into its place, with all sign-ins ended: of people who may have been shut out since."""
    unfinished = target.with_name(target.name + WRITING)
    copy_file(database, unfinished)
    with closing(connect_existing(unfinished)) as connection:
        now = utc_now().astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
        connection.execute("UPDATE sessions SET revoked_at = ? WHERE revoked_at IS NULL", (now,))
        connection.commit()
        if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("the restored database is not whole")
    unfinished.replace(target)
    flush_folder(target.parent)
