"""What a person can do about background jobs: start, watch, cancel and run again."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from colpo_core.errors import CheckpointMismatch, Conflict, InputRejected, NotFound
from colpo_core.records.jobs import JobEventRecord, JobRecord, PredictionProgress
from colpo_core.records.learning import TrainingSettings
from colpo_core.records.networks import CLASSIFIERS, SEGMENTERS, check_available
from colpo_core.records.people import Actor
from colpo_core.services import audit, engine, leases, shared_work
from colpo_core.services.external_sets import refuse_training
from colpo_core.services.permissions import CLINICIANS, require
from colpo_core.services.prediction_scope import PREDICTABLE, PREDICTION, n_images_of, settle_scope, shares_of
from colpo_core.services.snapshots import judge_counts
from colpo_core.services.training_room import training_room
from colpo_core.store import Store
from colpo_core.store.dialects import among
from colpo_core.store.tables import Checkpoint, Image, Job, JobEvent, Person, Promotion, Snapshot
from colpo_core.terms import JobKind, JobState

_UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


def start_training(store: Store, *, actor: Actor, snapshot_id: int, settings: TrainingSettings) -> JobRecord:
    """Ask for a training; it begins in a process of its own, at once or when the one before it is over.

    Args:
        store: The open store.
        actor: An administrator or annotator.
        snapshot_id: What to learn from.
        settings: All settings of the training.

    Raises:
        NotFound: There is no such snapshot.
        InputRejected: The snapshot lacks what a training needs or is an external test set, the disk is too full, or a
            network's optional packages are not installed.
        LeakageFound: The snapshot holds patients of an external test set that was frozen since.
        Conflict: The same training is already waiting or running.
    """
    require(actor, CLINICIANS)
    check_available(SEGMENTERS[settings.segmenter], CLASSIFIERS[settings.classifier])
    refuse_training(store, snapshot_id)
    with store.writing() as session:
        snapshot = session.get_one(Snapshot, snapshot_id)
        problems, _ = judge_counts(snapshot.counts)
        problems += training_room(store, snapshot.sha256, snapshot.counts["images"]["total"], settings).problems
        if problems:
            raise InputRejected(" ".join(("This training cannot begin.", *problems)))
        wanted = settings.to_dict()
        unfinished = select(Job).where(Job.snapshot_id == snapshot_id, Job.state.in_(_UNFINISHED))
        for other in session.scalars(unfinished):
            if other.settings == wanted:
                raise Conflict(f"The same training is already under way as job {other.id}.")
        job = Job(kind=JobKind.TRAIN, settings=wanted, snapshot_id=snapshot_id, created_by=actor.person_id)
        session.add(job)
        session.flush()
        audit.record(session, actor, "start training", f"job {job.id}", snapshot=snapshot_id, settings=wanted)
    engine.place(store, job.id)
    return get_job(store, actor=actor, job_id=job.id)


def start_prediction(
    store: Store, *, actor: Actor, image_ids: Sequence[int] | None = None, checkpoint_id: int | None = None
) -> JobRecord | None:
    """Ask a checkpoint for its predictions; what it has predicted already is kept and not done again.

    Args:
        store: The open store.
        actor: An administrator or annotator.
        image_ids: Which images; all acetic-acid images that show the cervix when None.
        checkpoint_id: Which checkpoint; the promoted one when None.

    Returns:
        The job, or the first of several that share it out; None where nothing is left to predict or jobs that wait or
        run already cover it.

    Raises:
        NotFound: There is no such checkpoint or image.
        CheckpointMismatch: None was named, and none is promoted.
    """
    require(actor, CLINICIANS)
    with store.writing() as session:
        chosen = _checkpoint_for_prediction(session, checkpoint_id)
        queued = queue_prediction(
            session,
            actor=actor,
            checkpoint=chosen,
            image_ids=image_ids,
            shard_images=engine.shard_images(store),
        )
    engine.place_all(store, [job.id for job in queued])
    return get_job(store, actor=actor, job_id=queued[0].id) if queued else None


def start_prediction_of_cases(store: Store, *, actor: Actor, case_ids: Collection[int]) -> JobRecord | None:
    """Ask the current model for its predictions of some cases: of their acetic-acid images that show the cervix.

    Returns:
        The job, or None where nothing is left to predict or a job that waits or runs already covers it.

    Raises:
        InputRejected: None of the cases has such an image.
        CheckpointMismatch: No checkpoint is promoted.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        read = select(Image.id).where(among(Image.case_id, case_ids), PREDICTABLE)
        image_ids = session.scalars(read).all()
    if not image_ids:
        raise InputRejected("None of these cases has an image after acetic acid that shows the cervix.")
    return start_prediction(store, actor=actor, image_ids=image_ids)


