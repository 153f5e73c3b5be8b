"""Where the store lies and what it takes, for whoever has to back it up."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import text

from colpo_core.records.maintenance import FolderSize, StorageFacts
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, allowed
from colpo_core.store import Store


@allowed(ADMINISTRATORS)
def measure_storage(caller: Caller) -> StorageFacts:
    """Measure the store's folder."""
    settings = caller.store.settings
    with caller.store.reading() as session:
        schema = session.scalar(text("SELECT version_num FROM alembic_version"))
    copies = " (copies of shared files)" if settings.files_url else ""
    parts = (
        _database(caller.store),
        _measure(f"Images and maps{copies}", settings.blobs_dir.rglob("*")),
        _measure(f"Checkpoints{copies}", settings.checkpoints_dir.rglob("*")),
        _measure("Jobs", settings.jobs_dir.rglob("*")),
        _measure("Decoded snapshots (may be deleted)", settings.frames_dir.rglob("*")),
    )
    return StorageFacts(str(settings.data_dir), str(schema), parts, shutil.disk_usage(settings.data_dir).free)


def _database(store: Store) -> FolderSize:
    if store.settings.database_url:
        with store.reading() as session:
            size_bytes = session.scalar(text("SELECT pg_database_size(current_database())"))
        return FolderSize("Database, on PostgreSQL", 0, int(size_bytes or 0))
    database = store.settings.database_path
    return _measure("Database", (database.with_name(database.name + end) for end in ("", "-wal", "-shm")))


def _measure(name: str, paths: Iterable[Path]) -> FolderSize:
    files = size_bytes = 0
    for path in paths:
        try:
            if path.is_file():
                size_bytes += path.stat().st_size
                files += 1
        except FileNotFoundError:  # gone since it was listed: a job cleans up behind itself
            continue
    return FolderSize(name, files, size_bytes)
