"""Move a store's database from SQLite to PostgreSQL; its folder of files stays where it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, func, insert, inspect, select, text

from colpo_core.errors import Conflict, NotFound
from colpo_core.settings import Settings
from colpo_core.store.engine import make_engine
from colpo_core.store.schema import check_schema, prepare_schema
from colpo_core.store.tables import Base, StoreIdentity

_ROWS_AT_ONCE = 1_000


def move_to_postgresql(settings: Settings, database_url: str) -> dict[str, int]:
    """Copy every row of a store's SQLite file into an empty PostgreSQL database, in one transaction.

    The SQLite file is left as it is, and stays the truth until the program is started with the other address.

    Args:
        settings: Where the store lies; nobody may be writing to it.
        database_url: The empty database.

    Returns:
        How many rows each table has.

    Raises:
        NotFound: There is no store.
        StoreMismatch: It is not of this version of the program.
        Conflict: The database is not empty.
    """
    source_settings = replace(settings, database_url=None)
    if not source_settings.database_path.exists():
        raise NotFound(f"There is no store in {settings.data_dir}.")
    with _engine(source_settings) as source, _engine(replace(settings, database_url=database_url)) as target:
        check_schema(source)
        if inspect(target).get_table_names():
            raise Conflict("The database is not empty. Make a new one, and name it; nothing was changed.")
        prepare_schema(target, lock_path=settings.data_dir / "schema.lock")
        with source.connect() as old, target.connect().execution_options(colpo_writes=True) as new, new.begin():
            new.execute(delete(StoreIdentity))  # it stays the store that it was
            return {table.name: _copy(old, new, table) for table in Base.metadata.sorted_tables}


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings)
    try:
        yield engine
    finally:
        engine.dispose()


def _copy(old: Connection, new: Connection, table: Table) -> int:
    for rows in _rows(old, table):
        new.execute(insert(table), rows)
    _continue_numbers(new, table)
    return new.scalar(select(func.count()).select_from(table)) or 0


def _rows(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """All rows, so that whatever refers to another row of its own table comes after it."""
    cursor = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
    while rows := [dict(row) for row in islice(cursor, _ROWS_AT_ONCE)]:
        yield rows


def _continue_numbers(connection: Connection, table: Table) -> None:
    """Let the next row have the number after the highest."""
    (first, *others) = table.primary_key.columns
    if others or first.autoincrement is False or first.type.python_type is not int:
        return
    asked = {"table": table.name, "column": first.name}
    name = connection.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), asked)
    if name is not None:
        highest = connection.scalar(select(func.max(first))) or 0
        connection.execute(text("SELECT setval(:name, :next, false)"), {"name": name, "next": highest + 1})
