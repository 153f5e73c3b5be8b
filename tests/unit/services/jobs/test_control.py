import pytest

from colpo_core.errors import Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.records.jobs.results import TrainingResult
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.jobs import engine, leases
from colpo_core.services.jobs import files as job_files
from colpo_core.services.models import predicting
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots.freezing import SnapshotQuery
from colpo_core.services.training import starting
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Job, JobEvent
from colpo_core.terms import JobKind, JobState
from tests.support.clinic import Clinic
from tests.support.refusals import refused
from tests.support.store_rows import change, count
from tests.support.training_runs import queue_training

pytestmark = pytest.mark.usefixtures("placed")

SETTINGS = TrainingSettings()


def test_a_training_waits_in_the_queue_and_is_placed(annotator: Caller, snapshot_id: int, placed: list[int]) -> None:
    job = queue_training(annotator, snapshot_id)
    assert (job.kind, job.state, job.snapshot_id, job.created_by) == (
        JobKind.TRAIN,
        JobState.QUEUED,
        snapshot_id,
        "Anna",
    )
    assert job.settings == SETTINGS
    assert placed == [job.id]
    assert count(annotator, AuditEntry, action="start training", subject=f"job {job.id}") == 1


def test_the_same_training_is_not_queued_twice(annotator: Caller, snapshot_id: int) -> None:
    job = queue_training(annotator, snapshot_id)
    refused(Conflict, lambda: queue_training(annotator, snapshot_id), match=f"job {job.id}")
    assert queue_training(annotator, snapshot_id, seed=1).id != job.id


def test_a_training_that_cannot_go_is_refused_at_once(clinic: Clinic, annotator: Caller, placed: list[int]) -> None:
    for _ in range(4):
        clinic.add_case(masked=False)
    snapshot = freezing.freeze_snapshot(annotator, query=SnapshotQuery("poor"))
    refused(InputRejected, lambda: queue_training(annotator, snapshot.id), match="No submitted mask")
    refused(NotFound, lambda: queue_training(annotator, 999))
    assert placed == []
    assert jobs.list_jobs(annotator) == ()


def test_readers_see_and_start_nothing(reader: Caller, annotator: Caller, snapshot_id: int) -> None:
    job = queue_training(annotator, snapshot_id)
    refused(
        PermissionDenied,
        lambda: queue_training(reader, snapshot_id),
        lambda: predicting.start_prediction(reader),
        lambda: jobs.list_jobs(reader),
        lambda: jobs.get_job(reader, job_id=job.id),
        lambda: jobs.job_events(reader, job_id=job.id),
        lambda: jobs.job_log(reader, job_id=job.id),
        lambda: jobs.cancel_job(reader, job_id=job.id),
        lambda: starting.run_again(reader, job_id=job.id),
    )


def test_a_waiting_job_is_cancelled_at_once_and_can_be_run_again(
    annotator: Caller, snapshot_id: int, placed: list[int]
) -> None:
    job = queue_training(annotator, snapshot_id)
    assert jobs.cancel_job(annotator, job_id=job.id).state is JobState.CANCELLED
    refused(Conflict, lambda: jobs.cancel_job(annotator, job_id=job.id), match="already cancelled")
    again = starting.run_again(annotator, job_id=job.id)
    assert (again.state, again.cancel_requested, again.finished_at) == (JobState.QUEUED, False, None)
    assert placed == [job.id, job.id]
    refused(Conflict, lambda: starting.run_again(annotator, job_id=job.id), match="queued")


def test_a_running_job_is_asked_to_stop(store: Store, annotator: Caller, snapshot_id: int) -> None:
    job = queue_training(annotator, snapshot_id)
    lease = leases.claim_job(store, job.id, host="elsewhere", pid=1)
    asked = jobs.cancel_job(annotator, job_id=job.id)
    assert (asked.state, asked.cancel_requested, asked.silent) == (JobState.RUNNING, True, False)
    assert lease.heartbeat() is leases.Wish.CANCEL


