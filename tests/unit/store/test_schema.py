import shutil
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError

from colpo_core.errors import StoreMismatch
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.engine import make_engine
from colpo_core.store.schema import MIGRATIONS, upgrade_schema
from colpo_core.store.tables import (
    AnnotationVersion,
    Base,
    Case,
    Evaluation,
    Exposure,
    HeldGpu,
    Image,
    ImageAnswer,
    ImageSurroundings,
    Job,
    Patient,
    Presentation,
    Promotion,
    Reading,
    ReadingDraft,
    Snapshot,
    StudyAmendment,
    StudyClosing,
)
from colpo_core.terms import AmendmentKind, Arm, ExposureKind, ImageQuestion, JobKind, JobState, Label


def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    with make_engine(store.settings).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def checks_of(engine: Engine) -> dict[str, dict[str | None, str]]:
    inspector = inspect(engine)
    return {
        table: {check["name"]: " ".join(check["sqltext"].split()) for check in inspector.get_check_constraints(table)}
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def triggers_of(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        return {name: " ".join(sql.split()) for name, sql in rows}


def test_the_migrations_make_exactly_the_checks(store: Store) -> None:
    """Alembic does not compare check constraints, and they hold the words that a column takes."""
    wanted = create_engine("sqlite://")
    Base.metadata.create_all(wanted)
    assert checks_of(make_engine(store.settings)) == checks_of(wanted)


def old_store(folder: Path, *, revision: str, rows: str) -> Engine:
    """A store as the program wrote it at a revision, with rows."""
    migrations = folder / "migrations"
    shutil.copytree(MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    for script in (migrations / "versions").glob("0*.py"):
        if script.name[:4] > revision:
            script.unlink()
    engine = make_engine(Settings(data_dir=folder))
    upgrade_schema(engine, migrations=migrations)
    with engine.connect().execution_options(colpo_writes=True) as connection:
        for statement in rows.strip().split(";\n"):
            connection.exec_driver_sql(statement)
        connection.commit()
    return engine


def upgrade_and_lose_nothing(engine: Engine) -> dict[str, int]:
    """Bring a store to the present; returns how many rows of each table there were."""
    before = rows_of(engine)
    upgrade_schema(engine)
    after = rows_of(engine)
    assert {table: after[table] for table in before} == before
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    return before


def test_an_older_store_keeps_every_row_and_learns_the_new_words(tmp_path: Path) -> None:
    engine = old_store(tmp_path, revision="0001", rows=OLD_ROWS)
    assert upgrade_and_lose_nothing(engine)["annotations"] == 2
    with engine.connect() as connection:
        drafts = connection.exec_driver_sql(
            "SELECT draft_start, draft_start_mask_id, draft_start_version_id FROM annotations ORDER BY id"
        ).all()
        starts = connection.exec_driver_sql("SELECT start, strokes FROM annotation_versions").all()
    assert [tuple(row) for row in drafts] == [("own_version", 1, 1), ("nothing", None, None)]
    assert [tuple(row) for row in starts] == [(None, None)]


def test_a_store_without_external_test_sets_keeps_its_jobs_and_takes_evaluations(tmp_path: Path) -> None:
    engine = old_store(tmp_path, revision="0002", rows=ROWS_OF_LEARNING)
    before = upgrade_and_lose_nothing(engine)
    assert (before["jobs"], before["job_events"], before["checkpoints"]) == (2, 1, 1)
    store = Store.open(Settings(data_dir=tmp_path))
    with store.writing() as session:
        done, waiting = session.scalars(select(Job).order_by(Job.id)).all()
        assert (done.kind, done.state, done.progress, done.result) == (JobKind.TRAIN, JobState.DONE, 1.0, {"a": 1})
        assert (waiting.kind, waiting.state, waiting.lease_token) == (JobKind.PREDICT, JobState.QUEUED, "t")
        assert session.scalars(select(Image.perceptual_hash)).all() == [None]
        assert session.scalars(select(Snapshot.external)).all() == [False]
        assert session.scalars(select(Promotion.overruled)).all() == [[]]
        session.add(Job(kind=JobKind.EVALUATE, settings={}, snapshot_id=1, created_by=1))
        session.add_all([Evaluation(checkpoint_id=1, snapshot_id=1, metrics={}, created_by=1) for _look in range(2)])
    store.close()


def test_a_store_without_shortcuts_keeps_its_snapshots_and_promotions(tmp_path: Path) -> None:
    engine = old_store(tmp_path, revision="0002", rows=ROWS_OF_LEARNING)
    before = upgrade_and_lose_nothing(engine)
    assert (before["snapshots"], before["promotions"]) == (1, 1)
    store = Store.open(Settings(data_dir=tmp_path))
    with store.writing() as session:
        assert session.scalars(select(Snapshot.shortcuts)).all() == [None]
        assert session.scalars(select(Promotion.unchecked)).all() == [[]]
        session.add(ImageSurroundings(image_id=1, version=1, figures=b"figures"))
    store.close()


def test_a_store_without_the_ledger_keeps_its_studies_and_takes_exposures_and_amendments(tmp_path: Path) -> None:
    engine = old_store(tmp_path, revision="0003", rows=ROWS_OF_A_STUDY)
    before = upgrade_and_lose_nothing(engine)
    assert (before["studies"], before["study_cases"], before["study_readers"]) == (1, 1, 1)
    store = Store.open(Settings(data_dir=tmp_path))
    with store.writing() as session:
        session.add_all(Exposure(person_id=1, case_id=1, kind=kind) for kind in ExposureKind)
        session.add_all(
            StudyAmendment(study_id=1, person_id=1, kind=kind, change={}, reason="why") for kind in AmendmentKind
        )
    for statement in ("UPDATE study_amendments SET reason = 'other'", "DELETE FROM study_amendments"):
        with pytest.raises(IntegrityError, match="append-only"), store.writing() as session:
            session.execute(text(statement))
    store.close()


def test_a_store_without_sessions_keeps_its_readings_as_one_unaided_session(tmp_path: Path) -> None:
    read = (
        ROWS_OF_A_STUDY.rstrip()
        + """;
INSERT INTO presentations VALUES ('t', 1, 1, 1, '2026-01-01 00:00:00');
INSERT INTO readings VALUES (1, 1, 1, 1, 'hsil', 70, '2026-01-01 00:00:00', '2026-01-01 00:00:09')
"""
    )
    engine = old_store(tmp_path, revision="0004", rows=read)
    before = upgrade_and_lose_nothing(engine)
    assert (before["readings"], before["presentations"]) == (1, 1)
    store = Store.open(Settings(data_dir=tmp_path))
    with store.reading() as session:
        row = session.scalars(select(Reading)).one()
        assert (row.call, row.confidence, row.session, row.arm, row.occurrence, row.phase, row.active_ms) == (
            Label.HSIL, 70, 1, Arm.UNAIDED, 1, 1, None,
        )  # fmt: skip
        shown = session.scalars(select(Presentation)).one()
        assert (shown.token, shown.session, shown.occurrence) == ("t", 1, 1)
    for statement in ("UPDATE readings SET confidence = 1", "DELETE FROM readings"):
        with pytest.raises(IntegrityError, match="append-only"), store.writing() as session:
            session.execute(text(statement))
    store.close()


def test_a_store_whose_readings_say_nothing_but_the_call_keeps_them_and_takes_points_and_findings(
    tmp_path: Path,
) -> None:
    read = (
        ROWS_OF_A_STUDY.rstrip()
        + """;
INSERT INTO readings VALUES
(1, 1, 1, 1, 'hsil', 70, '2026-01-01 00:00:00', '2026-01-01 00:00:09', 1, 'unaided', 1, 1, 8000)
"""
    )
    engine = old_store(tmp_path, revision="0005", rows=read)
    assert upgrade_and_lose_nothing(engine)["readings"] == 1
    store = Store.open(Settings(data_dir=tmp_path))
    with store.writing() as session:
        row = session.scalars(select(Reading)).one()
        assert (row.confidence, row.active_ms, row.points, row.findings) == (70, 8000, None, None)
        second = Reading(study_id=1, reader_id=1, case_id=1, call=Label.NORMAL, confidence=5, arm=Arm.AIDED, phase=2)
        second.shown_at, second.points, second.findings = row.answered_at, [[1.0, 2.0]], []
        session.add(second)
    for statement in ("UPDATE readings SET points = '[]'", "DELETE FROM readings"):
        with pytest.raises(IntegrityError, match="append-only"), store.writing() as session:
            session.execute(text(statement))
    store.close()


def test_a_store_whose_studies_keep_nothing_besides_keeps_its_exposures_and_takes_drafts_and_closings(
    tmp_path: Path,
) -> None:
    rows = (
        ROWS_OF_A_STUDY.rstrip()
        + """;
INSERT INTO presentations VALUES ('t', 1, 1, 1, 1, 1, '2026-01-01 00:00:00');
INSERT INTO readings VALUES
(1, 1, 1, 1, 'hsil', 70, '2026-01-01 00:00:00', '2026-01-01 00:00:09', 1, 'unaided', 1, 1, 8000, NULL, NULL);
INSERT INTO exposures VALUES (1, 1, 'mask', 3, '2026-01-01 00:00:00', '2026-01-02 00:00:00', 4)
"""
    )
    engine = old_store(tmp_path, revision="0013", rows=rows)
    before = upgrade_and_lose_nothing(engine)
    assert (before["exposures"], before["presentations"], before["readings"]) == (1, 1, 1)
    store = Store.open(Settings(data_dir=tmp_path))
    with store.writing() as session:
        kept = session.scalars(select(Exposure)).one()
        assert (kept.kind, kept.within_study, kept.times) == (ExposureKind.MASK, 3, 4)
        assert kept.last_at > kept.first_at
        session.add(Exposure(person_id=1, case_id=1, kind=ExposureKind.READ))
        session.add(ReadingDraft(token="t", phase=1, points=[[1.0, 2.0]], findings=["mosaic"]))
        session.add(StudyClosing(study_id=1, code_version="0.1.0", methods_version=1, found={"primary": []}))
    for statement in ("UPDATE study_closings SET methods_version = 2", "DELETE FROM study_closings"):
        with pytest.raises(IntegrityError, match="append-only"), store.writing() as session:
            session.execute(text(statement))
    store.close()


def rows_of(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table: connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one()  # noqa: S608
            for table in inspect(engine).get_table_names()
            if table != "alembic_version"
        }


def test_a_store_without_reasons_keeps_its_queue_and_takes_explanations(tmp_path: Path) -> None:
    rows = """
INSERT INTO people VALUES (1, 'a', 'A', NULL, 'annotator', 1, 0, NULL, '2026-01-01 00:00:00');
INSERT INTO jobs (id, kind, state, settings, attempt, max_attempts, cancel_requested, cancel_requested_at, paused,
priority, stage, epoch, epochs_total, progress, result, created_by, created_at)
VALUES (7, 'predict', 'queued', '{"b": 2}', 1, 3, 1, 12.5, 1, 4, 'x', 2, 9, 0.25, '{}', 1, '2026-01-01 00:00:00');
INSERT INTO job_events VALUES (1, 7, '2026-01-01 00:00:00', 'evaluation', 1, '{}', 'told')
"""
    before = upgrade_and_lose_nothing(old_store(tmp_path, revision="0011", rows=rows))
    assert (before["jobs"], before["job_events"]) == (1, 1)
    store = Store.open(Settings(data_dir=tmp_path))
    with store.writing() as session:
        job = session.get_one(Job, 7)
        assert (job.cancel_requested, job.cancel_requested_at, job.paused, job.priority) == (True, 12.5, True, 4)
        assert (job.stage, job.epoch, job.epochs_total, job.progress, job.settings) == ("x", 2, 9, 0.25, {"b": 2})
        session.add_all(Job(kind=kind, settings={}, created_by=1) for kind in (JobKind.EXPLAIN, JobKind.PROBE))
        job.gpus.append(HeldGpu(host="here", gpu="GPU-1"))
    with pytest.raises(IntegrityError), store.writing() as session:
        session.add(HeldGpu(host="here", gpu="GPU-1", job_id=8))
    store.close()


def test_versions_of_an_older_store_do_not_say_whether_an_absence_was_confirmed(tmp_path: Path) -> None:
    engine = old_store(tmp_path, revision="0001", rows=OLD_ROWS)
    before = upgrade_and_lose_nothing(engine)
    assert before["annotation_versions"] == 1
    store = Store.open(Settings(data_dir=tmp_path))
    with store.writing() as session:
        version = session.scalars(select(AnnotationVersion)).one()
        assert version.absence_confirmed is None
        version.absence_confirmed = True
    store.close()


def test_every_constraint_has_a_name() -> None:
    nameless = [
        (table.name, constraint)
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if not constraint.name
    ]
    assert nameless == []


OLD_ROWS = """
INSERT INTO people VALUES (1, 'a', 'A', NULL, 'annotator', 1, 0, NULL, '2026-01-01 00:00:00');
INSERT INTO patients VALUES (1, 'P1', 0, '2026-01-01 00:00:00');
INSERT INTO cases (id, patient_id, colposcopy, simulated, created_at, version)
VALUES (1, 1, 'normal', 0, '2026-01-01 00:00:00', 1);
INSERT INTO images VALUES (1, 1, 'x', 'image/png', 2, 2, 'acetic_acid', NULL, 1, 0, '2026-01-01 00:00:00');
INSERT INTO masks VALUES (1, 'y', 2, 2, 1, x'0103');
INSERT INTO annotations VALUES
(1, 1, 1, 'acetowhite_epithelium', 'submitted', 'd1', 1, 3, NULL, '2026-01-01 00:00:00');
INSERT INTO annotations VALUES (2, 1, 1, 'mosaic', 'draft', 'd2', 1, 1, NULL, '2026-01-01 00:00:00');
INSERT INTO annotation_versions VALUES (1, 1, 1, 1, 1, 'painted', NULL, '', '2026-01-01 00:00:00')
"""

ROWS_WITH_A_HASH = """
INSERT INTO people (id, username, display_name, role, active, failed_sign_ins, created_at)
VALUES (1, 'a', 'A', 'annotator', 1, 0, '2026-01-01 00:00:00');
INSERT INTO patients (id, code, simulated, created_at) VALUES (1, 'P1', 0, '2026-01-01 00:00:00');
INSERT INTO cases (id, patient_id, colposcopy, simulated, created_at, version)
VALUES (1, 1, 'normal', 0, '2026-01-01 00:00:00', 1);
INSERT INTO images (id, case_id, sha256, media_type, width_px, height_px, stage, shows_cervix, simulated, created_at,
perceptual_hash) VALUES (1, 1, 'x', 'image/png', 2, 2, 'lugol', 1, 0, '2026-01-01 00:00:00', 'ffff')
"""

ROWS_OF_LEARNING = """
INSERT INTO people VALUES (1, 'a', 'A', NULL, 'annotator', 1, 0, NULL, '2026-01-01 00:00:00');
INSERT INTO patients VALUES (1, 'P1', 0, '2026-01-01 00:00:00');
INSERT INTO cases (id, patient_id, colposcopy, simulated, created_at, version)
VALUES (1, 1, 'normal', 0, '2026-01-01 00:00:00', 1);
INSERT INTO images VALUES (1, 1, 'x', 'image/png', 2, 2, 'acetic_acid', NULL, 1, 0, '2026-01-01 00:00:00');
INSERT INTO snapshots (id, name, sha256, label_source, rules_version, seed, counts, simulated, created_by, created_at)
VALUES (1, 's', 'z', 'histology', 'r', 0, '{}', 0, 1, '2026-01-01 00:00:00');
INSERT INTO jobs VALUES (1, 'train', 'done', '{}', 1, 1, 3, NULL, NULL, 'h', 7, 0, 'evaluation', 2, 2, 1.0, NULL,
'{"a": 1}', 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2026-01-01 00:00:00');
INSERT INTO jobs VALUES (2, 'predict', 'queued', '{}', NULL, 0, 3, 't', 5.5, NULL, NULL, 1, '', 0, 0, 0.0, 'e',
'{}', 1, '2026-01-01 00:00:00', NULL, NULL);
INSERT INTO job_events VALUES (1, 1, '2026-01-01 00:00:00', 'evaluation', 1, '{}', 'told');
INSERT INTO checkpoints VALUES (1, 'c', 'w', 1, 1, 'histology', 0, '{}', '2026-01-01 00:00:00');
INSERT INTO promotions VALUES (1, 1, 1, 'why', '2026-01-01 00:00:00')
"""

ROWS_OF_A_STUDY = """
INSERT INTO people VALUES (1, 'a', 'A', NULL, 'reader', 1, 0, NULL, '2026-01-01 00:00:00');
INSERT INTO patients VALUES (1, 'P1', 0, '2026-01-01 00:00:00');
INSERT INTO cases (id, patient_id, colposcopy, simulated, created_at, version)
VALUES (1, 1, 'normal', 0, '2026-01-01 00:00:00', 1);
INSERT INTO images VALUES (1, 1, 'x', 'image/png', 2, 2, 'acetic_acid', NULL, 1, 0, '2026-01-01 00:00:00', NULL);
INSERT INTO studies (id, name, question, state, seed, design, created_by, created_at)
VALUES (1, 's', '', 'draft', 0, '{}', 1, '2026-01-01 00:00:00');
INSERT INTO study_cases VALUES (1, 1, 1, 'normal');
INSERT INTO study_readers VALUES (1, 1)
"""

REBUILD_PATIENTS = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "next", "0017", None, None

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
    (folder / "versions" / "next_rebuild.py").write_text(REBUILD_PATIENTS.format(fails=fails))


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


def test_a_store_without_questions_about_images_forgets_its_old_hashes_and_takes_answers(tmp_path: Path) -> None:
    engine = old_store(tmp_path, revision="0013", rows=ROWS_WITH_A_HASH)
    upgrade_and_lose_nothing(engine)
    store = Store.open(Settings(data_dir=tmp_path))
    with store.writing() as session:
        image = session.scalars(select(Image)).one()
        assert (image.perceptual_hash, image.stage_guessed) == (None, False)
        image.perceptual_hash = "0" * 384
        session.add_all(ImageAnswer(image_id=image.id, question=question, answered_by=1) for question in ImageQuestion)
    store.close()
