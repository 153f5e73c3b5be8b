"""The schema and its migrations: made where there is none, refused where it does not fit the program."""

from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock
from sqlalchemy import Engine, inspect

from colpo_core.errors import StoreMismatch
from colpo_core.store.tables import Base

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
    if engine.dialect.name == "postgresql":
        _prepare_postgresql(engine)
    else:
        with FileLock(lock_path):
            if not inspect(engine).get_table_names():
                upgrade_schema(engine)
                return
    check_schema(engine)


def _prepare_postgresql(engine: Engine) -> None:
    """Make the tables of an empty database, as they are now: no store of an older schema lies on PostgreSQL."""
    with engine.connect().execution_options(colpo_writes=True) as connection, connection.begin():
        if inspect(connection).get_table_names():
            return
        Base.metadata.create_all(connection)
        for statement in _refusals():
            connection.exec_driver_sql(statement)
        config = alembic_config(engine)
        config.attributes["connection"] = connection
        command.stamp(config, "head")


def _refusals() -> Iterator[str]:
    """What keeps rows of append-only tables as they are, in PostgreSQL's words; the migrations say it in SQLite's."""
    yield (
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', "
        "ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for table in APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_refuses_{action.lower()} BEFORE {action} ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )


def check_schema(engine: Engine) -> None:
    """Refuse a store whose schema is not the program's.

    Raises:
        StoreMismatch: It is older (run `store upgrade`) or newer (install the newer program).
    """
    script = ScriptDirectory.from_config(alembic_config(engine))
    head = script.get_current_head()
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == head:
        return
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise StoreMismatch(
            "This store was written by a newer version of the program. Install that version; nothing was changed."
        )
    raise StoreMismatch(
        "This store was written by an older version of the program. Make a copy of its folder, then run "
        "`python -m colpo_core store upgrade`."
    )


def upgrade_schema(engine: Engine, *, migrations: Path = MIGRATIONS) -> None:
    """Bring the schema to the program's version, in one transaction with foreign keys off.

    On SQLite batch mode rebuilds tables; with foreign keys on, dropping the old table would delete its children.

    Args:
        engine: The store's engine.
        migrations: Folder of the migrations.
    """
    config = alembic_config(engine, migrations=migrations)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(colpo_writes=True) as connection, connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.rollback()
        raw = connection.connection.driver_connection
        if raw is None:
            raise RuntimeError("the connection to the store is closed")
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            config.attributes["connection"] = connection.execution_options(colpo_writes=True)
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.rollback()
            raw.execute("PRAGMA foreign_keys=ON")


def alembic_config(engine: Engine, *, migrations: Path = MIGRATIONS) -> Config:
    """Alembic's configuration, made here so that the checkout needs no ini file."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("sqlalchemy.url", str(engine.url).replace("%", "%%"))
    return config
