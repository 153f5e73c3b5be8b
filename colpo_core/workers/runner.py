"""The runner: one process, one job. It claims the job, keeps its lease, does the work and writes the end.

What it writes, it writes under its lease; whatever happens, the job's row says afterwards how it stands.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sqlalchemy.exc import InterfaceError, OperationalError

from colpo_core.errors import ColpoError, DiskRefuses, JobCancelled, NotFound, Unreachable
from colpo_core.records.jobs.settings import settings_of_kind
from colpo_core.services.common.incidents import log_incident
from colpo_core.services.common.machine_errors import disk_error
from colpo_core.services.jobs import engine, gpus
from colpo_core.services.jobs.files import delete_work, sharing_work
from colpo_core.services.jobs.leases import Finish, Heartbeats, Lease, LeaseLost, Wish, claim_job
from colpo_core.services.jobs.machine import this_machine
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Job
from colpo_core.terms import JobKind, JobState
from colpo_core.workers.evaluate import run_evaluation
from colpo_core.workers.explain import run_explanation
from colpo_core.workers.predict import run_prediction
from colpo_core.workers.probe import run_probe
from colpo_core.workers.train import run_training

log = logging.getLogger(__name__)
EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_UNKNOWN = 2
EXIT_CANCELLED = 3
EXIT_PUT_BACK = 4
EXIT_LEASE_LOST = 5
_RETRY_SECONDS = 2.0


def run_job(store: Store, job_id: int) -> int:
    """Run one job in this process, if it is to be run and no other runner has it.

    Args:
        store: The open store.
        job_id: Row of the job.

    Returns:
        The exit code: 0 done or nothing to do, 1 failed, 2 no such job, 3 cancelled, 4 put back because this process
        was told to end, 5 another runner took the job over.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    end_requested = threading.Event()
    with _hearing_signals(end_requested):
        try:
            code = _claim_and_run(store, job_id, end_requested)
        except NotFound as error:
            log.error("%s", error)
            return EXIT_UNKNOWN
        if code is None:
            log.info("job %d: nothing to do for this process", job_id)
            return EXIT_DONE
    log.info("job %d: ended with code %d", job_id, code)
    if code != EXIT_PUT_BACK:
        engine.reconcile(store, patience_seconds=0)
    return code


def _claim_and_run(store: Store, job_id: int, end_requested: threading.Event) -> int | None:
    """The exit code, or None where there is nothing to do here and now."""
    with _places(store, job_id) as held:
        if held is None:
            return None
        lease = claim_job(store, job_id, host=this_machine(), pid=os.getpid(), gpus=held)
        if lease is None:
            return None
        log.info("job %d: taken up by process %d on %s", job_id, os.getpid(), ", ".join(held) or "the processor")
        return _run_under_lease(lease, end_requested, n_gpus=len(held))


@contextmanager
def _places(store: Store, job_id: int) -> Iterator[tuple[str, ...] | None]:
    """Where the job may compute: GPUs that this process holds, none for the processor; None where it has to wait."""
    available = gpus.gpus_here(store.settings)
    if not available:
        yield ()
        return
    with store.reading() as session:
        job = find_row(session, Job, job_id)
        kind = job.kind
        asked = settings_of_kind(kind, job.settings)
    wanted = gpus.gpus_wanted(store.settings, asked, available=len(available))
    with gpus.holding_gpus(available, wanted=wanted) as held:
        if held is None and kind in gpus.WAIT_FOR_A_GPU:
            yield None
            return
        gpus.show_only(held or ())
        yield held or ()


