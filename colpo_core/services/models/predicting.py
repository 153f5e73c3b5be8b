"""Predictions that are asked for: the jobs that make them, and how far they are."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.errors import CheckpointMismatch, InputRejected
from colpo_core.records.jobs.jobs import JobRecord, PredictionProgress
from colpo_core.records.jobs.settings import PredictionSettings, read_settings, write_settings
from colpo_core.records.people import Actor
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.jobs import engine
from colpo_core.services.jobs.control import UNFINISHED, get_job, job_record, select_jobs
from colpo_core.services.models.prediction_scope import PREDICTION, settle_scope, shares_of
from colpo_core.store.dialects import among
from colpo_core.store.facts import current_checkpoint_id, find_row
from colpo_core.store.tables import Checkpoint, Image, Job, JobEvent
from colpo_core.terms import JobKind, JobState


@allowed(CLINICIANS)
def start_prediction(
    caller: Caller, *, image_ids: Sequence[int] | None = None, checkpoint_id: int | None = None
) -> JobRecord | None:
    """Ask a checkpoint for its predictions; what it has predicted already is kept and not done again.

    Args:
        caller: An administrator or annotator.
        image_ids: Which images; all acetic-acid images that show the cervix when None.
        checkpoint_id: Which checkpoint; the promoted one when None.

    Returns:
        The job, or the first of several that share it out; None where nothing is left to predict or jobs that wait or
        run already cover it.

    Raises:
        NotFound: There is no such checkpoint or image.
        CheckpointMismatch: None was named, and none is promoted.
    """
    with caller.store.writing() as session:
        chosen = _checkpoint_for_prediction(session, checkpoint_id)
        queued = queue_prediction(
            session,
            actor=caller.actor,
            checkpoint=chosen,
            image_ids=image_ids,
            shard_images=engine.shard_images(caller.store),
        )
    engine.place_all(caller.store, [job.id for job in queued])
    return get_job(caller, job_id=queued[0].id) if queued else None


@allowed(CLINICIANS)
def start_prediction_of_cases(caller: Caller, *, case_ids: Collection[int]) -> JobRecord | None:
    """Ask the current model for its predictions of some cases: of their acetic-acid images that show the cervix.

    Returns:
        The job, or None where nothing is left to predict or a job that waits or runs already covers it.

    Raises:
        InputRejected: None of the cases has such an image.
        CheckpointMismatch: No checkpoint is promoted.
    """
    with caller.store.reading() as session:
        read = select(Image.id).where(among(Image.case_id, case_ids), Image.is_readable)
        image_ids = session.scalars(read).all()
    if not image_ids:
        raise InputRejected("None of these cases has an image after acetic acid that shows the cervix.")
    return start_prediction(caller, image_ids=image_ids)


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
    queued = [Job(kind=JobKind.PREDICT, settings=write_settings(share), created_by=actor.person_id) for share in shares]
    session.add(queued[0])
    session.flush()
    for job, share in zip(queued[1:], shares[1:], strict=True):
        job.settings = write_settings(replace(share, first_job_id=queued[0].id))
    session.add_all(queued)
    session.flush()
    n_images, jobs = settings.n_images, len(queued)
    audit.record(
        session, actor, "start prediction", f"job {queued[0].id}", checkpoint=checkpoint.id, images=n_images, jobs=jobs
    )
    return queued


@allowed(CLINICIANS)
def predictions_under_way(caller: Caller) -> tuple[PredictionProgress, ...]:
    """The predictions that wait or run, oldest first; several jobs that share one out are told together."""
    with caller.store.reading() as session:
        unfinished = select(Job).where(Job.kind == JobKind.PREDICT, Job.state.in_(UNFINISHED)).order_by(Job.id)
        first_ids = dict.fromkeys(_first_id(job) for job in session.scalars(unfinished))
        return tuple(_progress(session, first_id) for first_id in first_ids)


@allowed(CLINICIANS)
def last_prediction(caller: Caller) -> tuple[JobRecord, ...]:
    """The newest prediction: its job, or all that share it out; empty before the first."""
    with caller.store.reading() as session:
        newest = session.scalar(select(Job).where(Job.kind == JobKind.PREDICT).order_by(Job.id.desc()).limit(1))
        if newest is None:
            return ()
        shared = select_jobs().where(Job.kind == JobKind.PREDICT, Job.id >= _first_id(newest))
        rows = session.execute(shared.order_by(Job.id))
        return tuple(job_record(row) for row in rows)


def _settings(job: Job) -> PredictionSettings:
    return read_settings(PredictionSettings, job.settings)


def _first_id(job: Job) -> int:
    """Row of the first job of those that share a prediction out; its own where it is the only one."""
    return _settings(job).first_job_id or job.id


def _progress(session: Session, first_id: int) -> PredictionProgress:
    first = _settings(session.get_one(Job, first_id))
    n_jobs = first.shards
    # They were queued at one stroke, so their rows follow each other.
    rows = list(session.scalars(select(Job).where(Job.id >= first_id, Job.id < first_id + n_jobs)))
    running = [job.id for job in rows if job.state is JobState.RUNNING]
    # What tells a pace has no message. Of a long job there are thousands, and this is asked every second.
    newest = (
        select(func.max(JobEvent.id))
        .where(JobEvent.job_id.in_(running), JobEvent.stage == PREDICTION, JobEvent.message == "")
        .group_by(JobEvent.job_id)
    )
    events = session.scalars(select(JobEvent).where(JobEvent.id.in_(newest)))
    paces = [event.figures["images_per_second"] for event in events]
    return PredictionProgress(
        job_id=first_id,
        checkpoint_id=first.checkpoint_id,
        n_jobs=n_jobs,
        n_running=len(running),
        n_failed=sum(job.state is JobState.FAILED for job in rows),
        n_images=sum(_settings(job).n_images for job in rows),
        n_done=sum(_settings(job).n_images if job.state is JobState.DONE else job.epoch for job in rows),
        images_per_second=sum(paces) or None,
    )


def _checkpoint_for_prediction(session: Session, checkpoint_id: int | None) -> Checkpoint:
    if checkpoint_id is not None:
        return find_row(session, Checkpoint, checkpoint_id)
    current = session.scalar(select(Checkpoint).where(Checkpoint.id == current_checkpoint_id()))
    if current is None:
        raise CheckpointMismatch("No checkpoint is promoted yet. Promote one under Models, or name one.")
    return current