def queue_prediction(
    session: Session,
    *,
    actor: Actor,
    checkpoint: Checkpoint,
    image_ids: Sequence[int] | None,
    shard_images: int | None,
) -> list[Job]:
    """Add a prediction within the caller's transaction; the caller places its jobs afterwards.

    Where several jobs predict at the same time, on several GPUs or machines, a large one is shared out among them.

    Returns:
        The new jobs; none where nothing is left to predict or waiting jobs already cover it.

    Raises:
        NotFound: One of the images is not in the store.
    """
    settings = settle_scope(session, checkpoint.id, image_ids)
    if settings is None:
        return []
    shares = shares_of(session, settings, shard_images=shard_images)
    queued = [Job(kind=JobKind.PREDICT, settings=share, created_by=actor.person_id) for share in shares]
    session.add(queued[0])
    session.flush()
    for job in queued[1:]:
        job.settings = job.settings | {"first_job_id": queued[0].id}
    session.add_all(queued)
    session.flush()
    n_images, jobs = settings["n_images"], len(queued)
    audit.record(
        session, actor, "start prediction", f"job {queued[0].id}", checkpoint=checkpoint.id, images=n_images, jobs=jobs
    )
    return queued


def list_jobs(store: Store, *, actor: Actor, kind: JobKind | None = None, limit: int = 50) -> tuple[JobRecord, ...]:
    """The newest jobs, newest first."""
    require(actor, CLINICIANS)
    query = _jobs().order_by(Job.id.desc()).limit(limit)
    if kind is not None:
        query = query.where(Job.kind == kind)
    with store.reading() as session:
        return tuple(_job_record(row) for row in session.execute(query))


def predictions_under_way(store: Store, *, actor: Actor) -> tuple[PredictionProgress, ...]:
    """The predictions that wait or run, oldest first; several jobs that share one out are told together."""
    require(actor, CLINICIANS)
    with store.reading() as session:
        unfinished = select(Job).where(Job.kind == JobKind.PREDICT, Job.state.in_(_UNFINISHED)).order_by(Job.id)
        first_ids = dict.fromkeys(job.settings.get("first_job_id", job.id) for job in session.scalars(unfinished))
        return tuple(_progress(session, first_id) for first_id in first_ids)


def last_prediction(store: Store, *, actor: Actor) -> tuple[JobRecord, ...]:
    """The newest prediction: its job, or all that share it out; empty before the first."""
    require(actor, CLINICIANS)
    with store.reading() as session:
        newest = session.scalar(select(Job).where(Job.kind == JobKind.PREDICT).order_by(Job.id.desc()).limit(1))
        if newest is None:
            return ()
        first_id = newest.settings.get("first_job_id", newest.id)
        rows = session.execute(_jobs().where(Job.kind == JobKind.PREDICT, Job.id >= first_id).order_by(Job.id))
        return tuple(_job_record(row) for row in rows)


