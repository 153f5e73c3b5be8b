"""What a database's schema says beyond what Alembic compares."""

from sqlalchemy import Engine, inspect


def checks_of(engine: Engine) -> dict[str, dict[str | None, str]]:
    """The check constraints of each table by their name; they hold the words that a column takes."""
    inspector = inspect(engine)
    return {
        table: {check["name"]: " ".join(check["sqltext"].split()) for check in inspector.get_check_constraints(table)}
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def triggers_of(engine: Engine) -> dict[str, str]:
    """The triggers of a SQLite database by their name."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        return {name: " ".join(sql.split()) for name, sql in rows}
