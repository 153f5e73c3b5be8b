import json
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from colpo_core.errors import CheckpointMismatch, Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.nets.card import file_sha256, seal_card
from colpo_core.records.jobs.results import TrainingResult
from colpo_core.records.models.card_seal import CARD_FILE, WEIGHTS_FILE
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.jobs import files as job_files
from colpo_core.services.jobs.leases import Finish, Lease, claim_job
from colpo_core.services.models import promotions
from colpo_core.services.models import registry as checkpoints
from colpo_core.services.models import registry as models_registry
from colpo_core.services.models.files import prepare_files, verify_files
from colpo_core.services.models.registry import publish_checkpoint
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots.freezing import SnapshotQuery
from colpo_core.services.snapshots.learned import learned_patients
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, Job
from colpo_core.terms import JobKind, JobState, Split
from tests.support.clinic import Clinic
from tests.support.refusals import refused
from tests.support.snapshots import manifest_of
from tests.support.store_rows import change


@pytest.fixture
def snapshot_id(store: Store, annotator: Caller) -> int:
    Clinic(store).add_cohort(6, simulated=True)
    return freezing.freeze_snapshot(annotator, query=SnapshotQuery("first")).id


def write_folder(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    (folder / WEIGHTS_FILE).write_bytes(b"weights of " + name.encode())
    card = {"name": name, "format_version": 1, "weights_sha256": file_sha256(folder / WEIGHTS_FILE)}
    (folder / CARD_FILE).write_text(json.dumps(seal_card(card)))
    return folder


def claimed(caller: Caller, snapshot_id: int) -> Lease:
    with caller.store.writing() as session:
        job = Job(kind=JobKind.TRAIN, settings={}, snapshot_id=snapshot_id, created_by=caller.person_id)
        session.add(job)
        session.flush()
    lease = claim_job(caller.store, job.id, host="here", pid=1)
    assert lease is not None
    return lease


def publishing(store: Store, prepared: Path) -> Finish:
    def finish(session: Session, job: Job) -> TrainingResult:
        checkpoint = publish_checkpoint(session, store, job=job, prepared=prepared)
        return TrainingResult(checkpoint.id, checkpoint.name)

    return finish


def publish(caller: Caller, snapshot_id: int, name: str) -> int:
    lease = claimed(caller, snapshot_id)
    folder = write_folder(job_files.work_dir(caller.store, lease.job_id) / "checkpoint", name)
    lease.complete(publishing(caller.store, prepare_files(caller.store, job_id=lease.job_id, folder=folder)))
    return jobs.get_job(caller, job_id=lease.job_id).result.checkpoint_id


def test_a_published_checkpoint_is_whole_and_in_the_registry(store: Store, annotator: Caller, snapshot_id: int) -> None:
    checkpoint_id = publish(annotator, snapshot_id, "one")
    (found,) = models_registry.list_checkpoints(annotator)
    assert found == models_registry.get_checkpoint(annotator, checkpoint_id=checkpoint_id)
    assert found == models_registry.find_checkpoint(annotator, name="one")
    assert (found.name, found.snapshot_name, found.simulated, found.is_current) == ("one", "first", True, False)
    verify_files(store, found)
    assert models_registry.current_checkpoint(store) is None
    items = manifest_of(store, snapshot_id).items
    with store.reading() as session:
        assert learned_patients(session, checkpoint_id) == {
            item.patient_id for item in items if item.split is not Split.TEST
        }


def test_a_crash_before_the_registry_knows_loses_nothing(store: Store, annotator: Caller, snapshot_id: int) -> None:
    lease = claimed(annotator, snapshot_id)
    folder = write_folder(job_files.work_dir(store, lease.job_id) / "checkpoint", "one")

    def crash(session, job):  # noqa: ANN001, ANN202
        publish_checkpoint(session, store, job=job, prepared=prepare_files(store, job_id=job.id, folder=folder))
        raise MemoryError

    refused(MemoryError, lambda: lease.complete(crash))
    assert models_registry.list_checkpoints(annotator) == ()
    assert jobs.get_job(annotator, job_id=lease.job_id).state is JobState.RUNNING
    lease.complete(publishing(store, prepare_files(store, job_id=lease.job_id, folder=folder)))
    (found,) = models_registry.list_checkpoints(annotator)
    verify_files(store, found)
    assert [path.name for path in store.settings.checkpoints_dir.iterdir()] == ["one"]


def test_two_checkpoints_of_one_name_do_not_overwrite_each_other(annotator: Caller, snapshot_id: int) -> None:
    publish(annotator, snapshot_id, "one")
    publish(annotator, snapshot_id, "one")
    assert sorted([one.name for one in models_registry.list_checkpoints(annotator)]) == ["one", "one-2"]


def test_a_promotion_makes_the_current_model_and_starts_its_predictions(
    store: Store, annotator: Caller, administrator: Caller, snapshot_id: int, placed: list[int]
) -> None:
    first = publish(annotator, snapshot_id, "one")
    second = publish(annotator, snapshot_id, "two")
    for checkpoint_id in (first, second, first):
        promoted = promotions.promote_checkpoint(
            administrator, checkpoint_id=checkpoint_id, reason=" it is better ", overrule="a trial"
        )
        assert promoted.is_current
        assert models_registry.current_checkpoint(store) == promoted
    history = promotions.list_promotions(annotator)
    assert [(one.checkpoint_name, one.reason, one.promoted_by) for one in history] == [
        ("one", "it is better Overruled: a trial", "Ada"),
        ("two", "it is better Overruled: a trial", "Ada"),
        ("one", "it is better Overruled: a trial", "Ada"),
    ]
    predictions = jobs.list_jobs(annotator, kind=JobKind.PREDICT)
    assert [(job.settings.checkpoint_id, job.settings.n_images) for job in reversed(predictions)] == [
        (first, 6),
        (second, 6),
    ], "rolling back does not predict again what already waits"
    assert placed == [job.id for job in reversed(predictions)]


def test_a_promotion_needs_an_administrator_a_reason_and_whole_files(
    store: Store, annotator: Caller, administrator: Caller, reader: Caller, snapshot_id: int, placed: list[int]
) -> None:
    checkpoint_id = publish(annotator, snapshot_id, "one")
    for caller in (annotator, reader):
        with pytest.raises(PermissionDenied):
            promotions.promote_checkpoint(caller, checkpoint_id=checkpoint_id, reason="mine")
    with pytest.raises(InputRejected, match="why"):
        promotions.promote_checkpoint(administrator, checkpoint_id=checkpoint_id, reason="  ")
    refused(NotFound, lambda: promotions.promote_checkpoint(administrator, checkpoint_id=44, reason="good"))
    weights = store.settings.checkpoints_dir / "one" / WEIGHTS_FILE
    whole = weights.read_bytes()
    weights.write_bytes(b"others")
    with pytest.raises(CheckpointMismatch, match="back-up"):
        promotions.promote_checkpoint(administrator, checkpoint_id=checkpoint_id, reason="good", overrule="a trial")
    weights.unlink()
    with pytest.raises(CheckpointMismatch):
        promotions.promote_checkpoint(administrator, checkpoint_id=checkpoint_id, reason="good", overrule="a trial")
    assert models_registry.current_checkpoint(store) is None
    weights.write_bytes(whole)
    promotions.promote_checkpoint(administrator, checkpoint_id=checkpoint_id, reason="good", overrule="a trial")
    with pytest.raises(Conflict, match="already"):
        promotions.promote_checkpoint(administrator, checkpoint_id=checkpoint_id, reason="again")
    assert len(placed) == 1


def test_another_checkpoint_in_the_folder_is_told(store: Store, annotator: Caller, snapshot_id: int) -> None:
    checkpoint_id = publish(annotator, snapshot_id, "one")
    change(store, Checkpoint, checkpoint_id, sha256="0" * 64)
    found = checkpoints.get_checkpoint(annotator, checkpoint_id=checkpoint_id)
    refused(CheckpointMismatch, lambda: verify_files(store, found), match="not the ones")


def test_readers_see_no_checkpoint(reader: Caller) -> None:
    refused(
        PermissionDenied,
        lambda: models_registry.list_checkpoints(reader),
        lambda: models_registry.get_checkpoint(reader, checkpoint_id=1),
        lambda: models_registry.find_checkpoint(reader, name="one"),
        lambda: promotions.list_promotions(reader),
    )
