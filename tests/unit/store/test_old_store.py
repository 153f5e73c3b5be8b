"""A store of an older schema, with something in every table, is upgraded and loses nothing; see its README."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from click.testing import CliRunner, Result
from sqlalchemy import select, union

from colpo_core.cli.maintenance import store_group
from colpo_core.records.people import Actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.models.files import verify_files
from colpo_core.services.models.registry import list_checkpoints
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.services.studies.rows import check_seal
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.blobs import content_sha256
from colpo_core.store.engine import make_engine
from colpo_core.store.schema import upgrade_schema
from colpo_core.store.tables import (
    Base,
    Checkpoint,
    CheckpointImage,
    CheckpointPatient,
    Image,
    Person,
    Prediction,
    Snapshot,
    StoreIdentity,
    Study,
)
from colpo_core.terms import Role, Split, StudyState
from tests.support.old_store import opening
from tests.support.schemas import checks_of, triggers_of


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = opening.unpack(tmp_path / "old")
    monkeypatch.setenv("COLPO_DATA", str(settings.data_dir))
    return settings


def upgrade() -> Result:
    return CliRunner().invoke(store_group, ["upgrade"])


@pytest.fixture
def upgraded(old: Settings) -> Iterator[Store]:
    assert opening.revision(old.database_path) == "0017"
    outcome = upgrade()
    assert outcome.exit_code == 0, outcome.output
    assert opening.revision(old.database_path) == "0019"
    store = Store.open(old)
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


def test_an_upgraded_store_has_an_identity_of_its_own(upgraded: Store, tmp_path: Path) -> None:
    other = opening.unpack(tmp_path / "other")
    upgrade_schema(make_engine(other))
    with upgraded.reading() as session, Store.open(other).reading() as of_other:
        identities = [found.scalars(select(StoreIdentity.uuid)).one() for found in (session, of_other)]
    assert identities[0] != identities[1]
    assert {len(identity) for identity in identities} == {36}


def test_the_seals_of_studies_hold(upgraded: Store) -> None:
    with upgraded.reading() as session:
        sealed = session.scalars(select(Study).where(Study.state != StudyState.DRAFT)).all()
        assert {study.state for study in sealed} == {StudyState.OPEN, StudyState.CLOSED}
        for study in sealed:
            check_seal(session, study)


def test_the_files_of_checkpoints_are_those_that_were_published(upgraded: Store) -> None:
    with upgraded.reading() as session:
        ada = session.scalars(select(Person).where(Person.role == Role.ADMINISTRATOR)).one()
    checkpoints = list_checkpoints(Caller(upgraded, Actor(ada.id, ada.username, ada.display_name, ada.role)))
    assert [checkpoint.card["protocol"] for checkpoint in checkpoints] == ["paper", "patient"]
    for checkpoint in checkpoints:
        verify_files(upgraded, checkpoint)


def learned_by(store: Store, checkpoint_id: int) -> tuple[set[int], set[int]]:
    """Patients and images that were written down for a checkpoint."""
    with store.reading() as session:
        patients = select(CheckpointPatient.patient_id).where(CheckpointPatient.checkpoint_id == checkpoint_id)
        images = select(CheckpointImage.image_id).where(CheckpointImage.checkpoint_id == checkpoint_id)
        return set(session.scalars(patients)), set(session.scalars(images))


def test_it_is_written_down_whom_the_old_checkpoints_have_learned_from(upgraded: Store) -> None:
    with upgraded.reading() as session:
        checkpoints = session.execute(select(Checkpoint.id, Checkpoint.card, Snapshot.sha256).join(Snapshot)).all()
    assert len(checkpoints) == 2
    for checkpoint_id, card, sha256 in checkpoints:
        items = read_manifest(upgraded, sha256).items
        sides = set(Split) if card["protocol"] == "paper" else {Split.TRAIN, Split.VALIDATION}
        learned = [item for item in items if item.split in sides]
        assert len(learned) < len(items) or card["protocol"] == "paper"
        assert learned_by(upgraded, checkpoint_id) == (
            {item.patient_id for item in learned},
            {item.image_id for item in learned},
        )


def test_an_upgrade_says_of_whom_it_cannot_tell_and_does_so_once_the_file_is_back(old: Settings) -> None:
    with closing(sqlite3.connect(old.database_path)) as connection:
        (sha256,) = connection.execute("SELECT sha256 FROM snapshots WHERE name = 'adjusted'").fetchone()
    place = old.blobs_dir / sha256[:2] / sha256
    content = place.read_bytes()
    place.unlink()
    outcome = upgrade()
    assert outcome.exit_code == 1
    assert "The store fits this version of the program." in outcome.output
    assert "Whom as-in-the-paper has learned from cannot be told. A stored file is missing." in outcome.output
    store = Store.open(old)
    assert all(learned_by(store, 1))
    assert learned_by(store, 2) == (set(), set())
    place.write_bytes(content)
    assert upgrade().exit_code == 0
    assert all(learned_by(store, 2))
    store.close()


def test_a_store_that_cannot_be_upgraded_is_told_in_a_sentence(old: Settings) -> None:
    with closing(sqlite3.connect(old.database_path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0012'")
        connection.commit()
    outcome = upgrade()
    assert outcome.exit_code == 1
    assert "from before the oldest that this version can upgrade (0017)" in outcome.output
