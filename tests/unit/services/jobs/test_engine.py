import signal
import subprocess
import sys

import pytest

from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.jobs import engine, leases
from colpo_core.services.jobs import files as job_files
from colpo_core.services.jobs.machine import this_machine
from colpo_core.store import Store
from colpo_core.store.tables import Job
from colpo_core.terms import JobState
from tests.support.refusals import refused
from tests.support.store_rows import change
from tests.support.training_runs import queue_training

pytestmark = pytest.mark.usefixtures("placed")

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(120)"


def test_reconcile_takes_up_the_oldest_of_a_kind_and_ends_the_hopeless(
    store: Store, annotator: Caller, snapshot_id: int, placed: list[int]
) -> None:
    first, second, third = (queue_training(annotator, snapshot_id, seed=seed).id for seed in range(3))
    placed.clear()
    with store.writing() as session:
        session.get_one(Job, first).attempt = session.get_one(Job, first).max_attempts
    assert engine.reconcile(store) == [second]
    assert jobs.get_job(annotator, job_id=first).state is JobState.FAILED
    assert jobs.get_job(annotator, job_id=third).state is JobState.QUEUED


def test_reconcile_gives_a_job_that_was_just_placed_time_to_start(annotator: Caller, snapshot_id: int) -> None:
    job = queue_training(annotator, snapshot_id)
    marker = job_files.job_dir(annotator.store, job.id) / "placed"
    marker.parent.mkdir(parents=True)
    marker.touch()
    assert engine.reconcile(annotator.store) == []
    assert engine.reconcile(annotator.store, patience_seconds=0) == [job.id]


def test_reconcile_leaves_a_job_alone_whose_runner_lives(store: Store, annotator: Caller, snapshot_id: int) -> None:
    leases.claim_job(store, queue_training(annotator, snapshot_id).id, host="elsewhere", pid=1)
    assert engine.reconcile(store) == []


def test_a_runner_that_does_not_hear_is_killed_after_the_grace_period(annotator: Caller, snapshot_id: int) -> None:
    job = queue_training(annotator, snapshot_id)
    command = [sys.executable, "-c", DEAF, "run-job", str(job.id)]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE) as deaf:
        try:
            deaf.stdout.readline()
            lease = leases.claim_job(annotator.store, job.id, host=this_machine(), pid=deaf.pid)
            jobs.cancel_job(annotator, job_id=job.id)
            engine.reconcile(annotator.store)
            assert deaf.poll() is None, "it has its time"
            with annotator.store.writing() as session:
                asked_at = leases.database_now(session) - annotator.store.settings.cancel_grace_seconds - 1
                session.get_one(Job, job.id).cancel_requested_at = asked_at
            engine.reconcile(annotator.store)
            assert deaf.wait(10) == -signal.SIGKILL
        finally:
            deaf.kill()
    assert jobs.get_job(annotator, job_id=job.id).state is JobState.CANCELLED
    refused(leases.LeaseLost, lambda: lease.heartbeat())


def test_a_process_that_is_no_runner_is_never_killed(store: Store, annotator: Caller, snapshot_id: int) -> None:
    """The number of a runner that ended may be another process's by now."""
    job = queue_training(annotator, snapshot_id)
    with subprocess.Popen([sys.executable, "-c", DEAF], start_new_session=True, stdout=subprocess.PIPE) as other:
        try:
            other.stdout.readline()
            leases.claim_job(store, job.id, host=this_machine(), pid=other.pid)
            change(store, Job, job.id, cancel_requested=True, cancel_requested_at=1.0)
            engine.reconcile(store)
            assert other.poll() is None
        finally:
            other.kill()