def _progress(session: Session, first_id: int) -> PredictionProgress:
    first = session.get_one(Job, first_id)
    n_jobs = int(first.settings.get("shards", 1))
    # They were queued at one stroke, so their rows follow each other.
    rows = list(session.scalars(select(Job).where(Job.id >= first_id, Job.id < first_id + n_jobs)))
    running = [job.id for job in rows if job.state is JobState.RUNNING]
    # What tells a pace has no message. Of a long job there are thousands, and this is asked every second.
    newest = (
        select(func.max(JobEvent.id))
        .where(JobEvent.job_id.in_(running), JobEvent.stage == PREDICTION, JobEvent.message == "")
        .group_by(JobEvent.job_id)
    )
    told = session.scalars(select(JobEvent).where(JobEvent.id.in_(newest)))
    paces = [event.figures["images_per_second"] for event in told]
    return PredictionProgress(
        job_id=first_id,
        checkpoint_id=first.settings["checkpoint_id"],
        n_jobs=n_jobs,
        n_running=len(running),
        n_failed=sum(job.state is JobState.FAILED for job in rows),
        n_images=sum(n_images_of(job.settings) for job in rows),
        n_done=sum(n_images_of(job.settings) if job.state is JobState.DONE else job.epoch for job in rows),
        images_per_second=sum(paces) or None,
    )


def jobs_under_way(store: Store, *, actor: Actor) -> frozenset[int]:
    """Rows of the jobs that wait or run."""
    require(actor, CLINICIANS)
    with store.reading() as session:
        return frozenset(session.scalars(select(Job.id).where(Job.state.in_(_UNFINISHED))))


def get_job(store: Store, *, actor: Actor, job_id: int) -> JobRecord:
    """One job as it stands now.

    Raises:
        NotFound: There is no such job.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        row = session.execute(_jobs().where(Job.id == job_id)).one_or_none()
        if row is None:
            raise NotFound(f"There is no job {job_id}.")
        return _job_record(row)


def job_events(
    store: Store, *, actor: Actor, job_id: int, after_id: int = 0, limit: int = 5000
) -> tuple[JobEventRecord, ...]:
    """The live record of a job after one event, oldest first."""
    require(actor, CLINICIANS)
    query = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.id > after_id).order_by(JobEvent.id).limit(limit)
    with store.reading() as session:
        return tuple(
            JobEventRecord(row.id, row.at, row.stage, row.epoch, dict(row.figures), row.message)
            for row in session.scalars(query)
        )


def job_log(store: Store, *, actor: Actor, job_id: int) -> str:
    """The end of what a job's process printed, for whoever has to find out why it failed."""
    require(actor, CLINICIANS)
    return shared_work.read_log(store, job_id)


def cancel_job(store: Store, *, actor: Actor, job_id: int) -> JobRecord:
    """Stop a job: one that waits ends now, one that runs after its present batch.

    Raises:
        NotFound: There is no such job.
        Conflict: The job is over.
    """
    require(actor, CLINICIANS)
    with store.writing() as session:
        job = _job_row(session, job_id)
        if job.state.is_over:
            raise Conflict(f"Job {job_id} is already {job.state.value}; there is nothing to cancel.")
        job.cancel_requested = True
        job.cancel_requested_at = leases.database_now(session)
        if not leases.is_held(job, leases.database_now(session)):
            leases.end_job(job, JobState.CANCELLED)
        audit.record(session, actor, "cancel job", f"job {job_id}")
    engine.nudge(store, job_id)
    return get_job(store, actor=actor, job_id=job_id)


def pause_job(store: Store, *, actor: Actor, job_id: int) -> JobRecord:
    """Let a job wait until somebody resumes it; one that runs stops after its present batch and loses little.

    Raises:
        NotFound: There is no such job.
        Conflict: The job is over, or waits already.
    """
    require(actor, CLINICIANS)
    with store.writing() as session:
        job = _unfinished(session, job_id)
        if job.paused:
            raise Conflict(f"Job {job_id} is paused already.")
        job.paused = True
        audit.record(session, actor, "pause job", f"job {job_id}")
    engine.nudge(store, job_id)
    return get_job(store, actor=actor, job_id=job_id)


def resume_job(store: Store, *, actor: Actor, job_id: int) -> JobRecord:
    """Let a paused job go on from its last checkpoint.

    Raises:
        NotFound: There is no such job.
        Conflict: The job is over, or is not paused.
    """
    require(actor, CLINICIANS)
    with store.writing() as session:
        job = _unfinished(session, job_id)
        if not job.paused:
            raise Conflict(f"Job {job_id} is not paused.")
        job.paused = False
        audit.record(session, actor, "resume job", f"job {job_id}")
    engine.place(store, job_id)
    return get_job(store, actor=actor, job_id=job_id)


