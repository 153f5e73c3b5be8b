import shutil
import sqlite3
from contextlib import nullcontext
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from colpo_core.errors import StoreMismatch
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.engine import make_engine
from colpo_core.store.schema import APPEND_ONLY, MIGRATIONS, alembic_config, upgrade_schema
from colpo_core.store.tables import Base, Case, HeldGpu, Job, Patient
from colpo_core.terms import JobKind
from tests.support.old_store import opening
from tests.support.schemas import checks_of, triggers_of
from tests.support.threads import errors_of_all


def test_a_new_store_has_exactly_the_tables(store: Store) -> None:
    with make_engine(store.settings).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_new_store_has_exactly_the_checks(store: Store) -> None:
    """Alembic does not compare check constraints, and they hold the words that a column takes."""
    wanted = create_engine("sqlite://")
    Base.metadata.create_all(wanted)
    assert checks_of(make_engine(store.settings)) == checks_of(wanted)


def test_a_new_store_stands_at_the_newest_migration(store: Store) -> None:
    engine = make_engine(store.settings)
    head = ScriptDirectory.from_config(alembic_config(engine)).get_current_head()
    with engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == head
    assert len(triggers_of(engine)) == 2 * len(APPEND_ONLY)


def test_every_constraint_has_a_name() -> None:
    nameless = [
        (table.name, constraint)
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if not constraint.name
    ]
    assert nameless == []


@pytest.mark.parametrize("change", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}"])
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_rows_of_an_append_only_table_stay_as_they_are(tmp_path: Path, table: str, change: str) -> None:
    settings = opening.unpack(tmp_path)
    engine = make_engine(settings)
    upgrade_schema(engine)
    before = opening.digests(settings.database_path)[table]
    statement = change.format(table=table, column=next(iter(before)))
    with pytest.raises(IntegrityError, match="append-only"), engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert opening.digests(settings.database_path)[table] == before


def test_a_gpu_is_held_by_one_job(store: Store) -> None:
    with store.writing() as session:
        session.add(Patient(code="p"))
        session.execute(text(ADA))
        jobs = [Job(kind=kind, settings={}, created_by=1) for kind in (JobKind.EXPLAIN, JobKind.PROBE)]
        session.add_all(jobs)
        jobs[0].gpus.append(HeldGpu(host="here", gpu="GPU-1"))
        session.flush()
        second = jobs[1].id
    with pytest.raises(IntegrityError), store.writing() as session:
        session.add(HeldGpu(host="here", gpu="GPU-1", job_id=second))


ADA = """
INSERT INTO people (id, username, display_name, role, active, failed_sign_ins, created_at)
VALUES (1, 'a', 'A', 'annotator', 1, 0, '2026-01-01 00:00:00')
"""

REBUILD_PATIENTS = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "next", "{head}", None, None

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
    head = ScriptDirectory.from_config(alembic_config(make_engine(store.settings))).get_current_head()
    (folder / "versions" / "next_rebuild.py").write_text(REBUILD_PATIENTS.format(head=head, fails=fails))


@pytest.mark.parametrize("fails", [False, True])
def test_an_upgrade_that_rebuilds_a_table_keeps_every_child_row(store: Store, tmp_path: Path, fails: bool) -> None:
    """Batch mode drops and rebuilds tables: with foreign keys on, that would delete children without a word.

    One that fails half way changes nothing.
    """
    store_with_children(store, tmp_path / "migrations", fails=fails)
    with pytest.raises(RuntimeError, match="half way") if fails else nullcontext():
        upgrade_schema(make_engine(store.settings), migrations=tmp_path / "migrations")
    with store.reading() as session:
        columns = {row[1] for row in session.execute(text("PRAGMA table_info(patients)"))}
        assert ("country" in columns) is not fails
        assert session.execute(text("SELECT count(*) FROM cases")).scalar_one() == 10
    if fails:
        Store.open(store.settings).close()


@pytest.mark.parametrize(
    ("revision", "sentence"),
    [
        ("9999", "newer version"),
        ("0013", r"older version .* \(schema 0013\), from before the oldest .* \(0017\)"),
        (None, "older version"),
    ],
)
def test_a_store_that_no_migration_reaches_is_refused_and_left_alone(
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
    with pytest.raises(StoreMismatch, match=sentence):
        upgrade_schema(engine)
    assert settings.database_path.stat().st_size == before


def test_a_database_without_tables_is_no_store_to_upgrade(settings: Settings) -> None:
    settings.data_dir.mkdir()
    sqlite3.connect(settings.database_path).close()
    with pytest.raises(StoreMismatch, match="schema unknown"):
        upgrade_schema(make_engine(settings))


def test_many_may_open_a_new_store_at_once(settings: Settings) -> None:
    assert errors_of_all(lambda: Store.open(settings).close()) == []
