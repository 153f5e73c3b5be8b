"""The runner: one process, one job. It claims the job, keeps its lease, does the work and writes the end.

What it writes, it writes under its lease; whatever happens, the job's row says afterwards how it stands.
"""

import logging
import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from colpo_core.errors import ColpoError, JobCancelled, NotFound
from colpo_core.services import engine
from colpo_core.services.engine import work_dir
from colpo_core.services.evaluate_job import run_evaluation
from colpo_core.services.explain_job import run_explanation
from colpo_core.services.incidents import log_incident
from colpo_core.services.leases import Finish, Heartbeats, Lease, LeaseLost, Wish, claim_job
from colpo_core.services.predict_job import run_prediction
from colpo_core.services.train_job import run_training
from colpo_core.store import Store
from colpo_core.store.tables import Job
from colpo_core.terms import JobKind, JobState

log = logging.getLogger(__name__)
EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_UNKNOWN = 2
EXIT_CANCELLED = 3
EXIT_PUT_BACK = 4
EXIT_LEASE_LOST = 5


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
    told_to_end = threading.Event()
    with _hearing_signals(told_to_end):
        try:
            lease = claim_job(store, job_id, host=socket.gethostname(), pid=os.getpid())
        except NotFound as error:
            log.error("%s", error)
            return EXIT_UNKNOWN
        if lease is None:
            log.info("job %d: nothing to do for this process", job_id)
            return EXIT_DONE
        log.info("job %d: taken up by process %d", job_id, os.getpid())
        code = _run_under_lease(lease, told_to_end)
    log.info("job %d: ended with code %d", job_id, code)
    if code != EXIT_PUT_BACK:
        engine.reconcile(store, patience_seconds=0)
    return code


def _run_under_lease(lease: Lease, told_to_end: threading.Event) -> int:
    with Heartbeats(lease) as heartbeats:

        def must_stop() -> bool:
            return told_to_end.is_set() or heartbeats.stop.is_set()

        try:
            lease.complete(_work(lease, must_stop))
        except LeaseLost:
            return EXIT_LEASE_LOST
        except JobCancelled:
            return _end_stopped(lease)
        except ColpoError as error:
            log.error("job %d failed: %s", lease.job_id, error)
            return _fail(lease, str(error))
        except Exception as error:
            number = log_incident(error)
            sentence = (
                f"Something unforeseen went wrong (incident {number}). The job's log says where. Run it again; if it "
                "comes back, tell your administrator the number."
            )
            return _fail(lease, sentence)
    shutil.rmtree(work_dir(lease.store, lease.job_id), ignore_errors=True)
    return EXIT_DONE


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
def _hearing_signals(told_to_end: threading.Event) -> Iterator[None]:
    """While a job runs, SIGTERM and SIGINT ask it to stop after its present batch."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def hear(_number: int, _frame: FrameType | None) -> None:
        told_to_end.set()

    before = {number: signal.signal(number, hear) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
