import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from colpo_core.errors import CheckpointMismatch, Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.records.jobs.jobs import JobRecord
from colpo_core.records.jobs.results import TrainingResult
from colpo_core.records.jobs.settings import write_settings
from colpo_core.records.people import Actor
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.jobs import engine, leases
from colpo_core.services.jobs import files as job_files
from colpo_core.services.jobs.machine import this_machine
from colpo_core.services.models import predicting
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots.freezing import SnapshotQuery
from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.services.training import starting
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Checkpoint, Job, JobEvent, Mask, Prediction, Promotion
from colpo_core.terms import JobKind, JobState, LabelSource, Stage
from tests.support.clinic import Clinic

SETTINGS = TrainingSettings()


@pytest.fixture
def snapshot_id(store: Store, clinic: Clinic, annotator: Actor) -> int:
    clinic.add_cohort(8)
    return freezing.freeze_snapshot(Caller(store, annotator), query=SnapshotQuery("first")).id


def start(store: Store, actor: Actor, snapshot_id: int, **changes: object) -> JobRecord:
    return starting.start_training(Caller(store, actor), snapshot_id=snapshot_id, settings=replace(SETTINGS, **changes))


def add_checkpoint(store: Store, snapshot_id: int, name: str = "model", promoted_by: int | None = None) -> int:
    with store.writing() as session:
        checkpoint = Checkpoint(
            name=name, sha256="a" * 64, snapshot_id=snapshot_id, label_source=LabelSource.HISTOLOGY, card={}
        )
        session.add(checkpoint)
        session.flush()
        if promoted_by:
            session.add(Promotion(checkpoint_id=checkpoint.id, promoted_by=promoted_by, reason="best"))
    fill_learned(store)
    return checkpoint.id


def add_prediction(store: Store, image_id: int, checkpoint_id: int) -> int:
    with store.writing() as session:
        prediction = Prediction(
            image_id=image_id,
            checkpoint_id=checkpoint_id,
            prob_hsil_3ch=0.5,
            prob_hsil_4ch=0.5,
            threshold_3ch=0.5,
            threshold_4ch=0.5,
            acetowhite_fraction=0.0,
            mask_id=session.query(Mask.id).first()[0],
            maps_sha256="b" * 64,
        )
        session.add(prediction)
        session.flush()
        return prediction.id


