"""Copies of a store that can be opened as one, made while the program runs.

The database is copied first and in one pass, so that the copy is one moment of it. Files are written before the rows
that name them and never change, so whatever the copied database names lies in the store by then; those that the copy
has already are not copied again. The database takes its place last: a copy that stops half way leaves the one before.
"""

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

from colpo_core.errors import Conflict, InputRejected, NotFound
from colpo_core.records.maintenance import BackUpFacts
from colpo_core.settings import Settings
from colpo_core.store.blobs import BlobFolder, flush_folder, write_file
from colpo_core.store.tables import utc_now

FACTS_FILE = "back-up.json"
_WRITING = ".writing"


def back_up(settings: Settings, folder: Path) -> BackUpFacts:
    """Copy a store into a folder, or bring the copy that lies there up to the present.

    Args:
        settings: Where the store lies; it may be in use.
        folder: Where the copy goes: new, empty, or an earlier copy.

    Returns:
        What the copy holds. Files that are damaged in the store are left out and named.

    Raises:
        InputRejected: The folder lies in the store or around it, or holds something else; or the database is not here.
        Conflict: The copied database is not whole.
    """
    if settings.database_url:
        raise InputRejected(
            "The database lies on PostgreSQL: back it up there, such as with pg_dump, and then copy the folder "
            f"{settings.data_dir}, in this order."
        )
    _check_target(settings, folder)
    copy = Settings(data_dir=folder)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{copy.database_path.name}{_WRITING}"
    unfinished.unlink(missing_ok=True)
    _copy_database(settings.database_path, unfinished)
    copied, damaged = _copy_blobs(settings, copy)
    copied += _copy_checkpoints(settings, copy)
    # What the database wrote ahead belongs to the one that goes.
    for end in ("-wal", "-shm"):
        copy.database_path.with_name(copy.database_path.name + end).unlink(missing_ok=True)
    unfinished.replace(copy.database_path)
    flush_folder(folder)
    parts = (copy.blobs_dir, copy.checkpoints_dir)
    files = [copy.database_path, *(path for part in parts for path in part.rglob("*") if path.is_file())]
    facts = BackUpFacts(
        made_at=utc_now(),
        schema=_schema(copy.database_path),
        database_sha256=_sha256(copy.database_path),
        files=len(files),
        size_bytes=sum(path.stat().st_size for path in files),
        copied_files=copied,
        damaged=tuple(damaged),
    )
    written = asdict(facts) | {"made_at": facts.made_at.isoformat()}
    write_file(folder / FACTS_FILE, json.dumps(written, indent=2).encode())
    return facts


def restore(folder: Path, settings: Settings) -> BackUpFacts:
    """Make a store from a copy, and check every file of it on the way.

    Args:
        folder: The copy.
        settings: Where the store goes; nothing may lie there.

    Returns:
        What the copy says of itself, with the files that are damaged in it and are missing from the store now.

    Raises:
        NotFound: There is no copy in the folder.
        Conflict: A store lies there already, or the copy is not what it says it is.
    """
    facts = read_facts(folder)
    if settings.data_dir.exists() and any(settings.data_dir.iterdir()):
        raise Conflict(f"{settings.data_dir} is not empty. Name an empty folder in COLPO_DATA; nothing was changed.")
    copy = Settings(data_dir=folder)
    if not copy.database_path.exists() or _sha256(copy.database_path) != facts.database_sha256:
        raise Conflict(
            "The copy's database is not the one that was written. It has been opened or changed since, or its disk is "
            "failing. Take another copy, or serve this one as it is with COLPO_DATA and look."
        )
    made = back_up(copy, settings.data_dir)
    (settings.data_dir / FACTS_FILE).unlink()
    return replace(facts, damaged=made.damaged)


def read_facts(folder: Path) -> BackUpFacts:
    """What a copy says of itself.

    Raises:
        NotFound: There is no copy in the folder, or it never became whole.
    """
    try:
        written = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        made_at = datetime.fromisoformat(written.pop("made_at"))
        return BackUpFacts(made_at=made_at, damaged=tuple(written.pop("damaged")), **written)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotFound(f"There is no finished back-up in {folder}.") from error


def _check_target(settings: Settings, folder: Path) -> None:
    store, target = settings.data_dir.resolve(), folder.resolve()
    if store.is_relative_to(target) or target.is_relative_to(store):
        raise InputRejected("A back-up inside the store, or around it, would be lost with it. Name another folder.")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputRejected(f"{folder} is a file. Name a folder.")
    names = {path.name for path in folder.iterdir()}
    own = Settings(data_dir=folder)
    expected = {FACTS_FILE, own.database_path.name + _WRITING, own.blobs_dir.name, own.checkpoints_dir.name}
    if names and FACTS_FILE not in names and not names <= expected:
        raise InputRejected(f"{folder} holds something else. Name a new folder, or that of an earlier back-up.")


def _copy_database(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)  # in one pass: in steps it starts anew with every write
        copy.execute("PRAGMA journal_mode=DELETE")
        if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise Conflict("The copied database is not whole. The store's disk may be failing; keep earlier back-ups.")


def _copy_blobs(settings: Settings, copy: Settings) -> tuple[int, list[str]]:
    source, target = BlobFolder(settings.blobs_dir), BlobFolder(copy.blobs_dir)
    copied, damaged = 0, []
    for path in sorted(settings.blobs_dir.glob("??/*")):
        name = path.name
        if path.suffix == _WRITING or len(name) != 64:
            continue
        there = target.path(name)
        if there.exists() and there.stat().st_size == path.stat().st_size:
            continue
        try:
            target.put(source.get(name))
            copied += 1
        except NotFound:
            damaged.append(name)
    return copied, damaged


def _copy_checkpoints(settings: Settings, copy: Settings) -> int:
    """Checkpoints appear whole and never change."""
    copied = 0
    for path in sorted(settings.checkpoints_dir.glob("*/*")):
        there = copy.checkpoints_dir / path.relative_to(settings.checkpoints_dir)
        if not path.is_file() or (there.exists() and there.stat().st_size == path.stat().st_size):
            continue
        write_file(there, path.read_bytes())
        copied += 1
    return copied


def _schema(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
