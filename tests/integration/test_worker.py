"""Jobs in real processes: they outlive who started them, are taken up again after a kill, and stop when told."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from colpo_core.records.jobs.jobs import JobRecord
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.jobs import engine
from colpo_core.services.jobs import files as job_files
from colpo_core.services.models import files as checkpoint_files
from colpo_core.services.models import promotions
from colpo_core.services.models import registry as checkpoints
from colpo_core.services.review import desk as review
from colpo_core.services.review import overlays
from colpo_core.services.training import starting
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, Image, Job, Prediction
from colpo_core.terms import JobKind, JobState
from tests.integration.test_failing_trainings import TINY
from tests.support.processes import run_python, wait_for
from tests.support.snapshots import freeze_cohort

# Stages that take long enough to be killed in.
LONG = replace(TINY, classification_epochs=2000)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", lease_seconds=5.0)


@pytest.fixture
def snapshot_id(store: Store, annotator: Caller) -> int:
    return freeze_cohort(annotator, simulated=True)


@pytest.fixture(autouse=True)
def no_runner_left(store: Store) -> Iterator[None]:
    yield
    with store.reading() as session:
        pids = [job.pid for job in session.query(Job) if job.pid]
    for pid in pids:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pid_of(store: Store, job_id: int) -> int:
    with store.reading() as session:
        pid = session.get_one(Job, job_id).pid
    assert pid is not None
    return pid


def job_of(caller: Caller, job_id: int) -> JobRecord:
    return jobs.get_job(caller, job_id=job_id)


def wait_until_over(caller: Caller, job_id: int) -> JobRecord:
    wait_for(lambda: job_of(caller, job_id).state.is_over, f"the end of job {job_id}")
    return job_of(caller, job_id)


def start_from_a_process_that_ends(store: Store, snapshot_id: int, settings: TrainingSettings) -> int:
    """Start a training the way a web server would that dies right afterwards; returns the job."""
    code = (
        "import json, os, sys\n"
        "from colpo_core.records.training.settings import TrainingSettings\n"
        "from colpo_core.services.common.actors import program_actor\n"
        "from colpo_core.services.common.callers import Caller\n"
        "from colpo_core.services.common.store_access import open_store\n"
        "from colpo_core.services.training.starting import start_training\n"
        "store = open_store()\n"
        "settings = TrainingSettings.from_dict(json.loads(sys.argv[2]))\n"
        "actor = program_actor(store, 'operator')\n"
        "job = start_training(Caller(store, actor), snapshot_id=int(sys.argv[1]), settings=settings)\n"
        "print(job.id, flush=True)\n"
        "assert 'torch' not in sys.modules\n"
        "os._exit(0)\n"
    )
    words = ("-c", code, str(snapshot_id), json.dumps(settings.to_dict()))
    lease_seconds = str(store.settings.lease_seconds)
    done = run_python(store.settings.data_dir, *words, COLPO_LEASE_SECONDS=lease_seconds)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_from_a_snapshot_to_reviewed_predictions(
    store: Store, snapshot_id: int, annotator: Caller, administrator: Caller
) -> None:
    job_id = start_from_a_process_that_ends(store, snapshot_id, TINY)
    for _ in range(4):
        engine.place(store, job_id)
    job = wait_until_over(annotator, job_id)
    assert (job.state, job.error, job.attempt) == (JobState.DONE, None, 1), jobs.job_log(annotator, job_id=job_id)
    assert job.progress == 1.0
    events = jobs.job_events(annotator, job_id=job_id)
    assert {event.stage for event in events if event.figures} >= {
        "segmentation",
        "segmentation without fold 1 of 2",
        "segmentation without fold 2 of 2",
        "classification 3 channels",
        "classification 4 channels",
        "evaluation",
    }
    (checkpoint,) = checkpoints.list_checkpoints(annotator)
    assert (checkpoint.id, checkpoint.job_id, checkpoint.simulated) == (job.result.checkpoint_id, job_id, True)
    checkpoint_files.verify_files(store, checkpoint)
    assert [path.name for path in store.settings.checkpoints_dir.iterdir()] == [checkpoint.name]
    wait_for(lambda: not job_files.work_dir(store, job_id).exists(), "the work folder to be cleared")

    with store.reading() as session:
        damaged = session.get_one(Image, 3)
        store.blobs.path(damaged.sha256).write_bytes(b"damaged")
    promotions.promote_checkpoint(
        administrator, checkpoint_id=checkpoint.id, reason="the first", overrule="a trial with drawings"
    )
    (prediction,) = jobs.list_jobs(annotator, kind=JobKind.PREDICT)
    done = wait_until_over(annotator, prediction.id)
    assert done.state is JobState.DONE, jobs.job_log(annotator, job_id=prediction.id)
    assert done.result.predicted == 11
    assert [image.image_id for image in done.result.failed] == [3]
    queue = review.list_for_review(annotator)
    assert (queue.waiting, queue.checkpoint_name) == (11, checkpoint.name)
    desk = review.open_review(annotator, prediction_id=queue.rows[0].id)
    assert 0 <= desk.prediction.prob_hsil_4ch <= 1
    for name in ("3ch-normal", "4ch-hsil"):
        png = overlays.prediction_map_png(annotator, prediction_id=queue.rows[0].id, name=name)
        assert png.startswith(b"\x89PNG")


def test_a_killed_and_a_frozen_runner_are_replaced_and_finished_stages_kept(
    store: Store, snapshot_id: int, annotator: Caller
) -> None:
    job = starting.start_training(annotator, snapshot_id=snapshot_id, settings=LONG)
    wait_for(lambda: job_of(annotator, job.id).stage == "classification 3 channels", "the second stage")
    first = pid_of(store, job.id)
    assert os.getsid(first) != os.getsid(0)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not is_alive(first), "the runner's death")
    assert not job_of(annotator, job.id).silent, "its lease still runs"
    assert engine.reconcile(store, patience_seconds=0) == [job.id], "its own machine knows that it is gone"
    wait_for(lambda: job_of(annotator, job.id).attempt == 2, "the second runner")
    wait_for(lambda: is_kept(annotator, job.id), "the finished stage to be kept")

    second = pid_of(store, job.id)
    os.kill(second, signal.SIGSTOP)
    wait_for(lambda: job_of(annotator, job.id).silent, "the frozen runner's lease to run out")
    assert engine.reconcile(store, patience_seconds=0) == [job.id]
    wait_for(lambda: job_of(annotator, job.id).attempt == 3, "the third runner")
    wait_for(lambda: not is_alive(second), "the frozen runner to be ended: it may have frozen within a write")
    third = pid_of(store, job.id)
    assert is_alive(third)
    assert job_of(annotator, job.id).state is JobState.RUNNING

    os.kill(third, signal.SIGTERM)
    wait_for(lambda: job_of(annotator, job.id).state is JobState.QUEUED, "the job to be put back")
    assert job_of(annotator, job.id).attempt == 2, "being told to end is no failed attempt"
    wait_for(lambda: not is_alive(third), "the runner's end")

    assert engine.reconcile(store, patience_seconds=0) == [job.id]
    wait_for(lambda: job_of(annotator, job.id).state is JobState.RUNNING, "the fourth runner")
    fourth = pid_of(store, job.id)
    jobs.pause_job(annotator, job_id=job.id)
    wait_for(lambda: job_of(annotator, job.id).state is JobState.QUEUED, "the job to be paused")
    wait_for(lambda: not is_alive(fourth), "the paused runner's end")
    assert job_of(annotator, job.id).word == "paused"
    assert engine.reconcile(store, patience_seconds=0) == [], "it waits for somebody to resume it"
    assert job_of(annotator, job.id).attempt == 2, "a pause is no failed attempt"
    jobs.resume_job(annotator, job_id=job.id)
    wait_for(lambda: job_of(annotator, job.id).state is JobState.RUNNING, "the fifth runner")

    fifth = pid_of(store, job.id)
    jobs.cancel_job(annotator, job_id=job.id)
    assert wait_until_over(annotator, job.id).state is JobState.CANCELLED
    wait_for(lambda: not is_alive(fifth), "the runner's end")
    with store.reading() as session:
        assert session.query(Checkpoint).count() == session.query(Prediction).count() == 0


def is_kept(caller: Caller, job_id: int) -> bool:
    events = jobs.job_events(caller, job_id=job_id)
    return any("segmentation" in event.message and "kept" in event.message for event in events)


def test_a_second_training_waits_and_follows_by_itself(store: Store, snapshot_id: int, annotator: Caller) -> None:
    first = starting.start_training(annotator, snapshot_id=snapshot_id, settings=LONG)
    wait_for(lambda: job_of(annotator, first.id).state is JobState.RUNNING, "the first to run")
    second = starting.start_training(annotator, snapshot_id=snapshot_id, settings=TINY)
    with store.writing() as session:
        # What it would fail by shows without the minute that a training takes that it was taken up by itself.
        session.get_one(Job, second.id).settings = {"unknown": 1}
    assert job_of(annotator, second.id).state is JobState.QUEUED
    jobs.cancel_job(annotator, job_id=first.id)
    over = wait_until_over(annotator, second.id)
    assert job_of(annotator, first.id).state is JobState.CANCELLED
    assert over.state is JobState.FAILED
    assert "unknown to this version: unknown" in (over.error or "")


def test_an_unknown_job_ends_with_a_sentence(store: Store) -> None:
    done = run_python(store.settings.data_dir, "-m", "colpo_core", "run-job", "77")
    assert done.returncode == 2
    assert "There is no job 77" in done.stderr
