"""Opens a copy of the old store that lies in this folder, and says what its tables hold."""

import hashlib
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

from colpo_core.settings import Settings

FOLDER = Path(__file__).parent


def unpack(folder: Path) -> Settings:
    """Lay a copy of the old store into an empty folder; it is not upgraded."""
    with zipfile.ZipFile(FOLDER / "store.zip") as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name != "make.py"])
    return Settings(data_dir=folder)


def expected() -> dict[str, dict[str, str]]:
    """What `digests` gave when the store was made."""
    rows: dict[str, dict[str, str]] = json.loads((FOLDER / "rows.json").read_text(encoding="utf-8"))
    return rows


def revision(database: Path) -> str:
    """The schema that a database says it has."""
    with closing(sqlite3.connect(database)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def digests(database: Path) -> dict[str, dict[str, str]]:
    """For each table and column a digest of its values in the order of the table's primary key, and how many there are.

    By column, so that a table which was given another column still shows that the old ones hold what they held.
    """
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        return {name: _columns(connection, name) for (name,) in tables if name != "alembic_version"}


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    key = ", ".join(f'"{column[1]}"' for column in sorted(columns, key=lambda column: column[5]) if column[5])
    found = {}
    for column in columns:
        query = f'SELECT "{column[1]}" FROM "{table}" ORDER BY {key}'  # noqa: S608 - names of the schema
        values = [_plain(value) for (value,) in connection.execute(query)]
        if values:
            found[column[1]] = f"{len(values)} {hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]}"
    return found


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
