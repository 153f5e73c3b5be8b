import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from colpo_core.errors import NotFound
from colpo_core.records.jobs.results import EvaluationResult
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs.leases import Heartbeats, Lease, LeaseLost, claim_job, database_now
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Job, JobEvent
from colpo_core.terms import JobKind, JobState
from tests.support.refusals import refused
from tests.support.store_rows import add, change, count, get


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", lease_seconds=0.8)


def add_job(caller: Caller, kind: JobKind = JobKind.TRAIN, **values: object) -> int:
    return add(caller.store, Job(kind=kind, settings={}, created_by=caller.person_id, **values))


def claim(store: Store, job_id: int, pid: int = 1) -> Lease | None:
    return claim_job(store, job_id, host="here", pid=pid)


def let_run_out(store: Store, job_id: int) -> None:
    with store.writing() as session:
        session.get_one(Job, job_id).lease_until = database_now(session) - 1


def test_of_ten_runners_exactly_one_gets_a_job(store: Store, annotator: Caller) -> None:
    job_id = add_job(annotator)
    barrier = threading.Barrier(10)

    def race(pid: int) -> Lease | None:
        barrier.wait()
        return claim(store, job_id, pid)

    with ThreadPoolExecutor(10) as pool:
        leases = [lease for lease in pool.map(race, range(10)) if lease]
    assert len(leases) == 1
    job = get(store, Job, job_id)
    assert (job.state, job.attempt, job.lease_token) == (JobState.RUNNING, 1, leases[0].token)


def test_a_job_that_ran_out_is_taken_by_exactly_one_of_ten(store: Store, annotator: Caller) -> None:
    job_id = add_job(annotator)
    first = claim(store, job_id)
    let_run_out(store, job_id)
    with ThreadPoolExecutor(10) as pool:
        leases = [lease for lease in pool.map(lambda pid: claim(store, job_id, pid), range(10)) if lease]
    assert len(leases) == 1
    assert leases[0].token != first.token
    assert get(store, Job, job_id).attempt == 2


def test_a_runner_that_froze_and_woke_can_write_nothing(store: Store, annotator: Caller) -> None:
    job_id = add_job(annotator)
    frozen = claim(store, job_id)
    let_run_out(store, job_id)
    successor = claim(store, job_id, pid=2)
    published = []
    for deed in (
        frozen.heartbeat,
        frozen.give_back,
        lambda: frozen.abandon(JobState.FAILED, "late"),
        lambda: frozen.complete(lambda session, job: published.append(job.id) or EvaluationResult(1)),
    ):
        with pytest.raises(LeaseLost):
            deed()
    assert published == []
    successor.complete(lambda session, job: EvaluationResult(7))
    job = get(store, Job, job_id)
    assert (job.state, job.result, job.error) == (JobState.DONE, {"evaluation_id": 7}, None)


def test_a_lease_that_ran_out_but_was_not_taken_goes_on(store: Store, annotator: Caller) -> None:
    lease = claim(store, add_job(annotator))
    let_run_out(store, lease.job_id)
    assert lease.heartbeat() is None
    assert get(store, Job, lease.job_id).lease_until > 0
    assert claim(store, lease.job_id, pid=2) is None


def test_a_write_that_fails_leaves_nothing(store: Store, annotator: Caller) -> None:
    lease = claim(store, add_job(annotator))

    def finish(session: Session, job: Job) -> EvaluationResult:
        session.add(JobEvent(job_id=job.id, stage="s", epoch=1))
        session.flush()
        raise RuntimeError("the disk is full")

    refused(RuntimeError, lambda: lease.complete(finish))
    assert count(store, JobEvent) == 0
    assert get(store, Job, lease.job_id).state is JobState.RUNNING


def test_one_job_of_a_kind_runs_at_a_time(store: Store, annotator: Caller) -> None:
    training, waiting = add_job(annotator), add_job(annotator)
    prediction = add_job(annotator, JobKind.PREDICT)
    lease = claim(store, training)
    assert claim(store, waiting) is None
    assert claim(store, prediction) is not None
    lease.abandon(JobState.FAILED, "no")
    assert claim(store, waiting) is not None


def test_a_cancelled_job_is_not_taken_up(store: Store, annotator: Caller) -> None:
    job_id = add_job(annotator, cancel_requested=True)
    assert claim(store, job_id) is None
    assert get(store, Job, job_id).state is JobState.CANCELLED


def test_a_job_that_always_dies_is_given_up(store: Store, annotator: Caller) -> None:
    job_id = add_job(annotator, max_attempts=2)
    for _ in range(2):
        assert claim(store, job_id) is not None
        let_run_out(store, job_id)
    assert claim(store, job_id) is None
    job = get(store, Job, job_id)
    assert job.state is JobState.FAILED
    assert "2 times" in job.error
    assert job.finished_at is not None


def test_giving_back_does_not_count_as_an_attempt(store: Store, annotator: Caller) -> None:
    lease = claim(store, add_job(annotator))
    lease.give_back()
    job = get(store, Job, lease.job_id)
    assert (job.state, job.attempt, job.lease_token, job.pid) == (JobState.QUEUED, 0, None, None)


def test_an_unknown_job_is_not_found(store: Store) -> None:
    refused(NotFound, lambda: claim(store, 7))


def test_heartbeats_keep_the_lease_and_hear_the_cancelling(store: Store, annotator: Caller) -> None:
    lease = claim(store, add_job(annotator))
    before = get(store, Job, lease.job_id).lease_until
    with Heartbeats(lease) as heartbeats:
        while get(store, Job, lease.job_id).lease_until <= before:
            assert not heartbeats.stop.wait(0.05)
        change(store, Job, lease.job_id, cancel_requested=True)
        assert heartbeats.stop.wait(30)
        assert not heartbeats.lost.is_set()


def test_heartbeats_hear_that_the_lease_is_lost(store: Store, annotator: Caller) -> None:
    lease = claim(store, add_job(annotator))
    with Heartbeats(lease) as heartbeats:
        change(store, Job, lease.job_id, lease_token="another")
        assert heartbeats.stop.wait(30)
        assert heartbeats.lost.is_set()
