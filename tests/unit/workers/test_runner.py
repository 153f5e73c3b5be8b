from collections.abc import Callable

import pytest
import torch

from colpo_core.errors import JobCancelled, JobFailed
from colpo_core.nets import threads
from colpo_core.records.jobs.results import EvaluationResult
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.jobs import files as job_files
from colpo_core.services.jobs.leases import Finish, Lease
from colpo_core.store import Store
from colpo_core.store.tables import Job
from colpo_core.terms import JobKind, JobState
from colpo_core.workers import runner

Work = Callable[[Lease, Callable[[], bool]], Finish]
Run = Callable[[Work], tuple[int, Job]]


def raising(error: Exception) -> Work:
    """Work that ends with this error."""

    def work(_lease: Lease, _must_stop: Callable[[], bool]) -> Finish:
        raise error

    return work


@pytest.fixture
def run(store: Store, annotator: Caller, placed: list[int], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a job whose work is given; returns the exit code and the job's row."""

    def run_it(work: Work) -> tuple[int, Job]:
        monkeypatch.setattr(runner, "run_training", work)
        with store.writing() as session:
            job = Job(kind=JobKind.TRAIN, settings={}, created_by=annotator.person_id)
            session.add(job)
            session.flush()
        code = runner.run_job(store, job.id)
        with store.reading() as session:
            row = session.get_one(Job, job.id)
            session.expunge(row)
        return code, row

    return run_it


def test_what_was_made_is_the_result(run: Run, store: Store) -> None:
    def work(lease: Lease, _must_stop: Callable[[], bool]) -> Finish:
        unfinished = job_files.work_dir(store, lease.job_id)
        unfinished.mkdir(parents=True)
        return lambda session, job: EvaluationResult(job.id)

    code, job = run(work)
    assert (code, job.state) == (runner.EXIT_DONE, JobState.DONE)
    assert (job.result, job.progress) == ({"evaluation_id": job.id}, 1.0)
    assert not job_files.work_dir(store, job.id).exists()


@pytest.mark.usefixtures("three_threads")
def test_a_job_on_the_processor_leaves_a_core(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 3)
    found = []

    def work(_lease: Lease, _must_stop: Callable[[], bool]) -> Finish:
        found.append(torch.get_num_threads())
        return lambda _session, _job: EvaluationResult(1)

    run(work)
    assert found == [2]
    assert torch.get_num_threads() == 3


def test_a_failure_says_its_sentence(run: Run) -> None:
    code, job = run(raising(JobFailed("No mask stands in train. Annotate some.")))
    assert (code, job.state) == (runner.EXIT_FAILED, JobState.FAILED)
    assert job.error == "No mask stands in train. Annotate some."


def test_the_unforeseen_gets_a_number_and_tells_nothing(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    code, job = run(raising(ZeroDivisionError("patient Maria")))
    assert (code, job.state) == (runner.EXIT_FAILED, JobState.FAILED)
    number = job.error.split("incident ")[1].split(")")[0]
    assert number in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "Maria" not in caplog.text + job.error


def test_a_cancelled_job_is_cancelled_and_the_next_is_placed(
    run: Run, store: Store, annotator: Caller, placed: list[int]
) -> None:
    def work(lease: Lease, _must_stop: Callable[[], bool]) -> Finish:
        with store.writing() as session:
            waiting = Job(kind=JobKind.TRAIN, settings={}, created_by=annotator.person_id)
            session.add(waiting)
        jobs.cancel_job(annotator, job_id=lease.job_id)
        raise JobCancelled

    code, job = run(work)
    assert (code, job.state, job.error) == (runner.EXIT_CANCELLED, JobState.CANCELLED, None)
    assert placed == [job.id + 1]


def test_a_job_stopped_without_a_wish_is_put_back(run: Run, placed: list[int]) -> None:
    code, job = run(raising(JobCancelled()))
    assert (code, job.state, job.attempt) == (runner.EXIT_PUT_BACK, JobState.QUEUED, 0)
    assert placed == [], "a machine that goes down starts nothing"


def test_a_runner_that_lost_its_job_writes_nothing(run: Run, store: Store) -> None:
    def work(lease: Lease, _must_stop: Callable[[], bool]) -> Finish:
        with store.writing() as session:
            session.get_one(Job, lease.job_id).lease_token = "another"
        raise JobFailed("it would say so")

    code, job = run(work)
    assert (code, job.state, job.error) == (runner.EXIT_LEASE_LOST, JobState.RUNNING, None)


def test_there_is_nothing_to_do_for_a_second_runner(run: Run, store: Store) -> None:
    code, job = run(lambda _lease, _must_stop: lambda _session, _job: EvaluationResult(1))
    assert code == runner.EXIT_DONE
    assert runner.run_job(store, job.id) == runner.EXIT_DONE
    assert runner.run_job(store, 99) == runner.EXIT_UNKNOWN