def move_to_front(store: Store, *, actor: Actor, job_id: int) -> JobRecord:
    """Let a job that waits come before all others that wait.

    Raises:
        NotFound: There is no such job.
        Conflict: The job is over or runs.
    """
    require(actor, CLINICIANS)
    with store.writing() as session:
        job = _unfinished(session, job_id)
        if job.state is not JobState.QUEUED:
            raise Conflict(f"Job {job_id} runs already.")
        others = select(func.max(Job.priority)).where(Job.state == JobState.QUEUED, Job.id != job_id)
        job.priority = max(job.priority, (session.scalar(others) or 0) + 1)
        audit.record(session, actor, "move job to the front", f"job {job_id}", priority=job.priority)
    return get_job(store, actor=actor, job_id=job_id)


def run_again(store: Store, *, actor: Actor, job_id: int) -> JobRecord:
    """Put a failed or cancelled job back into the queue, where it goes on; a finished training starts anew as another.

    Returns:
        The job that waits now.

    Raises:
        NotFound: There is no such job.
        InputRejected: A finished training's settings are not those of this version of the program.
        LeakageFound: It is a training on a snapshot that holds patients of an external test set frozen since.
        Conflict: The job waits or runs, or is a finished prediction or evaluation.
    """
    job = get_job(store, actor=actor, job_id=job_id)
    if job.state is JobState.DONE and job.kind is JobKind.TRAIN and job.snapshot_id is not None:
        settings = TrainingSettings.from_dict(job.settings)
        return start_training(store, actor=actor, snapshot_id=job.snapshot_id, settings=settings)
    if job.kind is JobKind.TRAIN and job.snapshot_id is not None:
        refuse_training(store, job.snapshot_id)
    with store.writing() as session:
        row = _job_row(session, job_id)
        if row.state not in (JobState.FAILED, JobState.CANCELLED):
            raise Conflict(f"Job {job_id} is {row.state.value}; only a failed or cancelled job can be run again.")
        row.state = JobState.QUEUED
        row.attempt = 0
        row.cancel_requested = row.paused = False
        row.cancel_requested_at = None
        row.error = row.finished_at = None
        audit.record(session, actor, "run job again", f"job {job_id}")
    engine.place(store, job_id)
    return get_job(store, actor=actor, job_id=job_id)


def _unfinished(session: Session, job_id: int) -> Job:
    job = _job_row(session, job_id)
    if job.state.is_over:
        raise Conflict(f"Job {job_id} is over: it is {job.state.value}.")
    return job


def _job_row(session: Session, job_id: int) -> Job:
    job = session.get(Job, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    return job


def _checkpoint_for_prediction(session: Session, checkpoint_id: int | None) -> Checkpoint:
    if checkpoint_id is not None:
        checkpoint = session.get(Checkpoint, checkpoint_id)
        if checkpoint is None:
            raise NotFound(f"There is no checkpoint {checkpoint_id}.")
        return checkpoint
    current = session.scalar(
        select(Checkpoint).join(Promotion, Promotion.checkpoint_id == Checkpoint.id).order_by(Promotion.id.desc())
    )
    if current is None:
        raise CheckpointMismatch("No checkpoint is promoted yet. Promote one under Models, or name one.")
    return current


def _jobs() -> Select[Job, str, float]:
    return select(Job, Person.display_name, leases.NOW).join(Person, Person.id == Job.created_by)


def _job_record(row: Row[Job, str, float]) -> JobRecord:
    job, created_by, now = row
    settings: dict[str, Any] = dict(job.settings)
    return JobRecord(
        id=job.id,
        kind=job.kind,
        state=job.state,
        silent=job.state is JobState.RUNNING and not leases.is_held(job, now),
        settings=settings,
        snapshot_id=job.snapshot_id,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
        cancel_requested=job.cancel_requested,
        paused=job.paused,
        priority=job.priority,
        stage=job.stage,
        epoch=job.epoch,
        epochs_total=job.epochs_total,
        progress=job.progress,
        error=job.error,
        result=dict(job.result),
        created_by=created_by,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )
