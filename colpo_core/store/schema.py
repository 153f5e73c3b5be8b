"""The schema and its migrations: made where there is none, refused where it does not fit the program.

A new store gets all tables as the models are now, and the newest revision. Migrations are for stores that are there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock
from sqlalchemy import Connection, Engine, insert, inspect

from colpo_core.errors import StoreMismatch
from colpo_core.store.tables import Base, StoreIdentity

APPEND_ONLY = ("audit_log", "readings", "study_amendments", "study_closings")
"""Tables whose rows the database itself keeps from being changed or deleted."""
MIGRATIONS = Path(__file__).parent / "migrations"
WRITER_LOCK = 0x636F6C706F
"""The advisory lock of PostgreSQL that whoever writes holds; another program on the same server has other numbers."""


def prepare_schema(engine: Engine, *, lock_path: Path) -> None:
    """Make the tables in an empty database; otherwise check that they fit.

    Raises:
        StoreMismatch: The schema is older or newer than the program.
    """
    with FileLock(lock_path):
        if not inspect(engine).get_table_names():
            with engine.connect().execution_options(colpo_writes=True) as connection, connection.begin():
                _make_tables(connection)
    check_schema(engine)


def _make_tables(connection: Connection) -> None:
    if inspect(connection).get_table_names():
        return  # another machine was quicker
    Base.metadata.create_all(connection)
    connection.execute(insert(StoreIdentity))
    for statement in _refusals(connection.dialect.name):
        connection.exec_driver_sql(statement)
    config = alembic_config(connection.engine)
    config.attributes["connection"] = connection
    command.stamp(config, "head")


def _refusals(dialect: str) -> Iterator[str]:
    """What keeps rows of append-only tables as they are, in a database's own words."""
    if dialect == "postgresql":
        yield (
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', "
            "ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    for table in APPEND_ONLY:
        refuses = (
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            if dialect == "postgresql"
            else f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        for action in ("UPDATE", "DELETE"):
            yield f"CREATE TRIGGER {table}_refuses_{action.lower()} BEFORE {action} ON {table} {refuses}"


def check_schema(engine: Engine) -> None:
    """Refuse a store whose schema is not the program's.

    Raises:
        StoreMismatch: It is older (run `store upgrade`) or newer (install the newer program).
    """
    with engine.connect() as connection:
        if _pending(connection, ScriptDirectory.from_config(alembic_config(engine))):
            raise StoreMismatch(
                "This store was written by an older version of the program. Make a copy of its folder, then run "
                "`python -m colpo_core store upgrade`."
            )


def upgrade_schema(engine: Engine, *, migrations: Path = MIGRATIONS) -> None:
    """Bring the schema of a store to the program's version, in one transaction with foreign keys off.

    On SQLite batch mode rebuilds tables; with foreign keys on, dropping the old table would delete its children.

    Raises:
        StoreMismatch: The store is newer than the program, or older than its oldest migration; nothing was changed.
    """
    config = alembic_config(engine, migrations=migrations)
    with engine.connect() as connection, _without_foreign_keys(connection):
        connection = connection.execution_options(colpo_writes=True)
        if _pending(connection, ScriptDirectory.from_config(config)):
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Takes back what the block has not committed."""
    if connection.dialect.name == "postgresql":
        yield
        return
    raw = connection.connection.driver_connection
    if raw is None:
        raise RuntimeError("the connection to the store is closed")
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        connection.rollback()
        raw.execute("PRAGMA foreign_keys=ON")


def _pending(connection: Connection, script: ScriptDirectory) -> bool:
    """Whether migrations are to be run on a store.

    Raises:
        StoreMismatch: The store is newer than all of them, or older.
    """
    current = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in script.walk_revisions()}
    if current in known:
        return current != script.get_current_head()
    if current is None or current < min(known):
        raise StoreMismatch(
            f"This store was written by an older version of the program (schema {current or 'unknown'}), from before "
            f"the oldest that this version can upgrade ({min(known)}). Upgrade it with a version that still has the "
            "migrations before that one, then with this version; nothing was changed."
        )
    raise StoreMismatch(
        "This store was written by a newer version of the program. Install that version; nothing was changed."
    )


def alembic_config(engine: Engine, *, migrations: Path = MIGRATIONS) -> Config:
    """Alembic's configuration, made here so that the checkout needs no ini file."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("sqlalchemy.url", str(engine.url).replace("%", "%%"))
    return config
