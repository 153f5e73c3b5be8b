"""What a person can do about background jobs: start, watch, cancel and run again."""

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict
from colpo_core.records.copying import copied
from colpo_core.records.jobs.jobs import JobEventRecord, JobRecord
from colpo_core.records.jobs.results import read_result
from colpo_core.records.jobs.settings import JobSettings, settings_of_kind, write_settings
from colpo_core.records.people import Actor
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.jobs import engine, files, leases
from colpo_core.store import Store
from colpo_core.store.facts import find_one, find_row
from colpo_core.store.tables import Job, JobEvent, Person
from colpo_core.terms import JobKind, JobState

_MOST_LISTED = 50
_MOST_EVENTS = 5000
UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


@allowed(CLINICIANS)
def list_jobs(caller: Caller, *, kind: JobKind | None = None) -> tuple[JobRecord, ...]:
    """The newest jobs, newest first."""
    query = select_jobs().order_by(Job.id.desc()).limit(_MOST_LISTED)
    if kind is not None:
        query = query.where(Job.kind == kind)
    with caller.store.reading() as session:
        return tuple(job_record(row) for row in session.execute(query))


@allowed(CLINICIANS)
def jobs_under_way(caller: Caller) -> frozenset[int]:
    """Rows of the jobs that wait or run."""
    with caller.store.reading() as session:
        return frozenset(session.scalars(select(Job.id).where(Job.state.in_(UNFINISHED))))


@allowed(CLINICIANS)
def get_job(caller: Caller, *, job_id: int) -> JobRecord:
    """One job as it stands now.

    Raises:
        NotFound: There is no such job.
    """
    return _read(caller.store, job_id)


@allowed(CLINICIANS)
def job_events(caller: Caller, *, job_id: int, after_id: int = 0) -> tuple[JobEventRecord, ...]:
    """The live record of a job after one event, oldest first."""
    query = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.id > after_id).order_by(JobEvent.id)
    with caller.store.reading() as session:
        return tuple(
            JobEventRecord(row.id, row.at, row.stage, row.epoch, dict(row.figures), row.message)
            for row in session.scalars(query.limit(_MOST_EVENTS))
        )


@allowed(CLINICIANS)
def job_log(caller: Caller, *, job_id: int) -> str:
    """The end of what a job's process printed, for whoever has to find out why it failed."""
    return files.read_log(caller.store, job_id)


@allowed(CLINICIANS)
def cancel_job(caller: Caller, *, job_id: int) -> JobRecord:
    """Stop a job: one that waits ends now, one that runs after its present batch.

    Raises:
        NotFound: There is no such job.
        Conflict: The job is over.
    """
    with caller.store.writing() as session:
        job = find_row(session, Job, job_id)
        if job.state.is_over:
            raise Conflict(f"Job {job_id} is already {job.state.value}; there is nothing to cancel.")
        job.cancel_requested = True
        job.cancel_requested_at = leases.database_now(session)
        if not leases.is_held(job, leases.database_now(session)):
            leases.end_job(job, JobState.CANCELLED)
        audit.record(session, caller.actor, "cancel job", f"job {job_id}")
    engine.nudge(caller.store, job_id)
    return get_job(caller, job_id=job_id)


@allowed(CLINICIANS)
def pause_job(caller: Caller, *, job_id: int) -> JobRecord:
    """Let a job wait until somebody resumes it; one that runs stops after its present batch and loses little.

    Raises:
        NotFound: There is no such job.
        Conflict: The job is over, or waits already.
    """
    with caller.store.writing() as session:
        job = _unfinished(session, job_id)
        if job.paused:
            raise Conflict(f"Job {job_id} is paused already.")
        job.paused = True
        audit.record(session, caller.actor, "pause job", f"job {job_id}")
    engine.nudge(caller.store, job_id)
    return get_job(caller, job_id=job_id)


@allowed(CLINICIANS)
def resume_job(caller: Caller, *, job_id: int) -> JobRecord:
    """Let a paused job go on from its last checkpoint.

    Raises:
        NotFound: There is no such job.
        Conflict: The job is over, or is not paused.
    """
    with caller.store.writing() as session:
        job = _unfinished(session, job_id)
        if not job.paused:
            raise Conflict(f"Job {job_id} is not paused.")
        job.paused = False
        audit.record(session, caller.actor, "resume job", f"job {job_id}")
    return place_job(caller.store, job_id)


@allowed(CLINICIANS)
def move_to_front(caller: Caller, *, job_id: int) -> JobRecord:
    """Let a job that waits come before all others that wait.

    Raises:
        NotFound: There is no such job.
        Conflict: The job is over or runs.
    """
    with caller.store.writing() as session:
        job = _unfinished(session, job_id)
        if job.state is not JobState.QUEUED:
            raise Conflict(f"Job {job_id} runs already.")
        others = select(func.max(Job.priority)).where(Job.state == JobState.QUEUED, Job.id != job_id)
        job.priority = max(job.priority, (session.scalar(others) or 0) + 1)
        audit.record(session, caller.actor, "move job to the front", f"job {job_id}", priority=job.priority)
    return get_job(caller, job_id=job_id)


def add_job(session: Session, actor: Actor, kind: JobKind, settings: JobSettings, **columns: object) -> Job:
    """Add a job that waits, in the transaction of the deed; `place_job` hands it to the engine afterwards."""
    job = Job(kind=kind, settings=write_settings(settings), created_by=actor.person_id, **columns)
    session.add(job)
    session.flush()
    return job


def place_job(store: Store, job_id: int) -> JobRecord:
    """Hand a job that waits to the engine, once its row is written.

    Raises:
        NotFound: There is no such job.
    """
    engine.place(store, job_id)
    return _read(store, job_id)


def _read(store: Store, job_id: int) -> JobRecord:
    with store.reading() as session:
        return job_record(find_one(session, select_jobs().where(Job.id == job_id), job_id))


def _unfinished(session: Session, job_id: int) -> Job:
    job = find_row(session, Job, job_id)
    if job.state.is_over:
        raise Conflict(f"Job {job_id} is over: it is {job.state.value}.")
    return job


def select_jobs() -> Select[Job, str, float]:
    """Jobs, who asked for each, and the database's clock, as `job_record` takes them."""
    return select(Job, Person.display_name, leases.NOW).join(Person, Person.id == Job.created_by)


def job_record(row: Row[Job, str, float]) -> JobRecord:
    """A row of `select_jobs` as a record."""
    job, created_by, now = row
    return copied(
        JobRecord,
        job,
        silent=job.state is JobState.RUNNING and not leases.is_held(job, now),
        settings=settings_of_kind(job.kind, job.settings),
        result=read_result(job.kind, job.result),
        created_by=created_by,
    )
