"""Leases: which runner a job belongs to, for how long, and how one that lost it is kept from writing.

A runner claims a job under a token, and keeps it by heartbeats. Every write checks the token in its own
transaction, so a runner that froze, was replaced and woke up cannot change or publish anything. All times are the
database's own clock, so that runners with different clocks agree.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from uuid import uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from colpo_core.errors import Busy, JobFailed
from colpo_core.records.jobs.results import JobResult, write_result
from colpo_core.store import Store
from colpo_core.store.dialects import seconds_now
from colpo_core.store.facts import find_row
from colpo_core.store.tables import HeldGpu, Job, utc_now
from colpo_core.terms import JobState

log = logging.getLogger(__name__)
HEARTBEATS_A_LEASE = 4
_LONGEST_PAUSE_SECONDS = 5.0
_LOOK_SECONDS = 1.0
"""How soon a wish to stop is heard from another machine, where no signal reaches."""
NOW = seconds_now()


class LeaseLost(JobFailed):
    """Another runner has taken the job over, or it was ended; this one must stop without a trace."""


Finish = Callable[[Session, Job], JobResult]
"""Publishes what a job made, within the transaction that ends it, and returns the job's result."""


class Wish(Enum):
    """What somebody has asked of a running job."""

    CANCEL = auto()
    PAUSE = auto()


@dataclass(frozen=True)
class Lease:
    """The right to write for a job.

    Attributes:
        store: The open store.
        job_id: Row of the job.
        token: What every write must carry.
        attempt: How often the job was taken up, this time included.
    """

    store: Store
    job_id: int
    token: str
    attempt: int = 1

    @contextmanager
    def writing(self) -> Iterator[tuple[Session, Job]]:
        """A writing session with the job's row, committed only while the lease is this runner's.

        Raises:
            LeaseLost: Somebody else has the job now; nothing was written.
        """
        with self.store.writing() as session:
            job = self._own(session)
            job.lease_until = database_now(session) + self.store.settings.lease_seconds
            yield session, job

    def wish(self) -> Wish | None:
        """What somebody has asked of the job; a look that keeps nobody from writing.

        Raises:
            LeaseLost: Somebody else has the job now.
        """
        with self.store.reading() as session:
            return _wish_of(self._own(session))

    def heartbeat(self) -> Wish | None:
        """Keep the job for another lease.

        Returns:
            What somebody has asked of it, or None.

        Raises:
            LeaseLost: Somebody else has the job now.
        """
        with self.writing() as (_, job):
            return _wish_of(job)

    def complete(self, finish: Finish) -> None:
        """Publish the job's result and end it, both or neither.

        Args:
            finish: Called within the transaction; returns the job's result.

        Raises:
            LeaseLost: Somebody else has the job now; nothing was published.
        """
        with self.writing() as (session, job):
            job.result = write_result(finish(session, job))
            job.progress = 1.0
            end_job(job, JobState.DONE)

    def abandon(self, state: JobState, error: str | None = None) -> None:
        """End the job without a result.

        Raises:
            LeaseLost: Somebody else has the job now.
        """
        with self.writing() as (_, job):
            end_job(job, state, error)

    def give_back(self, *, is_attempt: bool = False) -> None:
        """Put the job back into the queue, as if this runner had never taken it up.

        Args:
            is_attempt: Whether it counts among the times that the job was taken up in vain.

        Raises:
            LeaseLost: Somebody else has the job now.
        """
        with self.writing() as (_, job):
            job.state = JobState.QUEUED
            job.attempt -= 0 if is_attempt else 1
            job.lease_token = job.lease_until = job.host = job.pid = None
            job.gpus.clear()

    def _own(self, session: Session) -> Job:
        job = session.get(Job, self.job_id)
        if job is None or job.lease_token != self.token or job.state is not JobState.RUNNING:
            raise LeaseLost("Another runner has taken this job over.")
        return job


def _wish_of(job: Job) -> Wish | None:
    if job.cancel_requested:
        return Wish.CANCEL
    return Wish.PAUSE if job.paused else None