def test_a_job_whose_runner_is_silent_says_so_and_is_cancelled_at_once(annotator: Caller, snapshot_id: int) -> None:
    job = queue_training(annotator, snapshot_id)
    lease = leases.claim_job(annotator.store, job.id, host="elsewhere", pid=1)
    change(annotator, Job, job.id, lease_until=0.0)
    assert jobs.get_job(annotator, job_id=job.id).silent
    assert jobs.cancel_job(annotator, job_id=job.id).state is JobState.CANCELLED
    refused(leases.LeaseLost, lambda: lease.heartbeat())


def test_events_come_after_the_one_that_was_seen(store: Store, annotator: Caller, snapshot_id: int) -> None:
    job = queue_training(annotator, snapshot_id)
    with store.writing() as session:
        for epoch in range(3):
            session.add(JobEvent(job_id=job.id, stage="segmentation", epoch=epoch, figures={"train_loss": 0.5}))
    events = jobs.job_events(annotator, job_id=job.id)
    assert [event.epoch for event in events] == [0, 1, 2]
    assert [event.epoch for event in jobs.job_events(annotator, job_id=job.id, after_id=events[1].id)] == [2]


def test_the_log_is_its_end(store: Store, annotator: Caller, snapshot_id: int) -> None:
    job = queue_training(annotator, snapshot_id)
    assert jobs.job_log(annotator, job_id=job.id) == ""
    path = job_files.log_path(store, job.id)
    path.parent.mkdir(parents=True)
    path.write_text("x" * 50_000 + "the end")
    log = jobs.job_log(annotator, job_id=job.id)
    assert log.endswith("the end")
    assert len(log) == 20_000


def test_a_running_job_that_is_paused_is_put_back_and_waits_to_be_resumed(
    store: Store, annotator: Caller, snapshot_id: int, placed: list[int]
) -> None:
    job = queue_training(annotator, snapshot_id)
    lease = leases.claim_job(store, job.id, host="elsewhere", pid=1)
    assert jobs.pause_job(annotator, job_id=job.id).word == "pausing"
    assert lease.heartbeat() is leases.Wish.PAUSE
    lease.give_back()
    assert jobs.get_job(annotator, job_id=job.id).word == "paused"
    placed.clear()
    assert engine.reconcile(store, patience_seconds=0) == []
    assert leases.claim_job(store, job.id, host="here", pid=2) is None
    refused(Conflict, lambda: jobs.pause_job(annotator, job_id=job.id), match="paused already")
    assert jobs.resume_job(annotator, job_id=job.id).word == "queued"
    assert placed == [job.id]
    refused(Conflict, lambda: jobs.resume_job(annotator, job_id=job.id), match="not paused")
    assert leases.claim_job(store, job.id, host="here", pid=2) is not None


def test_a_job_that_was_moved_to_the_front_is_the_next(store: Store, annotator: Caller, snapshot_id: int) -> None:
    first, second, third = (queue_training(annotator, snapshot_id, seed=seed).id for seed in range(3))
    assert jobs.move_to_front(annotator, job_id=third).priority == 1
    assert engine.reconcile(store, patience_seconds=0) == [third]
    assert jobs.move_to_front(annotator, job_id=second).priority == 2
    assert engine.reconcile(store, patience_seconds=0) == [second]
    jobs.pause_job(annotator, job_id=second)
    assert engine.reconcile(store, patience_seconds=0) == [third]
    leases.claim_job(store, third, host="elsewhere", pid=1)
    refused(Conflict, lambda: jobs.move_to_front(annotator, job_id=third), match="runs already")
    jobs.cancel_job(annotator, job_id=first)
    refused(Conflict, lambda: jobs.move_to_front(annotator, job_id=first), match="over")


def test_a_finished_training_is_run_again_as_another_job_with_its_settings(annotator: Caller, snapshot_id: int) -> None:
    job = queue_training(annotator, snapshot_id, seed=5)
    lease = leases.claim_job(annotator.store, job.id, host="elsewhere", pid=1)
    lease.complete(lambda _session, _job: TrainingResult(1, "first"))
    again = starting.run_again(annotator, job_id=job.id)
    assert (again.id != job.id, again.state, again.settings) == (True, JobState.QUEUED, job.settings)
    assert jobs.get_job(annotator, job_id=job.id).state is JobState.DONE
    assert jobs.jobs_under_way(annotator) == {again.id}
