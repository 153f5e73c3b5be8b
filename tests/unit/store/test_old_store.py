"""A store of an older schema, with something in every table, is upgraded and loses nothing; see its README."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import select, union

from colpo_core.cli.maintenance import store_group
from colpo_core.records.people import Actor
from colpo_core.services.models.files import verify_files
from colpo_core.services.models.registry import list_checkpoints
from colpo_core.services.studies.rows import check_seal
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.blobs import content_sha256
from colpo_core.store.engine import make_engine
from colpo_core.store.tables import Base, Image, Person, Prediction, Snapshot, Study
from colpo_core.terms import Role, StudyState
from tests.support.old_store import opening
from tests.support.schemas import checks_of, triggers_of


@pytest.fixture
def upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    settings = opening.unpack(tmp_path / "old")
    monkeypatch.setenv("COLPO_DATA", str(settings.data_dir))
    outcome = CliRunner().invoke(store_group, ["upgrade"])
    assert outcome.exit_code == 0, outcome.output
    store = Store.open(settings)
    yield store
    store.close()


def test_every_table_of_the_old_store_holds_something() -> None:
    assert all(opening.expected().values())
    assert len(opening.expected()) >= 50


def test_every_row_keeps_every_value(upgraded: Store) -> None:
    now = opening.digests(upgraded.settings.database_path)
    for table, columns in opening.expected().items():
        assert {name: now[table][name] for name in columns} == columns, table


def test_the_upgraded_schema_is_that_of_a_fresh_store(upgraded: Store, tmp_path: Path) -> None:
    old = make_engine(upgraded.settings)
    with old.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    settings = Settings(data_dir=tmp_path / "fresh")
    Store.open(settings).close()
    fresh = make_engine(settings)
    assert checks_of(old) == checks_of(fresh)
    assert triggers_of(old) == triggers_of(fresh)


def test_every_file_that_a_row_names_is_there_and_whole(upgraded: Store) -> None:
    columns = (Image.sha256, Snapshot.sha256, Prediction.maps_sha256, Prediction.acetowhite_sha256)
    with upgraded.reading() as session:
        named = [sha256 for sha256 in session.scalars(union(*(select(column) for column in columns))) if sha256]
    assert len(named) > 30
    assert all(content_sha256(upgraded.blobs.get(sha256)) == sha256 for sha256 in named)


def test_the_seals_of_studies_hold(upgraded: Store) -> None:
    with upgraded.reading() as session:
        sealed = session.scalars(select(Study).where(Study.state != StudyState.DRAFT)).all()
        assert {study.state for study in sealed} == {StudyState.OPEN, StudyState.CLOSED}
        for study in sealed:
            check_seal(session, study)


def test_the_files_of_checkpoints_are_those_that_were_published(upgraded: Store) -> None:
    with upgraded.reading() as session:
        ada = session.scalars(select(Person).where(Person.role == Role.ADMINISTRATOR)).one()
    checkpoints = list_checkpoints(upgraded, actor=Actor(ada.id, ada.username, ada.display_name, ada.role))
    assert [checkpoint.card["protocol"] for checkpoint in checkpoints] == ["paper", "patient"]
    for checkpoint in checkpoints:
        verify_files(upgraded, checkpoint)
