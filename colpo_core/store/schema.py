"""The schema and its migrations: made where there is none, refused where it does not fit the program."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock
from sqlalchemy import Engine, inspect

from colpo_core.errors import StoreMismatch

MIGRATIONS = Path(__file__).parent / "migrations"


def prepare_schema(engine: Engine, *, lock_path: Path) -> None:
    """Make the tables in an empty database; otherwise check that they fit.

    Raises:
        StoreMismatch: The schema is older or newer than the program.
    """
    with FileLock(lock_path):
        if not inspect(engine).get_table_names():
            upgrade_schema(engine)
            return
    check_schema(engine)


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

    Batch mode rebuilds tables; with foreign keys on, dropping the old table would delete its children.

    Args:
        engine: The store's engine.
        migrations: Folder of the migrations.
    """
    config = alembic_config(engine, migrations=migrations)
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
