"""A clinic's store moves from SQLite to PostgreSQL, and nothing is lost on the way."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from colpo_core.cluster.sqlite_to_postgresql import move_to_postgresql
from colpo_core.errors import Conflict, NotFound, StoreMismatch
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots.freezing import SnapshotQuery
from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.engine import make_engine
from colpo_core.store.schema import APPEND_ONLY, upgrade_schema
from colpo_core.store.tables import Base, Case, CheckpointPatient, Patient
from colpo_core.terms import Role
from tests.conftest import add_person
from tests.support.clinic import PredictedClinic

pytestmark = pytest.mark.engines


def rows_of(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store.reading() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key.columns))]
            for table in Base.metadata.sorted_tables
        }


@pytest.fixture
def moved(tmp_path: Path, postgresql: Any) -> tuple[Settings, Settings]:
    """A store on SQLite, and the settings under which it lies on PostgreSQL afterwards."""
    settings = Settings(data_dir=tmp_path / "data")
    store = Store.open(settings)
    administrator = add_person(store, "ada", Role.ADMINISTRATOR)
    PredictedClinic(administrator).clinic.add_cohort(12)
    freezing.freeze_snapshot(administrator, query=SnapshotQuery("all"))
    store.close()
    return settings, replace(settings, database_url=postgresql.new_database())


def test_every_row_is_there_and_the_numbers_go_on(moved: tuple[Settings, Settings]) -> None:
    before, after = moved
    counts = move_to_postgresql(before, str(after.database_url))
    old, new = Store.open(before), Store.open(after)
    assert rows_of(new) == rows_of(old)
    assert counts["cases"] == 15
    with new.writing() as session:
        case = Case(patient=Patient(code="afterwards"))
        session.add(case)
        session.flush()
        assert case.id == 16
    with old.reading() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 15
    old.close()
    new.close()


def test_a_database_of_the_schema_before_is_upgraded(moved: tuple[Settings, Settings]) -> None:
    before, after = moved
    move_to_postgresql(before, str(after.database_url))
    engine = make_engine(after)
    with engine.connect().execution_options(colpo_writes=True) as connection, connection.begin():
        for table in ("checkpoint_patients", "checkpoint_images", "store_identity", "back_up_plans", "store_checks"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql("ALTER TABLE checkpoints DROP COLUMN learning_recorded")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0017'")
    with pytest.raises(StoreMismatch, match="store upgrade"):
        Store.open(after)
    upgrade_schema(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    store = Store.open(after)
    assert fill_learned(store) == ()
    with store.reading() as session:
        assert session.scalars(select(CheckpointPatient.patient_id)).all() != []
    store.close()


def test_append_only_tables_stay_so(moved: tuple[Settings, Settings]) -> None:
    before, after = moved
    move_to_postgresql(before, str(after.database_url))
    store = Store.open(after)
    assert "audit_log" in APPEND_ONLY
    for deed in ("UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log"):
        with pytest.raises(DBAPIError, match="append-only"), store.writing() as session:
            session.execute(text(deed))
    store.close()


def test_a_database_that_holds_something_and_a_store_that_is_not_there_are_refused(
    moved: tuple[Settings, Settings], tmp_path: Path
) -> None:
    before, after = moved
    with pytest.raises(NotFound, match="no store"):
        move_to_postgresql(Settings(data_dir=tmp_path / "nothing"), str(after.database_url))
    move_to_postgresql(before, str(after.database_url))
    with pytest.raises(Conflict, match="not empty"):
        move_to_postgresql(before, str(after.database_url))
