import shutil
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from colpo_core.errors import StoreMismatch
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.engine import make_engine
from colpo_core.store.schema import MIGRATIONS, upgrade_schema
from colpo_core.store.tables import Base, Case, Patient


def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    with make_engine(store.settings).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_every_constraint_has_a_name() -> None:
    nameless = [
        (table.name, constraint)
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if not constraint.name
    ]
    assert nameless == []


REBUILD_PATIENTS = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None

def upgrade():
    with op.batch_alter_table("patients", recreate="always") as batch:
        batch.add_column(sa.Column("country", sa.String(2)))
    if {fails}:
        raise RuntimeError("half way")
"""


def store_with_children(store: Store, folder: Path, *, fails: bool) -> None:
    with store.writing() as session:
        session.add_all([Patient(code=f"P{number}", cases=[Case(), Case()]) for number in range(5)])
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "0002_rebuild.py").write_text(REBUILD_PATIENTS.format(fails=fails))


def columns_and_children(store: Store) -> tuple[set[str], int]:
    with store.reading() as session:
        columns = {row[1] for row in session.execute(text("PRAGMA table_info(patients)"))}
        return columns, session.execute(text("SELECT count(*) FROM cases")).scalar_one()


def test_an_upgrade_that_rebuilds_a_table_keeps_every_child_row(store: Store, tmp_path: Path) -> None:
    """Batch mode drops and rebuilds tables: with foreign keys on, that would delete children without a word."""
    store_with_children(store, tmp_path / "migrations", fails=False)
    upgrade_schema(make_engine(store.settings), migrations=tmp_path / "migrations")
    columns, children = columns_and_children(store)
    assert "country" in columns
    assert children == 10


def test_an_upgrade_that_fails_half_way_changes_nothing(store: Store, tmp_path: Path) -> None:
    store_with_children(store, tmp_path / "migrations", fails=True)
    with pytest.raises(RuntimeError, match="half way"):
        upgrade_schema(make_engine(store.settings), migrations=tmp_path / "migrations")
    columns, children = columns_and_children(store)
    assert "country" not in columns
    assert children == 10
    Store.open(store.settings).close()


@pytest.mark.parametrize(("revision", "sentence"), [("9999", "newer version"), (None, "older version")])
def test_a_store_of_another_version_is_refused_and_left_alone(
    settings: Settings, revision: str | None, sentence: str
) -> None:
    Store.open(settings).close()
    engine = make_engine(settings)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        if revision:
            connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
    before = settings.database_path.stat().st_size
    with pytest.raises(StoreMismatch, match=sentence):
        Store.open(settings)
    assert settings.database_path.stat().st_size == before


def test_many_may_open_a_new_store_at_once(settings: Settings) -> None:
    errors: list[Exception] = []

    def open_it() -> None:
        try:
            Store.open(settings).close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
