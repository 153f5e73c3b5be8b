"""The engine: it places jobs, and takes up again what was left lying.

The job table is the truth. Placing is a mere hint: a runner that has nothing to claim ends at once, so placing twice
does no harm. By default a job is placed on this machine, as one detached process; `COLPO_ENGINE` hands placing over to
an engine that knows several machines, and the runner stays the same.
"""

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core import settings
from colpo_core.cluster_parts import ClusterPart, load_part
from colpo_core.records.jobs.settings import settings_of_kind
from colpo_core.services.jobs import gpus, leases, runner_processes
from colpo_core.services.jobs.files import job_dir
from colpo_core.services.jobs.machine import this_machine
from colpo_core.store import Store
from colpo_core.store.tables import Job
from colpo_core.terms import JobKind, JobState

log = logging.getLogger(__name__)
MOST_PLACED = 64
"""Jobs of a kind that wait in the queue of an engine of several machines."""


class ClusterJobs(Protocol):
    """Places jobs on several machines."""

    def place(self, store: Store, job: Job) -> None:
        """See to it that a runner starts for a job, somewhere; harmless where one has it already."""

    def work(self, store: Store, *, end_requested: Event) -> None:
        """What a worker does beside supervising, until it is told to end."""


def cluster_jobs(engine: str) -> ClusterJobs | None:
    """What places the jobs of several machines, by the engine's name; None for this machine alone."""
    parts = {settings.PROCRASTINATE: ClusterPart.PROCRASTINATE_JOBS, settings.RAY: ClusterPart.RAY_JOBS}
    part = parts.get(engine)
    if part is None:
        return None
    jobs: ClusterJobs = load_part(part)()
    return jobs


def place(store: Store, job_id: int) -> bool:
    """See to it that a runner starts for a job, where it may run now; harmless where one has it already.

    Returns:
        Whether it was placed.
    """
    with store.reading() as session:
        job = session.get(Job, job_id)
        now = leases.database_now(session)
        if job is None or job.state.is_over or job.paused or leases.is_held(job, now):
            return False
        if store.settings.engine == settings.LOCAL and not _has_room(store, session, job, now):
            return False
        session.expunge(job)
    job_dir(store, job_id).mkdir(parents=True, exist_ok=True)
    _marker(store, job_id).touch()
    jobs = cluster_jobs(store.settings.engine)
    if jobs is None:
        runner_processes.start_detached(store, job.id)
    else:
        jobs.place(store, job)
    return True


def nudge(store: Store, job_id: int) -> bool:
    """Tell a job's runner at once to look at its row; without it the runner looks once a second.

    Returns:
        Whether a signal was sent: only to a process of this machine that was heard within its lease.
    """
    with store.reading() as session:
        job = session.get(Job, job_id)
        if job is None or not leases.is_held(job, leases.database_now(session)):
            return False
        pid, host = job.pid, job.host
    return pid is not None and host == this_machine() and runner_processes.ask_to_look(pid, job_id)


def reconcile(store: Store, *, patience_seconds: float | None = None) -> list[int]:
    """Take up what was left lying: jobs whose runner died, and the next of those that wait.

    A runner of this machine that fell silent, or does not stop though its job was cancelled a while ago, is killed.
    That one has died is known at once on its own machine, and elsewhere when its lease has run out.

    Args:
        store: The open store.
        patience_seconds: A job placed less than this ago is given time to start; a lease's length when None.

    Returns:
        The jobs that were placed.
    """
    _look_after_own(store)
    patience = store.settings.lease_seconds if patience_seconds is None else patience_seconds
    return [
        job_id for job_id in _waiting(store) if _placed_seconds_ago(store, job_id) >= patience and place(store, job_id)
    ]


def place_all(store: Store, job_ids: Sequence[int]) -> None:
    """Start the runners of new jobs: of the first ones now, of the others when these are taken."""
    for job_id in job_ids[:MOST_PLACED]:
        place(store, job_id)