def claim_job(store: Store, job_id: int, *, host: str, pid: int, gpus: Sequence[str] = ()) -> Lease | None:
    """Take a job up: exactly one of many runners gets it.

    Args:
        store: The open store.
        job_id: Row of the job.
        host: Name of this machine.
        pid: This process.
        gpus: GPUs of this machine whose locks this process holds; none for a job that computes on the processor.

    Returns:
        The lease, or None where there is nothing to do: the job is over or paused, another runner has it, or another
        job of its kind is running on this machine's processor and this one would too.

    Raises:
        NotFound: There is no such job.
    """
    with store.writing() as session:
        job = find_row(session, Job, job_id)
        now = database_now(session)
        if job.state.is_over or is_held(job, now) or end_hopeless(job) or job.paused:
            return None
        if not gpus and is_blocked(session, job, now, host=host):
            return None
        # Whoever stands there has let go of the lock, so the process is gone.
        session.execute(
            delete(HeldGpu).where((HeldGpu.job_id == job_id) | (HeldGpu.host == host) & HeldGpu.gpu.in_(gpus))
        )
        session.expire(job, ["gpus"])
        job.gpus = [HeldGpu(host=host, gpu=gpu) for gpu in gpus]
        token = uuid4().hex
        job.state = JobState.RUNNING
        job.attempt += 1
        job.lease_token = token
        job.lease_until = now + store.settings.lease_seconds
        job.host, job.pid = host, pid
        job.started_at = job.started_at or utc_now()
        return Lease(store, job_id, token, job.attempt)


def database_now(session: Session) -> float:
    """Seconds since 1970 by the database's clock."""
    return float(session.scalars(select(NOW)).one())


def is_held(job: Job, now: float) -> bool:
    """Whether a runner has the job and has been heard within its lease."""
    return job.state is JobState.RUNNING and job.lease_until is not None and job.lease_until > now


def is_blocked(session: Session, job: Job, now: float, *, host: str) -> bool:
    """Whether another job of the same kind runs on a machine's processor: one at a time, for the sake of memory."""
    running = (
        select(func.count())
        .select_from(Job)
        .where(Job.kind == job.kind, Job.id != job.id, Job.state == JobState.RUNNING, Job.lease_until > now)
        .where(Job.host == host, ~Job.gpus.any())
    )
    return bool(session.scalar(running))


def n_held_gpus(session: Session, now: float, *, host: str) -> int:
    """How many GPUs of a machine running jobs compute on."""
    held = (
        select(func.count())
        .select_from(HeldGpu)
        .join(Job, Job.id == HeldGpu.job_id)
        .where(HeldGpu.host == host, Job.state == JobState.RUNNING, Job.lease_until > now)
    )
    return int(session.scalar(held) or 0)


def end_hopeless(job: Job) -> bool:
    """End a job that nobody holds and that must not be taken up again; returns whether it was ended."""
    if job.cancel_requested:
        end_job(job, JobState.CANCELLED)
        return True
    if job.attempt >= job.max_attempts:
        times = f"{job.attempt} times" if job.attempt > 1 else "once"
        sentence = (
            f"The job was taken up {times} and its process ended each time without a word, perhaps for want of memory. "
            "Look at its log, try smaller settings, and run it again."
        )
        end_job(job, JobState.FAILED, sentence)
        return True
    return False


def end_job(job: Job, state: JobState, error: str | None = None) -> None:
    """Write a job's end into its row; the caller holds the lease, or nobody does."""
    job.state = state
    job.error = error
    job.lease_token = job.lease_until = job.host = job.pid = None
    job.gpus.clear()
    job.finished_at = utc_now()


class Heartbeats:
    """A thread that keeps a lease while the runner works, and hears whether it has to stop.

    Attributes:
        stop: Set when the work has to stop: cancelled, paused, lost, or told by a signal.
        lost: Set when another runner has the job.
    """

    def __init__(self, lease: Lease) -> None:
        self.stop = threading.Event()
        self.lost = threading.Event()
        self._lease = lease
        self._quiet = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat-{lease.job_id}", daemon=True)

    def __enter__(self) -> "Heartbeats":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._quiet.set()
        self._thread.join()

    def _beat(self) -> None:
        pause_seconds = min(self._lease.store.settings.lease_seconds / HEARTBEATS_A_LEASE, _LONGEST_PAUSE_SECONDS)
        beaten_at = time.monotonic()
        while not self._quiet.wait(min(pause_seconds, _LOOK_SECONDS)):
            is_due = time.monotonic() - beaten_at >= pause_seconds
            try:
                if self._lease.heartbeat() if is_due else self._lease.wish():
                    self.stop.set()
                beaten_at = time.monotonic() if is_due else beaten_at
            except LeaseLost:
                self.lost.set()
                self.stop.set()
                return
            except (SQLAlchemyError, Busy):
                log.exception("a heartbeat of job %d was not written; trying again", self._lease.job_id)