def test_a_training_waits_in_the_queue_and_is_placed(
    store: Store, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    job = start(store, annotator, snapshot_id)
    assert (job.kind, job.state, job.snapshot_id, job.created_by) == (
        JobKind.TRAIN,
        JobState.QUEUED,
        snapshot_id,
        "Anna",
    )
    assert job.settings == SETTINGS
    assert placed == [job.id]
    with store.reading() as session:
        assert session.query(AuditEntry).filter_by(action="start training", subject=f"job {job.id}").count() == 1


def test_the_same_training_is_not_queued_twice(
    store: Store, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    job = start(store, annotator, snapshot_id)
    with pytest.raises(Conflict, match=f"job {job.id}"):
        start(store, annotator, snapshot_id)
    assert start(store, annotator, snapshot_id, seed=1).id != job.id


def test_a_training_that_cannot_go_is_refused_at_once(
    store: Store, clinic: Clinic, annotator: Actor, placed: list[int]
) -> None:
    for _ in range(4):
        clinic.add_case(masked=False)
    snapshot = freezing.freeze_snapshot(Caller(store, annotator), query=SnapshotQuery("poor"))
    with pytest.raises(InputRejected, match="No submitted mask"):
        start(store, annotator, snapshot.id)
    with pytest.raises(NotFound):
        start(store, annotator, 999)
    assert placed == []
    assert jobs.list_jobs(Caller(store, annotator)) == ()


def test_readers_see_and_start_nothing(
    store: Store, reader: Actor, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    job = start(store, annotator, snapshot_id)
    for deed in (
        lambda: start(store, reader, snapshot_id),
        lambda: predicting.start_prediction(Caller(store, reader)),
        lambda: jobs.list_jobs(Caller(store, reader)),
        lambda: jobs.get_job(Caller(store, reader), job_id=job.id),
        lambda: jobs.job_events(Caller(store, reader), job_id=job.id),
        lambda: jobs.job_log(Caller(store, reader), job_id=job.id),
        lambda: jobs.cancel_job(Caller(store, reader), job_id=job.id),
        lambda: starting.run_again(Caller(store, reader), job_id=job.id),
    ):
        with pytest.raises(PermissionDenied):
            deed()


def test_a_waiting_job_is_cancelled_at_once_and_can_be_run_again(
    store: Store, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    job = start(store, annotator, snapshot_id)
    assert jobs.cancel_job(Caller(store, annotator), job_id=job.id).state is JobState.CANCELLED
    with pytest.raises(Conflict, match="already cancelled"):
        jobs.cancel_job(Caller(store, annotator), job_id=job.id)
    again = starting.run_again(Caller(store, annotator), job_id=job.id)
    assert (again.state, again.cancel_requested, again.finished_at) == (JobState.QUEUED, False, None)
    assert placed == [job.id, job.id]
    with pytest.raises(Conflict, match="queued"):
        starting.run_again(Caller(store, annotator), job_id=job.id)


def test_a_running_job_is_asked_to_stop(store: Store, annotator: Actor, snapshot_id: int, placed: list[int]) -> None:
    job = start(store, annotator, snapshot_id)
    lease = leases.claim_job(store, job.id, host="elsewhere", pid=1)
    asked = jobs.cancel_job(Caller(store, annotator), job_id=job.id)
    assert (asked.state, asked.cancel_requested, asked.silent) == (JobState.RUNNING, True, False)
    assert lease.heartbeat() is leases.Wish.CANCEL


def test_a_job_whose_runner_is_silent_says_so_and_is_cancelled_at_once(
    store: Store, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    job = start(store, annotator, snapshot_id)
    lease = leases.claim_job(store, job.id, host="elsewhere", pid=1)
    with store.writing() as session:
        session.get_one(Job, job.id).lease_until = 0.0
    assert jobs.get_job(Caller(store, annotator), job_id=job.id).silent
    assert jobs.cancel_job(Caller(store, annotator), job_id=job.id).state is JobState.CANCELLED
    with pytest.raises(leases.LeaseLost):
        lease.heartbeat()


def test_reconcile_takes_up_the_oldest_of_a_kind_and_ends_the_hopeless(
    store: Store, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    first, second, third = (start(store, annotator, snapshot_id, seed=seed).id for seed in range(3))
    placed.clear()
    with store.writing() as session:
        session.get_one(Job, first).attempt = session.get_one(Job, first).max_attempts
    assert engine.reconcile(store) == [second]
    assert jobs.get_job(Caller(store, annotator), job_id=first).state is JobState.FAILED
    assert jobs.get_job(Caller(store, annotator), job_id=third).state is JobState.QUEUED


def test_reconcile_gives_a_job_that_was_just_placed_time_to_start(
    store: Store, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    job = start(store, annotator, snapshot_id)
    marker = job_files.job_dir(store, job.id) / "placed"
    marker.parent.mkdir(parents=True)
    marker.touch()
    assert engine.reconcile(store) == []
    assert engine.reconcile(store, patience_seconds=0) == [job.id]


def test_reconcile_leaves_a_job_alone_whose_runner_lives(
    store: Store, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    leases.claim_job(store, start(store, annotator, snapshot_id).id, host="elsewhere", pid=1)
    assert engine.reconcile(store) == []


def test_events_come_after_the_one_that_was_seen(
    store: Store, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    job = start(store, annotator, snapshot_id)
    with store.writing() as session:
        for epoch in range(3):
            session.add(JobEvent(job_id=job.id, stage="segmentation", epoch=epoch, figures={"train_loss": 0.5}))
    events = jobs.job_events(Caller(store, annotator), job_id=job.id)
    assert [event.epoch for event in events] == [0, 1, 2]
    later = jobs.job_events(Caller(store, annotator), job_id=job.id, after_id=events[1].id)
    assert [event.epoch for event in later] == [2]


def test_the_log_is_its_end(store: Store, annotator: Actor, snapshot_id: int, placed: list[int]) -> None:
    job = start(store, annotator, snapshot_id)
    assert jobs.job_log(Caller(store, annotator), job_id=job.id) == ""
    path = job_files.log_path(store, job.id)
    path.parent.mkdir(parents=True)
    path.write_text("x" * 50_000 + "the end")
    log = jobs.job_log(Caller(store, annotator), job_id=job.id)
    assert log.endswith("the end")
    assert len(log) == 20_000


def test_a_prediction_covers_what_is_not_predicted_yet(
    store: Store, clinic: Clinic, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    clinic.add_case(stage=Stage.LUGOL)
    clinic.add_case(shows_cervix=False)
    checkpoint_id = add_checkpoint(store, snapshot_id, promoted_by=annotator.person_id)
    add_prediction(store, 1, checkpoint_id)
    job = predicting.start_prediction(Caller(store, annotator))
    assert write_settings(job.settings) == {
        "checkpoint_id": checkpoint_id, "image_ids": None, "n_images": 7, "after_image_id": 1, "up_to_image_id": 8,
    }  # fmt: skip
    assert placed == [job.id]
    assert predicting.start_prediction(Caller(store, annotator)) is None
    jobs.cancel_job(Caller(store, annotator), job_id=job.id)
    assert predicting.start_prediction(Caller(store, annotator), image_ids=[1, 2]).settings.image_ids == (2,)


def test_a_prediction_names_what_is_wrong(
    store: Store, clinic: Clinic, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    with pytest.raises(CheckpointMismatch, match="promoted"):
        predicting.start_prediction(Caller(store, annotator))
    checkpoint_id = add_checkpoint(store, snapshot_id)
    lugol = clinic.add_case(stage=Stage.LUGOL).image_id
    hidden = clinic.add_case(shows_cervix=False).image_id
    for image_ids, error, words in (
        ([999], NotFound, "no image 999"),
        ([lugol], InputRejected, "acetic acid"),
        ([hidden], InputRejected, "not showing"),
        ([], InputRejected, "at least one"),
    ):
        with pytest.raises(error, match=words):
            predicting.start_prediction(Caller(store, annotator), image_ids=image_ids, checkpoint_id=checkpoint_id)
    with pytest.raises(NotFound):
        predicting.start_prediction(Caller(store, annotator), checkpoint_id=77)
    assert placed == []


def test_a_running_job_that_is_paused_is_put_back_and_waits_to_be_resumed(
    store: Store, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    job = start(store, annotator, snapshot_id)
    lease = leases.claim_job(store, job.id, host="elsewhere", pid=1)
    assert lease is not None
    assert jobs.pause_job(Caller(store, annotator), job_id=job.id).word == "pausing"
    assert lease.heartbeat() is leases.Wish.PAUSE
    lease.give_back()
    assert jobs.get_job(Caller(store, annotator), job_id=job.id).word == "paused"
    placed.clear()
    assert engine.reconcile(store, patience_seconds=0) == []
    assert leases.claim_job(store, job.id, host="here", pid=2) is None
    with pytest.raises(Conflict, match="paused already"):
        jobs.pause_job(Caller(store, annotator), job_id=job.id)
    assert jobs.resume_job(Caller(store, annotator), job_id=job.id).word == "queued"
    assert placed == [job.id]
    with pytest.raises(Conflict, match="not paused"):
        jobs.resume_job(Caller(store, annotator), job_id=job.id)
    assert leases.claim_job(store, job.id, host="here", pid=2) is not None


def test_a_job_that_was_moved_to_the_front_is_the_next(
    store: Store, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    first, second, third = (start(store, annotator, snapshot_id, seed=seed).id for seed in range(3))
    assert jobs.move_to_front(Caller(store, annotator), job_id=third).priority == 1
    assert engine.reconcile(store, patience_seconds=0) == [third]
    assert jobs.move_to_front(Caller(store, annotator), job_id=second).priority == 2
    assert engine.reconcile(store, patience_seconds=0) == [second]
    jobs.pause_job(Caller(store, annotator), job_id=second)
    assert engine.reconcile(store, patience_seconds=0) == [third]
    leases.claim_job(store, third, host="elsewhere", pid=1)
    with pytest.raises(Conflict, match="runs already"):
        jobs.move_to_front(Caller(store, annotator), job_id=third)
    jobs.cancel_job(Caller(store, annotator), job_id=first)
    with pytest.raises(Conflict, match="over"):
        jobs.move_to_front(Caller(store, annotator), job_id=first)


def test_a_finished_training_is_run_again_as_another_job_with_its_settings(
    store: Store, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    job = start(store, annotator, snapshot_id, seed=5)
    lease = leases.claim_job(store, job.id, host="elsewhere", pid=1)
    assert lease is not None
    lease.complete(lambda _session, _job: TrainingResult(1, "first"))
    again = starting.run_again(Caller(store, annotator), job_id=job.id)
    assert (again.id != job.id, again.state, again.settings) == (True, JobState.QUEUED, job.settings)
    assert jobs.get_job(Caller(store, annotator), job_id=job.id).state is JobState.DONE
    assert jobs.jobs_under_way(Caller(store, annotator)) == {again.id}


DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(120)"


def test_a_runner_that_does_not_hear_is_killed_after_the_grace_period(
    store: Store, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    job = start(store, annotator, snapshot_id)
    command = [sys.executable, "-c", DEAF, "run-job", str(job.id)]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE) as deaf:
        try:
            assert deaf.stdout is not None
            deaf.stdout.readline()
            lease = leases.claim_job(store, job.id, host=this_machine(), pid=deaf.pid)
            jobs.cancel_job(Caller(store, annotator), job_id=job.id)
            engine.reconcile(store)
            assert deaf.poll() is None, "it has its time"
            with store.writing() as session:
                asked_at = leases.database_now(session) - store.settings.cancel_grace_seconds - 1
                session.get_one(Job, job.id).cancel_requested_at = asked_at
            engine.reconcile(store)
            assert deaf.wait(10) == -signal.SIGKILL
        finally:
            deaf.kill()
    assert jobs.get_job(Caller(store, annotator), job_id=job.id).state is JobState.CANCELLED
    with pytest.raises(leases.LeaseLost):
        lease.heartbeat()


def test_a_process_that_is_no_runner_is_never_killed(
    store: Store, annotator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    """The number of a runner that ended may be another process's by now."""
    job = start(store, annotator, snapshot_id)
    with subprocess.Popen([sys.executable, "-c", DEAF], start_new_session=True, stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            other.stdout.readline()
            leases.claim_job(store, job.id, host=this_machine(), pid=other.pid)
            with store.writing() as session:
                row = session.get_one(Job, job.id)
                row.cancel_requested, row.cancel_requested_at = True, 1.0
            engine.reconcile(store)
            assert other.poll() is None
        finally:
            other.kill()


def test_a_large_prediction_is_shared_out_where_several_jobs_run_at_once(
    store: Store, annotator: Actor, administrator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    checkpoint_id = add_checkpoint(store, snapshot_id, promoted_by=administrator.person_id)
    several = Store(replace(store.settings, gpus=("GPU-a", "GPU-b"), shard_images=3), store._reader)
    first = predicting.start_prediction(Caller(several, annotator))
    assert first is not None
    (progress,) = predicting.predictions_under_way(Caller(several, annotator))
    assert (progress.job_id, progress.n_jobs, progress.n_images, progress.n_done) == (first.id, 3, 8, 0)
    assert progress.checkpoint_id == checkpoint_id
    assert placed == list(progress.job_ids)
    assert predicting.start_prediction(Caller(several, annotator)) is None, "every image is somebody's"
    with store.writing() as session:
        done, runs, waits = (session.get_one(Job, job_id) for job_id in progress.job_ids)
        done.state, runs.state, runs.epoch = JobState.DONE, JobState.RUNNING, 1
        done.result = {"predicted": 2, "failed": [{"image_id": 1, "reason": "damaged"}]}
        for speed in (1.0, 4.0):
            session.add(JobEvent(job_id=runs.id, stage="prediction", epoch=1, figures={"images_per_second": speed}))
        session.add(JobEvent(job_id=runs.id, stage="prediction", epoch=1, message="Image 5 was not predicted."))
    (progress,) = predicting.predictions_under_way(Caller(store, annotator))
    assert (progress.n_done, progress.n_running, progress.images_per_second) == (4, 1, 4.0)
    assert (progress.share, progress.seconds_left) == (0.5, 1.0)
    with store.writing() as session:
        for job_id, state in ((runs.id, JobState.DONE), (waits.id, JobState.FAILED)):
            session.get_one(Job, job_id).state = state
    assert predicting.predictions_under_way(Caller(store, annotator)) == ()
    assert [job.state.value for job in predicting.last_prediction(Caller(store, annotator))] == [
        "done",
        "done",
        "failed",
    ]


def test_one_machine_without_several_gpus_predicts_in_one_job(
    store: Store, annotator: Actor, administrator: Actor, snapshot_id: int, placed: list[int]
) -> None:
    assert predicting.last_prediction(Caller(store, annotator)) == ()
    add_checkpoint(store, snapshot_id, promoted_by=administrator.person_id)
    alone = Store(replace(store.settings, gpus=("GPU-a",), shard_images=3), store._reader)
    job = predicting.start_prediction(Caller(alone, annotator))
    assert job is not None
    assert placed == [job.id]
    assert [one.id for one in predicting.last_prediction(Caller(store, annotator))] == [job.id]
    (progress,) = predicting.predictions_under_way(Caller(store, annotator))
    assert (progress.n_jobs, progress.n_images, progress.seconds_left) == (1, 8, None)