def shard_images(store: Store) -> int | None:
    """How many images one prediction job is for at most; None where jobs run one after the other anyway.

    Several predict at the same time on several machines, or on several GPUs of this one.
    """
    several = store.settings.engine != settings.LOCAL or len(gpus.gpus_here(store.settings)) > 1
    return store.settings.shard_images if several else None


def _has_room(store: Store, session: Session, job: Job, now: float) -> bool:
    """Whether this machine has a place for a job, as far as the table tells; the runner asks the GPUs' locks."""
    available, host = gpus.gpus_here(store.settings), this_machine()
    if not available:
        return not leases.is_blocked(session, job, now, host=host)
    taken = leases.n_held_gpus(session, now, host=host)
    asked = settings_of_kind(job.kind, job.settings)
    if taken + gpus.gpus_wanted(store.settings, asked, available=len(available)) <= len(available):
        return True
    return job.kind not in gpus.WAIT_FOR_A_GPU and not leases.is_blocked(session, job, now, host=host)


def _waiting(store: Store) -> list[int]:
    """Jobs that nobody holds, by rank, after ending those that must not go on.

    On this machine alone the next of each kind, one for each GPU. An engine of several machines finds places itself;
    it is given as many as will keep its workers busy until this is asked again, which every job does when it ends.
    """
    with store.reading() as session:
        unfinished = list(session.scalars(select(Job.id).where(Job.state.in_((JobState.QUEUED, JobState.RUNNING)))))
    if not unfinished:
        return []
    places = max(1, len(gpus.gpus_here(store.settings))) if store.settings.engine == settings.LOCAL else MOST_PLACED
    next_of: dict[JobKind, list[int]] = {}
    with store.writing() as session:
        now = leases.database_now(session)
        ranked = select(Job).where(Job.id.in_(unfinished)).order_by(Job.priority.desc(), Job.id)
        for job in session.scalars(ranked):
            if job.state.is_over or leases.is_held(job, now) or leases.end_hopeless(job) or job.paused:
                continue
            next_of.setdefault(job.kind, []).append(job.id)
    return sorted(job_id for ranked_ids in next_of.values() for job_id in ranked_ids[:places])


def _look_after_own(store: Store) -> None:
    """Kill runners of this machine that are past their time, and let go of those that are no processes any more.

    Past their time are those whose job was cancelled a while ago, and those that fell silent: another one will take
    their job over, and one that froze in the middle of a write would keep everybody else from writing for as long.
    """
    running = select(Job).where(Job.state == JobState.RUNNING, Job.host == this_machine())
    with store.reading() as session:
        now = leases.database_now(session)
        own = [(job, leases.is_held(job, now)) for job in session.scalars(running)]
    for job, is_held in own:
        cancelled_at = job.cancel_requested_at
        is_cancelled = cancelled_at is not None and cancelled_at < now - store.settings.cancel_grace_seconds
        if job.pid is None:
            continue
        if not runner_processes.is_runner(job.pid, job.id):
            if is_held:
                _let_go(store, job)
        elif (is_cancelled or not is_held) and runner_processes.kill(job.pid, job.id) and is_cancelled:
            with store.writing() as session:
                row = session.get_one(Job, job.id)
                if row.lease_token == job.lease_token:
                    leases.end_job(row, JobState.CANCELLED)


def _let_go(store: Store, job: Job) -> None:
    """Let the lease of a runner that is gone run out now."""
    with store.writing() as session:
        row = session.get_one(Job, job.id)
        if row.lease_token == job.lease_token and row.state is JobState.RUNNING:
            log.warning("job %d: process %d is gone; the job is taken up again", job.id, job.pid)
            row.lease_until = leases.database_now(session)


def _marker(store: Store, job_id: int) -> Path:
    return job_dir(store, job_id) / "placed"


def _placed_seconds_ago(store: Store, job_id: int) -> float:
    try:
        return max(0.0, time.time() - _marker(store, job_id).stat().st_mtime)
    except FileNotFoundError:
        return float("inf")