def _run_under_lease(lease: Lease, end_requested: threading.Event, *, n_gpus: int) -> int:
    with Heartbeats(lease) as heartbeats:

        def must_stop() -> bool:
            return end_requested.is_set() or heartbeats.stop.is_set()

        try:
            with sharing_work(lease.store, lease.job_id, attempt=lease.attempt, lost=heartbeats.lost):
                finish = _work_on_gpus(lease, must_stop, n_gpus) if n_gpus else _work_on_cores(lease, must_stop)
            lease.complete(finish)
        except LeaseLost:
            return EXIT_LEASE_LOST
        except JobCancelled:
            return _end_stopped(lease)
        except (OperationalError, InterfaceError) as error:
            log.warning("job %d: the database does not answer (%s)", lease.job_id, str(error.orig).strip())
            return _put_back_when_it_answers(lease, end_requested)
        except Unreachable as error:
            log.warning("job %d: %s", lease.job_id, error)
            return _put_back_when_it_answers(lease, end_requested)
        except ColpoError as error:
            log.error("job %d failed: %s", lease.job_id, error)
            return _fail(lease, str(error))
        except Exception as error:
            refused = disk_error(error)
            if refused is not None:
                return _fail_when_it_answers(lease, end_requested, refused)
            number = log_incident(error)
            sentence = (
                f"Something unforeseen went wrong (incident {number}). The job's log says where. Run it again; if it "
                "comes back, tell your administrator the number."
            )
            return _fail(lease, sentence)
    delete_work(lease.store, lease.job_id)
    return EXIT_DONE


def _work_on_gpus(lease: Lease, must_stop: Callable[[], bool], n_gpus: int) -> Finish:
    from colpo_core.nets.gpus import explaining_gpus, require_gpus

    require_gpus(n_gpus)
    with explaining_gpus():
        return _work(lease, must_stop)


def _work_on_cores(lease: Lease, must_stop: Callable[[], bool]) -> Finish:
    from colpo_core.nets.threads import leaving_a_core

    with leaving_a_core():
        return _work(lease, must_stop)


def _work(lease: Lease, must_stop: Callable[[], bool]) -> Finish:
    with lease.store.reading() as session:
        kind = session.get_one(Job, lease.job_id).kind
    match kind:
        case JobKind.TRAIN:
            return run_training(lease, must_stop)
        case JobKind.PREDICT:
            return run_prediction(lease, must_stop)
        case JobKind.EVALUATE:
            return run_evaluation(lease, must_stop)
        case JobKind.EXPLAIN:
            return run_explanation(lease, must_stop)
        case JobKind.PROBE:
            return run_probe(lease, must_stop)


def _put_back_when_it_answers(lease: Lease, end_requested: threading.Event) -> int:
    """Put a job back whose database or files went away in the middle of it: a new runner goes on from what was kept.

    It counts as an attempt, so that a job that always ends so is given up. A runner that is told to end meanwhile
    leaves the job to its lease.
    """
    while not end_requested.wait(_RETRY_SECONDS):
        if lease.store.files is not None and not lease.store.files.answers():
            continue
        try:
            lease.give_back(is_attempt=True)
        except LeaseLost:
            return EXIT_LEASE_LOST
        except (OperationalError, InterfaceError):
            continue
        return EXIT_PUT_BACK
    return EXIT_PUT_BACK


def _fail_when_it_answers(lease: Lease, end_requested: threading.Event, refused: DiskRefuses) -> int:
    """The disk takes no more: the job fails with a sentence, or waits where that cannot be written either."""
    log.error("job %d: %s", lease.job_id, refused)
    try:
        return _fail(lease, str(refused))
    except (OperationalError, InterfaceError):
        return _put_back_when_it_answers(lease, end_requested)


def _fail(lease: Lease, sentence: str) -> int:
    try:
        lease.abandon(JobState.FAILED, sentence)
    except LeaseLost:
        return EXIT_LEASE_LOST
    return EXIT_FAILED


def _end_stopped(lease: Lease) -> int:
    """The work stopped because it was told to: cancelled, or put back: paused, or because the machine goes down."""
    try:
        if lease.heartbeat() is Wish.CANCEL:
            lease.abandon(JobState.CANCELLED)
            return EXIT_CANCELLED
        lease.give_back()
    except LeaseLost:
        return EXIT_LEASE_LOST
    return EXIT_PUT_BACK


@contextmanager
def _hearing_signals(end_requested: threading.Event) -> Iterator[None]:
    """While a job runs, SIGTERM and SIGINT ask it to stop after its present batch."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def hear(_number: int, _frame: FrameType | None) -> None:
        end_requested.set()

    before = {number: signal.signal(number, hear) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
